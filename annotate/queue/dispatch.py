"""Sends the work units of a job to the workers, and sends again what was lost on the way.

The queue may lose messages, but the store knows what is missing. So this is done again and again:
by `submit` while it waits, by a worker that finished a chunk, by one worker every few seconds. A
job has few messages in the queue at a time; when they are used up, the next ones are sent.
"""

import logging
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from annotate.domain.errors import DamagedError, ManifestError
from annotate.domain.job import Job
from annotate.domain.work import WorkUnit
from annotate.queue.job_status import JobStatus, job_status
from annotate.queue.lost_notes import set_notes_aside
from annotate.queue.messages import Queue, chunk_lists, merge_list
from annotate.store import Store

if TYPE_CHECKING:
    from annotate.queue.board import Board

# The most messages that a job has in the queue.
WINDOW = 1000
# Seconds for which one process alone sends the work units of a job, unless it is done earlier.
SENDING_S = 5.0

logger = logging.getLogger(__name__)


def reconcile(board: "Board", queue: Queue, store: Store, job: Job) -> JobStatus | None:
    """Sends the missing work units of a job that no worker holds and no message waits for.

    The queue does not tell which unit a waiting message is for. As long as messages of the job
    wait, only those units are sent again that were begun, but neither finished nor kept alive:
    their worker died.

    Returns:
        How far the job is, where that had to be looked up.

    Raises:
        redis.RedisError: the queue's server does not answer.
    """
    slot = board.jobs.slot(job.id)
    if slot is not None and _waiting(board, job, slot):
        for unit in _lost(board, job):
            if board.attempts.may_send_again(unit):
                queue.send(unit, slot)
        return None
    status = job_status(store, job)
    if set_notes_aside(store, status):
        status = job_status(store, job)
    units = list(islice(_free(board, status), WINDOW))
    mutex = f"send:{job.id}"
    if units and board.mutexes.acquire(mutex, SENDING_S):
        if slot is None:
            lengths = board.waiting(chunk_lists(job))
            slot = lengths.index(min(lengths))
            board.jobs.assign_slot(job.id, slot)
        for unit in units:
            queue.send(unit, slot)
        board.mutexes.release(mutex)
    return status


def go_on(board: "Board", queue: Queue, store: Store, job: Job) -> None:
    """`reconcile`, where the job's messages are used up.

    Raises:
        redis.RedisError: the queue's server does not answer.
    """
    slot = board.jobs.slot(job.id)
    if slot is None or not _waiting(board, job, slot):
        reconcile(board, queue, store, job)


def reconcile_all(board: "Board", queue: Queue, store: Store) -> None:
    """`reconcile` for every job that is under way.

    Jobs that cannot be read are left alone, so that they do not hold up the others.

    Raises:
        redis.RedisError: the queue's server does not answer.
    """
    known = store.job_ids()
    for job_id in known if board.jobs.is_new() else board.jobs.ids():
        # `annotate clean` may have deleted it.
        if job_id not in known or store.is_cancelled(job_id):
            board.forget_job(job_id)
            continue
        try:
            job = store.read_job(job_id)
            board.jobs.add(job_id)
            status = reconcile(board, queue, store, job)
        except ManifestError:
            # Workers of the version that wrote it reconcile it.
            continue
        except DamagedError as error:
            logger.warning("%s  %s", error.message, error.hint)
            continue
        if status is not None and status.finished:
            board.forget_job(job_id)


def _waiting(board: "Board", job: Job, slot: int) -> int:
    """How many messages wait in the job's chunk queue, at the job's priority."""
    return board.waiting([chunk_lists(job)[slot]])[0]


def _lost(board: "Board", job: Job) -> list[WorkUnit]:
    """Units of a job that were begun and not finished, and whose lease no worker holds."""
    begun = board.attempts.unfinished(job)
    held = board.leases.are_held(begun)
    return sorted((u for u, h in zip(begun, held, strict=True) if not h), key=lambda u: u.key)


def _free(board: "Board", status: JobStatus) -> Iterator[WorkUnit]:
    """Pending units whose lease no worker holds; merges only where no merge waits in the queue."""
    units = status.pending()
    merging = bool(board.waiting([merge_list()])[0])
    while some := list(islice(units, WINDOW)):
        for unit, held in zip(some, board.leases.are_held(some), strict=True):
            if not held and not (unit.chunk is None and merging):
                yield unit
