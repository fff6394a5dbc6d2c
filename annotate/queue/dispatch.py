"""Sending the units of a job to the workers, and sending again what got lost on the way.

The queue may lose messages and the store knows what is missing, so this is done again and again, by
whoever has the time: `submit` while it waits, a worker that ended a chunk, one worker every few
seconds. A job has few messages in the queue at a time; when they are used up, the next are sent.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from annotate.domain.errors import ManifestError
from annotate.domain.job import Job
from annotate.domain.video import Chunk
from annotate.queue.app import Queue, chunk_lists, merge_list
from annotate.queue.board import Board
from annotate.queue.job_status import JobStatus, job_status
from annotate.queue.work_units import MERGE_UNIT, unit_key, unit_of
from annotate.store import Store

# How many messages a job has in the queue at most.
WINDOW = 1000
# Nobody else sends units of the job for so long.
SENDING_S = 5.0

# A fingerprint, and a chunk of that video or None for its merge.
Unit = tuple[str, Chunk | None]


def pending(status: JobStatus) -> Iterator[Unit]:
    """What can be done now: chunks without part or failure, merges whose chunks are all there."""
    for video in status.videos:
        fingerprint, missing = video.video.fingerprint, video.missing
        for chunk in missing:
            yield fingerprint, chunk
        if not missing and not video.merged and MERGE_UNIT not in video.failures:
            yield fingerprint, None


def send(queue: Queue, job: Job, unit: Unit, slot: int = 0) -> None:
    """Asks for a unit; chunks go to that one of their queues."""
    fingerprint, chunk = unit
    if chunk is None:
        queue.send_merge(job, fingerprint)
    else:
        queue.send_chunk(job, fingerprint, chunk, slot)


def reconcile(board: Board, queue: Queue, store: Store, job: Job) -> JobStatus | None:
    """Sends what is missing of a job, that nobody has in hand and no message waits for.

    Nothing in the queue tells which unit it is for. As long as messages of the job wait there, only
    units are sent again that were begun and neither ended nor kept alive: their worker died.

    Returns:
        How far the job is, where that had to be looked up.

    Raises:
        redis.RedisError: the queue's server does not answer.
    """
    slot = board.slot(job.id)
    if slot is not None and board.lengths([chunk_lists(job)[slot]])[0]:
        lost = sorted(key for key in board.lost(job.id) if board.may_send_again(key))
        _send_all(queue, job, map(unit_of, lost), slot)
        return None
    status = job_status(store, job)
    units = list(islice(_free(board, status), WINDOW))
    if units and board.turn(f"send:{job.id}", SENDING_S):
        if slot is None:
            lengths = board.lengths(chunk_lists(job))
            slot = lengths.index(min(lengths))
            board.assign(job.id, slot)
        _send_all(queue, job, units, slot)
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

    Raises:
        redis.RedisError: the queue's server does not answer.
    """
    for job_id in store.job_ids() if board.is_new() else board.jobs():
        if store.is_cancelled(job_id):
            board.remove_job(job_id)
            continue
        try:
            job = store.read_job(job_id)
        except ManifestError:
            # Workers of the version that wrote it see to it.
            continue
        board.add_job(job_id)
        status = reconcile(board, queue, store, job)
        if status is not None and status.finished:
            board.remove_job(job_id)


def _free(board: Board, status: JobStatus) -> Iterator[Unit]:
    """What can be done now and nobody has in hand; merges only where none wait already."""
    units = pending(status)
    merging = bool(board.lengths([merge_list()])[0])
    while some := list(islice(units, WINDOW)):
        held = board.leased([unit_key(status.job, *unit) for unit in some])
        for unit, taken in zip(some, held, strict=True):
            if not taken and not (unit[1] is None and merging):
                yield unit


def _send_all(queue: Queue, job: Job, units: Iterable[Unit], slot: int) -> None:
    for unit in units:
        send(queue, job, unit, slot)
