"""Runs of a model in small batches, with what comes before and after each run."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from annotate.domain.arrays import FloatArray

Item = TypeVar("Item")
Result = TypeVar("Result")

# The number of items that are prepared, run and finished together. A run of a model drives Python,
# NumPy and their data out of the processor's caches, and the code after it takes three to ten times
# as long as when it runs a second time. Larger batches would only take memory.
BATCH = 4


def run_batched(
    items: Sequence[Item],
    prepare: Callable[[Item], FloatArray],
    run: Callable[[FloatArray], Sequence[FloatArray]],
    finish: Callable[[Item, Sequence[FloatArray]], Result],
) -> Iterator[Result]:
    """For each item, in order, what `finish` makes from the model's outputs.

    Args:
        prepare: makes the model's input.
        run: the model.
        finish: gets the item and the outputs of its run.
    """
    for start in range(0, len(items), BATCH):
        batch = items[start : start + BATCH]
        outputs = [run(image) for image in [prepare(item) for item in batch]]
        yield from map(finish, batch, outputs)
