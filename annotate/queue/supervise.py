"""A worker that stays: Celery in a process of its own, started again when it dies."""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from annotate.domain.errors import QueueError
from annotate.domain.settings import WORKER_VARIABLE, Settings
from annotate.queue.app import all_lists
from annotate.queue.board import Board

POLL_S = 0.5
IDLE_S = 10.0
LONGEST_PAUSE_S = 60.0
# A worker that ran for so long had no trouble in starting.
SETTLED_S = 60.0
# So often in a row it may end at once, then the trouble is not of the kind that goes away.
ATTEMPTS = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """How a worker is to run.

    Attributes:
        processes: how many chunks at a time.
        threads: in one process, which then owns the NPU; else each in a process.
        max_jobs: chunks after which it ends, or None.
        stop_when_idle: it ends when there is nothing to do.
    """

    processes: int
    threads: bool
    max_jobs: int | None = None
    stop_when_idle: bool = False

    def command(self, name: str) -> list[str]:
        """Of the Celery worker."""
        return [
            *(sys.executable, "-m", "celery", "--quiet", "-A", "workers", "worker"),
            *("--pool", "threads" if self.threads else "prefork"),
            *("--concurrency", str(self.processes), "--hostname", name),
            *("--loglevel", "warning", "--without-gossip", "--without-mingle"),
        ]


class Supervisor:
    """Keeps one Celery worker running until it is told to stop."""

    def __init__(self, plan: Plan, settings: Settings, board: Board) -> None:
        self._plan = plan
        self._settings = settings
        self._board = board
        self._asked = 0
        self._child: subprocess.Popen[bytes] | None = None
        self.name = f"{socket.gethostname()}-{os.getpid()}"

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Handler of SIGTERM and SIGINT: the first lets the chunks in hand be finished, the second
        gives them back.
        """
        self._asked += 1
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM if self._asked == 1 else signal.SIGQUIT)

    def run(self, said: Callable[[str], None]) -> None:
        """Until it is told to stop, or has done what it was asked for.

        Args:
            said: called with a line whenever something happens.

        Raises:
            QueueError: the worker ends again and again as soon as it starts.
        """
        failed = 0
        while True:
            began = time.monotonic()
            code = self._once()
            self._board.release_all(self.name)
            if self._is_asked():
                return
            failed = 1 if time.monotonic() - began > SETTLED_S else failed + 1
            if failed >= ATTEMPTS:
                raise QueueError(
                    f"the worker ended {failed} times in a row, at last with {code}",
                    "Run `annotate doctor`; `annotate --debug worker` shows what Celery says.",
                )
            pause = min(2.0**failed, LONGEST_PAUSE_S)
            said(f"The worker ended with {code}; it starts again in {pause:.0f} s.")
            self._wait(pause)
            if self._is_asked():
                return

    def _once(self) -> int:
        environ = {**os.environ, **self._settings.to_environ(), WORKER_VARIABLE: self.name}
        # A group of its own: Ctrl-C reaches the supervisor alone, which passes it on once.
        self._child = subprocess.Popen(
            self._plan.command(self.name), env=environ, start_new_session=True
        )
        idle_since = time.monotonic()
        while self._child.poll() is None:
            time.sleep(POLL_S)
            if not self._is_idle():
                idle_since = time.monotonic()
            idle = time.monotonic() - idle_since > IDLE_S
            if not self._asked and (idle or self._has_done_enough()):
                self.stop()
        return self._child.returncode

    def _is_idle(self) -> bool:
        return self._plan.stop_when_idle and self._board.is_idle(self.name, all_lists())

    def _has_done_enough(self) -> bool:
        most = self._plan.max_jobs
        return most is not None and self._board.done(self.name) >= most

    def _is_asked(self) -> bool:
        return self._asked > 0

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._asked and time.monotonic() < until:
            time.sleep(0.1)
