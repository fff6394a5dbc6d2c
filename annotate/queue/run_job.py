"""Runs a job to its end, with this machine's processes or with the workers of a queue.

The board is imported where there is a queue: its client takes a tenth of a short job's start.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from annotate.domain.errors import QueueError, StoreError
from annotate.domain.job import Job
from annotate.domain.settings import Settings
from annotate.queue.app import make_app
from annotate.queue.claims import claimed
from annotate.queue.dispatch import reconcile
from annotate.queue.embedded import embedded_worker
from annotate.queue.heartbeats import is_of_this_host
from annotate.queue.job_status import JobStatus
from annotate.queue.job_watch import JobWatch
from annotate.queue.lost_notes import set_notes_aside
from annotate.queue.messages import Queue
from annotate.queue.pace import pause_s
from annotate.queue.patience import with_patience
from annotate.store import Store

if TYPE_CHECKING:
    from annotate.queue.board import Board
    from annotate.queue.early_process import EarlyProcess

# Seconds between two looks at the store, at least and at most: where this machine works, and where
# others do.
POLL_S, LONGEST_POLL_S = 0.25, 5.0
FOLLOW_S, LONGEST_FOLLOW_S = 1.0, 30.0
# Seconds between two reconciliations of all jobs.
RECONCILE_S, LONGEST_RECONCILE_S = 10.0, 60.0

Report = Callable[[JobStatus], None]

logger = logging.getLogger(__name__)


def run_job(
    store: Store,
    job: Job,
    settings: Settings,
    processes: int,
    report: Report,
    early: "EarlyProcess | None" = None,
) -> JobStatus:
    """Sees a job through: with worker processes of this machine, or by the workers of the queue.

    Args:
        processes: how many worker processes, where there is no queue.
        report: called again and again with the job's status.
        early: the first of those processes, if it was started before.

    Returns:
        The status once the job is finished or cancelled.

    Raises:
        AnnotateError: what keeps every chunk from being done, e.g. a full disk.
        QueueError: the queue's server does not answer.
    """
    if settings.embedded:
        return work_here(store, job, settings, processes, report, early)
    hand_over(store, job, settings)
    return follow(store, job, settings, report)


def work_here(
    store: Store,
    job: Job,
    settings: Settings,
    processes: int,
    report: Report,
    early: "EarlyProcess | None" = None,
) -> JobStatus:
    """Does the whole job with worker processes of this machine, until it is done or cancelled;
    returns its final status.

    Args:
        processes: how many at most; fewer where there are fewer chunks.
        report: called a few times a second with the present status.
        early: the first process, if it was started before.

    Raises:
        BusyJobError: another command without a queue works on the job.
        AnnotateError: what keeps every chunk from being done, e.g. a full disk.
    """
    store.uncancel_job(job.id)
    watch = JobWatch(store, job)
    status = watch.look()
    if set_notes_aside(store, status):
        status = watch.look_at_all()
    report(status)
    units = sum(1 for _ in status.pending())
    if not units:
        return status
    # The worker's processes read their settings from their environment, as on any other host.
    os.environ.update(settings.to_environ())
    sent: set[str] = set()
    look_s = 0.0
    with (
        claimed(store, job) as renew,
        _heartbeats_removed(store, job),
        embedded_worker(min(processes, units), early) as (sender, errors),
    ):
        while True:
            began = time.monotonic()
            pending = list(status.pending())
            if not pending:
                # What was deleted or damaged meanwhile is done again.
                status = watch.look_at_all()
                pending = list(status.pending())
            if not pending or store.is_cancelled(job.id):
                return status
            sent &= {unit.key for unit in pending}  # a part may turn out to be damaged
            for unit in pending:
                if unit.key not in sent:
                    sent.add(unit.key)
                    sender.send(unit)
            took_s = time.monotonic() - began + look_s
            sender.wait(pause_s(took_s, POLL_S, LONGEST_POLL_S))
            with_patience(renew, settings)
            errors.check()
            began = time.monotonic()
            status = with_patience(watch.look, settings)
            report(status)
            look_s = time.monotonic() - began


@contextmanager
def _heartbeats_removed(store: Store, job: Job) -> Iterator[None]:
    """Removes what the processes of this command wrote last: a process that is killed cannot."""
    try:
        yield
    finally:
        with suppress(StoreError):
            for beat in store.heartbeats():
                if beat.job == job.id and is_of_this_host(beat.worker):
                    store.delete_heartbeat(beat.worker)


def check_queue(store: Store, settings: Settings) -> None:
    """Asks the queue's server, if there is one, for an answer.

    Raises:
        QueueError: it does not answer, or refuses.
    """
    if not settings.embedded:
        from annotate.queue.board import open_board, queue_errors

        with queue_errors(settings.broker):
            open_board(settings.broker, store.id()).introduce(store.id(), str(store.files))


def opened_queue(store: Store, settings: Settings) -> tuple["Board", Queue]:
    """The board and the queue of a store."""
    from annotate.queue.board import open_board

    store_id = store.id()
    return open_board(settings.broker, store_id), Queue(make_app(settings.broker, store_id))


def hand_over(store: Store, job: Job, settings: Settings) -> None:
    """Gives the job to the workers of the queue.

    Raises:
        QueueError: the queue's server does not answer.
    """
    from annotate.queue.board import queue_errors

    board, queue = opened_queue(store, settings)
    store.uncancel_job(job.id)
    with queue_errors(settings.broker):
        board.jobs.add(job.id)
        reconcile(board, queue, store, job)


def follow(store: Store, job: Job, settings: Settings, report: Report) -> JobStatus:
    """Watches the workers of the queue until they have nothing left to do for the job, or it is
    cancelled; returns its final status.

    Args:
        report: called every second with the present status.
    """
    from annotate.queue.board import queue_errors

    board, queue = opened_queue(store, settings)
    reconciled, watch = time.monotonic(), JobWatch(store, job)
    told: set[str] = set()
    while True:
        began = time.monotonic()
        status = watch.look(board.reports.heartbeats())
        report(status)
        _tell_refusals(board, job, told)
        if status.stopped:
            status = watch.look_at_all(board.reports.heartbeats())
        if status.stopped or store.is_cancelled(job.id):
            return status
        # Workers reconcile too; here it helps where every worker has ended.
        if began - reconciled >= RECONCILE_S and board.mutexes.acquire("reconcile", RECONCILE_S):
            with suppress(QueueError), queue_errors(settings.broker):
                reconcile(board, queue, store, job)
            reconciled = time.monotonic()
        time.sleep(pause_s(time.monotonic() - began, FOLLOW_S, LONGEST_FOLLOW_S))


def _tell_refusals(board: "Board", job: Job, told: set[str]) -> None:
    """Logs, once, why workers take nothing of a job; `told` are those that were named before."""
    for row in board.reports.refusals(job.id):
        if row["worker"] not in told:
            told.add(row["worker"])
            logger.warning("%s takes nothing of this job: %s", row["worker"], row["reason"])
