"""Supervises a worker: runs Celery in a child process, and starts it again when it dies."""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FrameType

from annotate.domain.errors import QueueError
from annotate.domain.settings import WORKER_VARIABLE, Settings
from annotate.queue.board import Board
from annotate.queue.messages import all_lists

# Seconds between two looks at the worker.
POLL_S = 0.5
# Seconds without work after which an idle worker is stopped, if that is wanted.
IDLE_S = 10.0
# The longest pause in seconds before a worker is started again.
LONGEST_PAUSE_S = 60.0
# Seconds after which a worker counts as started well.
SETTLED_S = 60.0
# Give up after this many exits in a row, each within `SETTLED_S` of the start.
MAX_IMMEDIATE_EXITS = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """How a worker runs.

    Attributes:
        processes: how many chunks it works on at a time.
        threads: whether these are threads of one process, which then owns the NPU, or processes.
        max_jobs: number of finished work units after which it ends, or None.
        stop_when_idle: whether it ends when there is nothing to do.
        variables: of its processes, beside those of the host.
    """

    processes: int
    threads: bool
    max_jobs: int | None = None
    stop_when_idle: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)

    def command(self, name: str) -> list[str]:
        """The command line of the Celery worker with that name."""
        return [
            *(sys.executable, "-m", "celery", "--quiet", "-A", "workers", "worker"),
            *("--pool", "threads" if self.threads else "prefork"),
            *("--concurrency", str(self.processes), "--hostname", name),
            *("--loglevel", "warning", "--without-gossip", "--without-mingle"),
            "--without-heartbeat",
        ]


def supervisor_name() -> str:
    """The name of the worker that this process supervises."""
    return f"{socket.gethostname()}-{os.getpid()}"


class Supervisor:
    """Keeps one Celery worker running until it is stopped."""

    def __init__(self, plan: Plan, settings: Settings, board: Board) -> None:
        self._plan = plan
        self._settings = settings
        self._board = board
        self._stops = 0
        self._child: subprocess.Popen[bytes] | None = None
        self.name = supervisor_name()

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Handler of SIGTERM and SIGINT: at the first the worker finishes its chunks and ends, at
        the second it gives them back and ends at once.
        """
        self._stops += 1
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM if self._stops == 1 else signal.SIGQUIT)

    def run(self, say: Callable[[str], None]) -> None:
        """Runs the worker until it is stopped, or ends as its plan says.

        Args:
            say: called with a line for the user whenever something happens.

        Raises:
            QueueError: the worker ends again and again as soon as it starts.
        """
        failed = 0
        while True:
            began = time.monotonic()
            code = self._once()
            self._board.forget_worker(self.name)
            if self._is_stopping():
                return
            failed = 1 if time.monotonic() - began > SETTLED_S else failed + 1
            if failed >= MAX_IMMEDIATE_EXITS:
                raise QueueError(
                    f"the worker ended {failed} times in a row, lastly with exit code {code}",
                    "Run `annotate doctor`; `annotate --debug worker` shows what Celery says.",
                )
            pause = min(2.0**failed, LONGEST_PAUSE_S)
            say(f"The worker ended with exit code {code}; it starts again in {pause:.0f} s.")
            self._wait(pause)
            if self._is_stopping():
                return

    def _once(self) -> int:
        own = {WORKER_VARIABLE: self.name, **self._plan.variables}
        environ = {**os.environ, **self._settings.to_environ(), **own}
        # In its own process group: Ctrl-C reaches only the supervisor, which passes it on once.
        self._child = subprocess.Popen(
            self._plan.command(self.name), env=environ, start_new_session=True
        )
        idle_since = time.monotonic()
        while self._child.poll() is None:
            time.sleep(POLL_S)
            if not self._is_idle():
                idle_since = time.monotonic()
            idle = time.monotonic() - idle_since > IDLE_S
            if not self._stops and (idle or self._has_done_enough()):
                self.stop()
        return self._child.returncode

    def _is_idle(self) -> bool:
        return self._plan.stop_when_idle and self._board.is_idle(self.name, all_lists())

    def _has_done_enough(self) -> bool:
        most = self._plan.max_jobs
        return most is not None and self._board.attempts.finished_by(self.name) >= most

    def _is_stopping(self) -> bool:
        return self._stops > 0

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stops and time.monotonic() < until:
            time.sleep(0.1)
