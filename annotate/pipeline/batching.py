"""Runs of a model, and what stands before and after each, some at a time."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from annotate.domain.arrays import FloatArray

Item = TypeVar("Item")
Found = TypeVar("Found")

# A run of a model drives Python, NumPy and their data out of the processor's caches: what follows
# takes three to ten times as long as it does once more. So all that comes before the runs is done
# for a few items together, and all that comes after. More would only take memory.
TOGETHER = 4


def in_stages(
    items: Sequence[Item],
    prepare: Callable[[Item], FloatArray],
    run: Callable[[FloatArray], Sequence[FloatArray]],
    finish: Callable[[Item, Sequence[FloatArray]], Found],
) -> Iterator[Found]:
    """For each item, in order, what `finish` makes of the model's outputs.

    Args:
        prepare: makes the model's input.
        run: the model.
    """
    for start in range(0, len(items), TOGETHER):
        group = items[start : start + TOGETHER]
        outputs = [run(image) for image in [prepare(item) for item in group]]
        yield from map(finish, group, outputs)
