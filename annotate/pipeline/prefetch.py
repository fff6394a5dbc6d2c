"""Decoding ahead of inference, in a thread: both run in C without the interpreter's lock."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

T = TypeVar("T")

# The number of frames that are decoded ahead.
DEPTH = 4
_END = object()


def prefetch(items: Iterable[T], depth: int = DEPTH) -> Iterator[T]:
    """The same items in the same order, up to `depth` of them made ahead by another thread.

    An error of `items` is raised here, after the items before it. Closing the iterator early ends
    the thread.
    """
    source = iter(items)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="prefetch") as pool:
        ahead = deque(pool.submit(next, source, _END) for _ in range(depth))
        try:
            while (item := ahead.popleft().result()) is not _END:
                ahead.append(pool.submit(next, source, _END))
                yield cast(T, item)
        finally:
            for unwanted in ahead:
                unwanted.cancel()
