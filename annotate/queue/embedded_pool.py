"""The processes of an embedded worker, which end at once and whatever they are at.

billiard's own end sends messages to the processes, and waits until each of its threads has slept
out, up to a second each. A process that was killed amid a message keeps the lock of the queue: the
end would wait for ever.
"""

import os
import signal
import threading
from contextlib import suppress
from typing import Any

from billiard.pool import CLOSE, RUN, TERMINATE, Pool, TaskHandler
from celery.concurrency.prefork import TaskPool

from annotate.queue.early_process import EarlyProcess, PoolContext

# Seconds that a process gets to end before it is killed.
END_S = 5.0


class _TaskHandler(TaskHandler):
    def tell_others(self) -> None:
        """Called by billiard when no task comes any more: they are told otherwise."""


class _Pool(Pool):
    TaskHandler = _TaskHandler

    def __init__(self, *args: Any, **options: Any) -> None:
        # Held while dead processes are replaced.
        self._replacing = threading.Lock()
        super().__init__(*args, **options)

    def _maintain_pool(self) -> None:
        """Called by billiard's supervisor again and again. A pool that ends replaces none."""
        with self._replacing:
            if self._state == RUN:
                super()._maintain_pool()

    def close(self) -> None:
        """Called by Celery before `terminate`."""
        self._state = CLOSE

    def terminate(self) -> None:
        """Ends the processes. The threads end by themselves within a second."""
        with self._replacing:
            self._state = TERMINATE
        # What it would do at the end of this process.
        self._terminate.cancel()
        for thread in (self._worker_handler, self._timeout_handler, self._task_handler):
            if thread is not None:
                thread.terminate()
        self._taskqueue.put(None)
        try:
            self._end_processes()
        finally:
            # A process that has tidied up says so, and sleeps a second unless this thread ends it.
            self._result_handler.terminate()

    def _end_processes(self) -> None:
        for process in self._pool:
            process.terminate()
        for process in self._pool:
            process.join(END_S)
            if process.exitcode is None:
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
                process.join()


class EmbeddedPool(TaskPool):
    """Celery's pool of processes, for `embedded_worker`.

    Attributes:
        context: how billiard starts the processes.
    """

    BlockingPool = _Pool
    context: Any = None

    def on_start(self) -> None:
        """Called by Celery."""
        self.options["context"] = self.context
        super().on_start()


def pool_with(early: EarlyProcess | None) -> type[EmbeddedPool]:
    """The pool whose first process is `early`. Celery makes its pool itself, from a class."""

    class WithEarly(EmbeddedPool):
        context = PoolContext(early)

    return WithEarly
