"""What a worker's parent process does beside its tasks: reports the worker, and reconciles jobs."""

import logging
import os
import platform
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from celery import signals

from annotate import __version__
from annotate.domain.errors import AnnotateError, WorkerError
from annotate.domain.runs_on import CPU
from annotate.domain.settings import RUNS_ON_VARIABLE, WORKER_VARIABLE, settings_from
from annotate.queue.app import message_dropped
from annotate.queue.messages import Queue
from annotate.queue.pace import pause_s
from annotate.queue.run_job import LONGEST_RECONCILE_S, RECONCILE_S
from annotate.queue.startup_monitor import PoolStartupMonitor
from workers.application import app
from workers.host import this_board, this_store, this_worker

if TYPE_CHECKING:
    from annotate.queue.board import Board

# Seconds between two reports of a worker.
REPORT_S = 5.0

logger = logging.getLogger(__name__)


@signals.celeryd_after_setup.connect
def _name(**_: object) -> None:
    """Names the worker for its processes, unless the supervisor has."""
    os.environ.setdefault(WORKER_VARIABLE, f"{socket.gethostname()}-{os.getpid()}")


@message_dropped.connect
def _count(**_: object) -> None:
    board = this_board()
    if board is not None:
        board.reports.count_dropped()


@signals.worker_ready.connect
def _begin(sender: Any, **_: object) -> None:
    board = this_board()
    if board is not None:
        facts = {
            "worker": this_worker(),
            "host": socket.gethostname(),
            "machine": platform.machine(),
            "pid": os.getpid(),
            "processes": sender.controller.concurrency,
            "version": __version__,
            "runs_on": os.environ.get(RUNS_ON_VARIABLE, CPU),
        }
        threading.Thread(
            target=_duties, args=(board, facts, sender.controller), name="duties", daemon=True
        ).start()


def _duties(board: "Board", facts: dict[str, Any], controller: Any) -> None:
    from annotate.queue.board import queue_errors
    from annotate.queue.dispatch import reconcile_all

    startup = PoolStartupMonitor(controller)
    queue, broker = Queue(app), settings_from().broker
    due, parent = time.monotonic(), os.getppid()
    while True:
        if os.getppid() != parent:
            # The supervisor was killed, and with it what stops this worker.
            os.kill(os.getpid(), signal.SIGTERM)
            return
        try:
            startup.check()
            with queue_errors(broker):
                board.reports.write_worker(facts)
                began = time.monotonic()
                if began >= due and board.mutexes.acquire("reconcile", RECONCILE_S):
                    reconcile_all(board, queue, this_store())
                    took_s = time.monotonic() - began
                    due = time.monotonic() + pause_s(took_s, RECONCILE_S, LONGEST_RECONCILE_S)
        except WorkerError as error:
            logger.error("%s  %s", error.message, error.hint)  # noqa: TRY400 - no defect of ours
            # The supervisor starts another, and gives up when that does not help.
            os._exit(1)
        except AnnotateError as error:
            logger.warning("%s", error.message)
        time.sleep(REPORT_S)
