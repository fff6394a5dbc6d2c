"""What `annotate status` shows of a job: what the store says, and the queue's server beside it."""

from dataclasses import dataclass
from typing import Any

from annotate.domain.errors import QueueError, StoreError
from annotate.domain.job import Job
from annotate.domain.settings import Settings
from annotate.domain.work import Heartbeat
from annotate.queue.job_status import JobStatus, is_alive, job_status
from annotate.queue.job_watch import JobWatch
from annotate.store import Store


@dataclass(frozen=True)
class QueueState:
    """What the queue's server says.

    Attributes:
        workers: facts that each connected worker reports.
        dropped: how many messages were dropped: malformed ones, and those for unknown work.
        refusals: `worker` and `reason`, of workers that take nothing of the job.
        error: why it does not answer, or empty.
    """

    workers: tuple[dict[str, Any], ...] = ()
    dropped: int = 0
    refusals: tuple[dict[str, Any], ...] = ()
    error: str = ""


@dataclass(frozen=True)
class JobSnapshot:
    """A job at one moment.

    Attributes:
        status: of its videos.
        cancelled: whether the job was cancelled.
        queue: None where this host uses no queue.
    """

    status: JobStatus
    cancelled: bool
    queue: QueueState | None


def take_snapshot(store: Store, job: Job, settings: Settings) -> JobSnapshot:
    """The job as it is now. A queue's server that does not answer is not an error.

    Raises:
        StoreError: the store cannot be read.
    """
    queue, beats = (None, []) if settings.embedded else _read_queue(store, settings.broker, job.id)
    return JobSnapshot(job_status(store, job, beats), store.is_cancelled(job.id), queue)


class SnapshotWatch:
    """The job again and again, without reading all of a large one each time; see `JobWatch`."""

    def __init__(self, store: Store, job: Job, settings: Settings) -> None:
        self._store, self._job, self._settings = store, job, settings
        self._watch = JobWatch(store, job)

    def look(self) -> JobSnapshot:
        """As `take_snapshot`; what is said of videos that no one works on may be some looks old,
        unless nothing is left to do.
        """
        queue, beats = None, list[Heartbeat]()
        if not self._settings.embedded:
            queue, beats = _read_queue(self._store, self._settings.broker, self._job.id)
        status = self._watch.look(beats)
        if status.stopped:
            status = self._watch.look_at_all(beats)
        return JobSnapshot(status, self._store.is_cancelled(self._job.id), queue)


def living_heartbeats(store: Store, settings: Settings) -> list[Heartbeat]:
    """Of all workers that process a chunk, of whatever job.

    Raises:
        StoreError: the store cannot be read.
    """
    beats = [beat for beat in store.heartbeats() if is_alive(beat)]
    return beats if settings.embedded else [*beats, *_read_queue(store, settings.broker, "")[1]]


def _read_queue(store: Store, broker: str, job_id: str) -> tuple[QueueState, list[Heartbeat]]:
    # Imported here: without a queue, `annotate status` starts without Redis.
    from annotate.queue.board import open_board, queue_errors

    try:
        board = open_board(broker, store.id())
        with queue_errors(broker):
            reports = board.reports
            refusals = tuple(reports.refusals(job_id))
            state = QueueState(tuple(reports.workers()), reports.dropped(), refusals)
            return state, reports.heartbeats()
    except (QueueError, StoreError) as error:
        return QueueState(error=error.message), []
