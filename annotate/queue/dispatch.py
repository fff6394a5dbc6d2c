"""Sends the work units of a job to the workers, and sends again what was lost on the way.

The queue may lose messages, but the store knows what is missing. So this is done again and again:
by `submit` while it waits, by a worker that finished a chunk, by one worker every few seconds. A
job has few messages in the queue at a time; when they are used up, the next ones are sent.
"""

import logging
from collections.abc import Iterator
from itertools import islice

from annotate.domain.errors import DamagedError, ManifestError
from annotate.domain.job import Job
from annotate.domain.work import WorkUnit
from annotate.queue.app import Queue, chunk_lists, merge_list
from annotate.queue.board import Board
from annotate.queue.job_status import JobStatus, job_status
from annotate.store import Store

# The most messages that a job has in the queue.
WINDOW = 1000
# Seconds for which one process alone sends the work units of a job, unless it is done earlier.
SENDING_S = 5.0

logger = logging.getLogger(__name__)


def reconcile(board: Board, queue: Queue, store: Store, job: Job) -> JobStatus | None:
    """Sends the missing work units of a job that no worker holds and no message waits for.

    The queue does not tell which unit a waiting message is for. As long as messages of the job
    wait, only those units are sent again that were begun, but neither finished nor kept alive:
    their worker died.

    Returns:
        How far the job is, where that had to be looked up.

    Raises:
        redis.RedisError: the queue's server does not answer.
    """
    slot = board.slot(job.id)
    if slot is not None and board.lengths([chunk_lists(job)[slot]])[0]:
        for unit in sorted(board.lost(job), key=lambda lost: lost.key):
            if board.may_send_again(unit):
                queue.send(unit, slot)
        return None
    status = job_status(store, job)
    units = list(islice(_free(board, status), WINDOW))
    if units and board.turn(f"send:{job.id}", SENDING_S):
        if slot is None:
            lengths = board.lengths(chunk_lists(job))
            slot = lengths.index(min(lengths))
            board.assign(job.id, slot)
        for unit in units:
            queue.send(unit, slot)
        board.end_turn(f"send:{job.id}")
    return status


def go_on(board: Board, queue: Queue, store: Store, job: Job) -> None:
    """`reconcile`, where the job's messages are used up.

    Raises:
        redis.RedisError: the queue's server does not answer.
    """
    slot = board.slot(job.id)
    if slot is None or not board.lengths([chunk_lists(job)[slot]])[0]:
        reconcile(board, queue, store, job)


def reconcile_all(board: Board, queue: Queue, store: Store) -> None:
    """`reconcile` for every job that is under way.

    Jobs that cannot be read are left alone, so that they do not hold up the others.

    Raises:
        redis.RedisError: the queue's server does not answer.
    """
    known = store.job_ids()
    for job_id in known if board.is_new() else board.jobs():
        # `annotate clean` may have deleted it.
        if job_id not in known or store.is_cancelled(job_id):
            board.remove_job(job_id)
            continue
        try:
            job = store.read_job(job_id)
            board.add_job(job_id)
            status = reconcile(board, queue, store, job)
        except ManifestError:
            # Workers of the version that wrote it reconcile it.
            continue
        except DamagedError as error:
            logger.warning("%s  %s", error.message, error.hint)
            continue
        if status is not None and status.finished:
            board.remove_job(job_id)


def _free(board: Board, status: JobStatus) -> Iterator[WorkUnit]:
    """Pending units that no worker holds; merges only where no merge waits in the queue."""
    units = status.pending()
    merging = bool(board.lengths([merge_list()])[0])
    while some := list(islice(units, WINDOW)):
        for unit, leased in zip(some, board.leased(some), strict=True):
            if not leased and not (unit.chunk is None and merging):
                yield unit
