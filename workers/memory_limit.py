"""Ends a process whose task takes more memory than a worker may.

Otherwise the system runs out of memory, and ends a process of its choice. The process ends itself,
and only within the work on a unit, where it holds no lock of the pool.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import psutil

# Seconds between two looks: what fills memory at full speed takes a gigabyte or two meanwhile.
LOOK_S = 0.25
# Exit code of a process that ended itself; no signal and no other exit of ours gives it.
EXIT_CODE = 77


@contextmanager
def within_memory(gigabytes: float, log: TextIO) -> Iterator[None]:
    """The block may bring the memory of this process to so many gigabytes.

    Args:
        log: says it where the process ends.
    """
    leaving, done = threading.Lock(), threading.Event()
    process = psutil.Process()

    def watch() -> None:
        while not done.wait(LOOK_S):
            taken_gb = process.memory_info().rss / 1e9
            with leaving:
                if taken_gb > gigabytes and not done.is_set():
                    print(f"the process took {taken_gb:.1f} GB of memory", file=log, flush=True)
                    os._exit(EXIT_CODE)

    threading.Thread(target=watch, name="memory", daemon=True).start()
    try:
        yield
    finally:
        with leaving:
            done.set()
