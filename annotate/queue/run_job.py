"""Seeing a job through, on this machine or on others: send what is missing, until nothing is."""

import os
import time
from collections.abc import Callable
from contextlib import suppress

from annotate.domain.errors import QueueError
from annotate.domain.job import Job
from annotate.domain.settings import Settings
from annotate.queue.app import Queue, embedded_worker, make_app
from annotate.queue.board import open_board, queue_errors
from annotate.queue.dispatch import reconcile
from annotate.queue.job_status import JobStatus, job_status
from annotate.store import Store

POLL_S = 0.25
FOLLOW_S = 1.0
RECONCILE_S = 10.0

Report = Callable[[JobStatus], None]


def work_here(
    store: Store, job: Job, settings: Settings, processes: int, report: Report
) -> JobStatus:
    """Does the whole job with worker processes of this machine and gives its final status.

    Args:
        report: called a few times a second with how far it is.

    Raises:
        AnnotateError: what keeps every chunk from being done, e.g. a full disk.
    """
    status = job_status(store, job)
    report(status)
    if not any(status.pending()):
        return status
    # The worker's processes read their settings from their environment, as on any other host.
    os.environ.update(settings.to_environ())
    sent: set[str] = set()
    with embedded_worker(processes) as (queue, troubles):
        while True:
            waiting = list(status.pending())
            if not waiting:
                return status
            for unit in waiting:
                if unit.key not in sent:
                    sent.add(unit.key)
                    queue.send(unit)
            time.sleep(POLL_S)
            troubles.check()
            status = job_status(store, job)
            report(status)


def hand_over(store: Store, job: Job, settings: Settings) -> None:
    """Gives the job to the workers of the queue.

    Raises:
        QueueError: the queue's server does not answer.
    """
    board, queue = open_board(settings.broker), Queue(make_app(settings.broker))
    store.uncancel_job(job.id)
    with queue_errors(settings.broker):
        board.add_job(job.id)
        reconcile(board, queue, store, job)


def follow(store: Store, job: Job, settings: Settings, report: Report) -> JobStatus:
    """Watches the workers of the queue until the job is finished or cancelled.

    Args:
        report: called every second with how far it is.
    """
    board, queue = open_board(settings.broker), Queue(make_app(settings.broker))
    reconciled = time.monotonic()
    while True:
        status = job_status(store, job, board.heartbeats())
        report(status)
        if status.stopped or store.is_cancelled(job.id):
            return status
        began = time.monotonic()
        # The workers do the same; here it helps where none is left that could.
        if began - reconciled >= RECONCILE_S and board.turn("reconcile", RECONCILE_S):
            with suppress(QueueError), queue_errors(settings.broker):
                reconcile(board, queue, store, job)
            reconciled = time.monotonic()
        time.sleep(max(FOLLOW_S, 5 * (time.monotonic() - began)))
