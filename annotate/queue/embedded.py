"""A Celery worker inside the command that submits: nothing needs to be installed or started."""

import queue
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from billiard import semaphore_tracker
from billiard.util import get_logger
from celery.app.utils import find_app

from annotate.domain.errors import CancelledJobError, WorkerError
from annotate.domain.work import WorkUnit
from annotate.end_signals import END_SIGNALS
from annotate.queue.app import WORKERS, task_ended, task_error
from annotate.queue.early_process import EarlyProcess
from annotate.queue.embedded_pool import pool_with
from annotate.queue.messages import Queue
from annotate.queue.startup_monitor import PoolStartupMonitor

# Seconds that the worker's thread gets to end after its processes were stopped.
END_S = 5.0


class WorkerErrors:
    """Collects the errors of an embedded worker and of its tasks."""

    def __init__(self, worker: Any, thread: threading.Thread) -> None:
        self._errors: queue.SimpleQueue[BaseException] = queue.SimpleQueue()
        self._startup = PoolStartupMonitor(worker)
        self._thread = thread

    def receive(self, error: BaseException, **_: object) -> None:
        """Receiver of `task_error`. A cancelled job is no error: the command sees it in the store,
        maybe later than a process does.
        """
        if not isinstance(error, CancelledJobError):
            self._errors.put(error)

    def check(self) -> None:
        """Raises the first error that has come, if one has."""
        if not self._errors.empty():
            raise self._errors.get()
        self._startup.check()
        if not self._thread.is_alive():
            raise WorkerError(
                "the worker of this command has ended", "Run the same command again: it continues."
            )


class Sender:
    """Sends units to an embedded worker, and knows when it has used up what was sent."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._left = 0
        self._changing = threading.Lock()
        self._idle = threading.Event()

    def send(self, unit: WorkUnit) -> None:
        """Sends the message of a unit."""
        with self._changing:
            self._left += 1
            self._idle.clear()
        self._queue.send(unit)

    def receive(self, **_: object) -> None:
        """Receiver of `task_ended`."""
        with self._changing:
            self._left -= 1
            if self._left <= 0:
                self._idle.set()

    def wait(self, seconds: float) -> bool:
        """Waits so long, or until the last message is used up: then there may be more to send.

        Returns:
            Whether that has happened since the last call.
        """
        happened = self._idle.wait(seconds)
        self._idle.clear()
        return happened


@contextmanager
def embedded_worker(
    processes: int, early: EarlyProcess | None = None
) -> Iterator[tuple[Sender, WorkerErrors]]:
    """A Celery worker with its own processes inside this one, and what feeds it.

    The worker is the same that `celery -A workers worker` starts; it takes its settings from the
    environment. Leaving the block ends its processes at once: their chunks are done again when the
    job goes on.

    Args:
        processes: how many.
        early: the first of them, if it was started before.
    """
    # By default billiard's logger does not propagate, and prints where it is not configured.
    get_logger().propagate = True
    _start_tracker()
    app = find_app(WORKERS)
    worker = app.WorkController(
        pool=pool_with(early),
        concurrency=processes,
        hostname="embedded@localhost",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    _declare_queues(app)
    leaving, ended = threading.Event(), threading.Event()

    def run() -> None:
        try:
            worker.start()
        finally:
            # The system kills a process when the thread ends that has started it.
            if leaving.is_set():
                ended.wait()

    thread = threading.Thread(target=run, name="embedded-worker", daemon=True)
    errors = WorkerErrors(worker, thread)
    task_error.connect(errors.receive)
    sender = Sender(Queue(app))
    task_ended.connect(sender.receive)
    thread.start()
    try:
        yield sender, errors
    finally:
        leaving.set()
        try:
            worker.terminate()
        finally:
            ended.set()
            thread.join(timeout=END_S)


def _start_tracker() -> None:
    """Starts the process that removes the semaphores of the worker's processes in the end, so that
    no signal ends it before: a terminal sends SIGHUP and Ctrl-C to all processes of the command.
    """
    if not hasattr(signal, "pthread_sigmask"):
        return  # Windows has no such process
    held = signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
    try:
        semaphore_tracker.ensure_running()  # it has this process's mask
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _declare_queues(app: Any) -> None:
    """Makes the queues before the worker's thread does.

    In kombu's memory two threads that make a queue at the same time may each make one: a message in
    the one that is replaced is lost, and nothing would send it again.
    """
    with app.connection_for_write() as connection:
        for one in app.amqp.queues.values():
            one.bind(connection.default_channel).declare()
