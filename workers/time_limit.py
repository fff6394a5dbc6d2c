"""Ends a process whose task does not get on.

Celery's own limit kills a process from outside, and may do so while it holds a lock of the pool:
then the whole pool waits for ever. Here the process ends itself, and only within the work on a
unit, where it holds no such lock. The timer is one of the interpreter's C code: it also runs where
a library hangs and lets no other thread run.
"""

import faulthandler
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from annotate.domain.work import Heartbeat
from annotate.queue.heartbeats import Beats

# Seconds without a new frame after which a chunk counts as hung; models that are compiled for an
# NPU, and the slowest frame, take minutes.
CHUNK_LIMIT_S = 1800.0
# Seconds after which a merge counts as hung; that of a day of video takes less.
MERGE_LIMIT_S = 14400.0
# Exit code of a process that ended itself; `faulthandler` gives no other.
EXIT_CODE = 1


class TimeLimits:
    """The deadlines of all tasks of this process: one, or several where it works with threads.

    When one has passed, where each thread is goes to `log`, and the process ends.
    """

    def __init__(self, log: TextIO) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._deadlines: dict[int, float] = {}

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """The block may take so long, or longer where `extend` is called meanwhile."""
        try:
            self.extend(seconds)
            yield
        finally:
            with self._lock:
                self._deadlines.pop(threading.get_ident(), None)
                self._arm()

    def extend(self, seconds: float) -> None:
        """Begins the time of this thread's task anew."""
        with self._lock:
            self._deadlines[threading.get_ident()] = time.monotonic() + seconds
            self._arm()

    def _arm(self) -> None:
        if not self._deadlines:
            faulthandler.cancel_dump_traceback_later()
            return
        left = max(min(self._deadlines.values()) - time.monotonic(), 0.001)
        faulthandler.dump_traceback_later(left, exit=True, file=self._log)


@dataclass(frozen=True)
class ExtendingBeats:
    """Heartbeats, each of which begins the time of its task anew: they beat only while frames
    advance.

    Attributes:
        beats: where they are written.
        limits: of this process.
    """

    beats: Beats
    limits: TimeLimits

    def now(self) -> float:
        """As in `Beats`."""
        return self.beats.now()

    def write_heartbeat(self, beat: Heartbeat) -> None:
        """As in `Beats`."""
        self.limits.extend(CHUNK_LIMIT_S)
        self.beats.write_heartbeat(beat)

    def delete_heartbeat(self, worker: str) -> None:
        """As in `Beats`."""
        self.beats.delete_heartbeat(worker)
