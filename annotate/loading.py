"""Start and end of a process without the garbage collector's part of both."""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """The block imports a program. It makes no garbage, but the collector would search all of it
    again and again, then and later: an eighth of the time of imports.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def end_without_search() -> None:
    """Keeps the collector from searching everything once more, several times, when this process
    ends: the system takes its memory back anyway.
    """
    atexit.register(gc.freeze)
