"""Measures how long the stages of a task take."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

T = TypeVar("T")


class Stopwatch:
    """Wall-clock seconds by stage; a stage within another one counts only for itself.

    Attributes:
        spent_s: seconds of each stage.
    """

    def __init__(self) -> None:
        self.spent_s: dict[str, float] = defaultdict(float)

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        """The block is part of the stage."""
        began, others = time.perf_counter(), sum(self.spent_s.values())
        try:
            yield
        finally:
            inner_s = sum(self.spent_s.values()) - others
            self.spent_s[stage] += time.perf_counter() - began - inner_s

    @contextmanager
    def entered(self, stage: str, manager: AbstractContextManager[T]) -> Iterator[T]:
        """Entering the context is part of the stage; the block is not."""
        began = time.perf_counter()
        with manager as value:
            self.spent_s[stage] += time.perf_counter() - began
            yield value

    def each(self, stage: str, items: Iterator[T]) -> Iterator[T]:
        """The same items; making them is part of the stage."""
        while True:
            with self.of(stage):
                item = next(items, None)
            if item is None:
                return
            yield item
