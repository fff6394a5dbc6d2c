"""Keeps the tests from running as real-time processes.

The encoder SVT-AV1 asks for the highest real-time priority when it is first opened, to see whether
it gets it. Root does, and the thread keeps it, and so does all that it starts from then on: such
threads stop everything else on their cores.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager


def is_real_time() -> bool:
    """Whether the system runs this thread before all ordinary ones."""
    return hasattr(os, "SCHED_FIFO") and os.sched_getscheduler(0) in (os.SCHED_FIFO, os.SCHED_RR)


def make_ordinary() -> None:
    """Takes a real-time priority from this thread."""
    if is_real_time():
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@contextmanager
def kept_ordinary() -> Iterator[None]:
    """For a block that may open SVT-AV1."""
    try:
        yield
    finally:
        make_ordinary()
