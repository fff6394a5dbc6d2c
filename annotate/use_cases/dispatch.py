"""Sending the units of a job to the workers, and sending again what got lost on the way.

The queue may lose messages and the store knows what is missing, so this is done again and again,
by whoever has the time: `submit` while it waits, `status --watch`, and one worker at a time.
"""

from collections.abc import Iterator

from annotate.board import Board
from annotate.broker import Queue, lists_of
from annotate.domain import Chunk
from annotate.job import Job
from annotate.store import Store
from annotate.use_cases.status import JobStatus, job_status
from annotate.use_cases.unit import MERGE_UNIT, unit_key

# A fingerprint, and a chunk of that video or None for its merge.
Unit = tuple[str, Chunk | None]


def pending(status: JobStatus) -> Iterator[Unit]:
    """What can be done now: chunks without part or failure, merges whose chunks are all there."""
    for video in status.videos:
        fingerprint = video.video.fingerprint
        for chunk in video.missing:
            yield fingerprint, chunk
        if not video.missing and not video.merged and MERGE_UNIT not in video.failures:
            yield fingerprint, None


def send(queue: Queue, job: Job, unit: Unit) -> None:
    """Asks for a unit."""
    fingerprint, chunk = unit
    if chunk is None:
        queue.send_merge(job, fingerprint)
    else:
        queue.send_chunk(job, fingerprint, chunk)


def reconcile(board: Board, queue: Queue, status: JobStatus) -> int:
    """Sends what is missing of a job, that nobody has in hand and no message waits for.

    Nothing in the queue tells which unit it is for. As long as messages of the job may wait there,
    only units are sent again that were begun and neither ended nor kept alive: their worker died.

    Returns:
        How many units were sent.

    Raises:
        redis.RedisError: the queue's server does not answer.
    """
    job = status.job
    units = list(pending(status))
    keys = [unit_key(job, *unit) for unit in units]
    free = [
        (unit, key)
        for unit, key, held in zip(units, keys, board.leased(keys), strict=True)
        if not held
    ]
    if board.was_sent(job.id) and board.waiting(lists_of(job)):
        begun = board.begun([key for _, key in free])
        free = [one for one, was in zip(free, begun, strict=True) if was]
        free = [(unit, key) for unit, key in free if board.may_send_again(key)]
    for unit, _ in free:
        send(queue, job, unit)
    board.mark_sent(job.id)
    return len(free)


def reconcile_all(board: Board, queue: Queue, store: Store) -> None:
    """`reconcile` for every job that is under way.

    Raises:
        redis.RedisError: the queue's server does not answer.
    """
    jobs = store.job_ids() if board.is_new() else board.jobs()
    for job_id in jobs:
        job = store.read_job(job_id)
        status = job_status(store, job)
        if status.finished or store.is_cancelled(job_id):
            board.remove_job(job_id)
        else:
            board.add_job(job_id)
            reconcile(board, queue, status)
