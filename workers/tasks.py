"""The Celery tasks: a few lines each around a use case.

The use cases are imported where they run. The worker's parent process knows the tasks but runs
none, and has to start fast; most processes begin with chunks, not with a merge.
"""

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from billiard.einfo import ExceptionWithTraceback
from billiard.exceptions import WorkerLostError
from celery import Task, signals
from celery.worker.request import Request

from annotate.domain.errors import (
    AnnotateError,
    CancelledJobError,
    OtherProviderError,
    ProviderError,
    UnknownWorkError,
)
from annotate.domain.job import MERGE_DIGEST, PIPELINE_DIGEST, Job
from annotate.domain.settings import settings_from
from annotate.domain.work import WorkUnit
from annotate.queue.app import ATTEMPTS, CHUNK_TASK, MERGE_TASK, task_error
from annotate.queue.failures import DeathCause, record_dead_worker, recorded_failure
from annotate.queue.manifest_check import check_version
from annotate.queue.messages import Queue
from annotate.queue.metrics import Outcome, worker_counts
from annotate.queue.patience import with_patience
from annotate.store import Store
from workers.application import app
from workers.host import (
    bounded,
    estimator_of,
    forget_models,
    planned_chunk,
    this_board,
    this_job,
    this_limits,
    this_store,
    this_worker,
)
from workers.log import log_chunk
from workers.memory_limit import EXIT_CODE as TOO_MUCH_MEMORY
from workers.time_limit import CHUNK_LIMIT_S, EXIT_CODE, MERGE_LIMIT_S, ExtendingBeats

if TYPE_CHECKING:
    from annotate.queue.board import Board

# Seconds that a worker waits after trouble that is not the unit's fault.
REST_S = 10.0

logger = logging.getLogger(__name__)


class ReportingRequest(Request):
    """Tells the worker's parent process about a task that raised, or whose process died."""

    def on_failure(self, exc_info: Any, *args: Any, **options: Any) -> Any:
        """Called by Celery in the parent process."""
        error = exc_info.exception
        if isinstance(error, ExceptionWithTraceback):
            error = error.exc
        if not isinstance(error, WorkerLostError):
            task_error.send(sender=self.task, error=error)
        elif (board := this_board()) and (unit := _unit_of(self.args)):
            process_died(board, unit, error)
        return super().on_failure(exc_info, *args, **options)


class ReportingTask(Task):
    """Base of the tasks: Celery runs a task again, a few times, when its process dies."""

    Request = ReportingRequest
    # What they raise was logged; Celery adds a line, and not its own traceback.
    throws = (AnnotateError,)
    max_retries = ATTEMPTS - 1
    default_retry_delay = 0


@app.task(name=CHUNK_TASK, base=ReportingTask)
def chunk_task(job_id: str, digest: str, fingerprint: str, start: int, stop: int) -> None:
    """Makes the part of a chunk, and sends more units of the job if its messages are used up."""
    _patiently(partial(_make_part, job_id, digest, fingerprint, (start, stop)))


def _make_part(job_id: str, digest: str, fingerprint: str, bounds: tuple[int, int]) -> None:
    from annotate.use_cases.run_chunk import run_chunk

    store, board = this_store(), this_board()
    with _unknown_work_dropped(board):
        job = this_job(store, job_id, digest)
        video = job.video(fingerprint)
        unit = WorkUnit(job, video, planned_chunk(store, job, video, bounds))

        def work() -> bool:
            check_version(job.recipe.pipeline, PIPELINE_DIGEST, job)
            beats = ExtendingBeats(store if board is None else board.reports, this_limits())
            estimator = partial(estimator_of, store, job.recipe)
            began = time.monotonic()
            try:
                with bounded(CHUNK_LIMIT_S):
                    figures = run_chunk(store, unit, settings_from(), estimator, beats)
            except OtherProviderError as error:
                if board is not None:
                    board.reports.write_refusal(this_worker(), job.id, error.message)
                raise
            except ProviderError:
                forget_models()
                raise
            if figures is not None:
                if board is not None:  # else there is no `annotate worker` that serves the counts
                    worker_counts().add(figures)
                log_chunk(unit, figures, time.monotonic() - began)
            return figures is not None

        if _do(store, board, unit, work) and board is not None:
            _go_on(board, store, job)


def _go_on(board: "Board", store: Store, job: Job) -> None:
    """Sends more units of the job. If this fails, the next reconciliation does it."""
    from annotate.queue.board import queue_errors
    from annotate.queue.dispatch import go_on

    with suppress(AnnotateError), queue_errors(settings_from().broker):
        go_on(board, Queue(app), store, job)


@app.task(name=MERGE_TASK, base=ReportingTask)
def merge_task(job_id: str, digest: str, fingerprint: str) -> None:
    """Makes the tracks of a video whose chunks are all done or failed."""
    _patiently(partial(_make_tracks, job_id, digest, fingerprint))


def _make_tracks(job_id: str, digest: str, fingerprint: str) -> None:
    from annotate.use_cases.merge_video import merge_video

    store, board = this_store(), this_board()
    with _unknown_work_dropped(board):
        job = this_job(store, job_id, digest)
        unit = WorkUnit(job, job.video(fingerprint), None)

        def work() -> bool:
            check_version(job.merge, MERGE_DIGEST, job)
            with bounded(MERGE_LIMIT_S):
                return merge_video(store, unit)

        _do(store, board, unit, work)


def _patiently(work: Callable[[], None]) -> None:
    """Does the work. Without a queue nothing sends it again, so trouble is waited for here. With
    one, a host that cannot work, because its share is missing, say, rests after each message, so
    that it does not take one after the other from the hosts that can.
    """
    if this_board() is None:
        with_patience(work, settings_from())
        return
    try:
        work()
    except AnnotateError as error:
        logger.warning("rests for %.0f s: %s", REST_S, error.message)
        time.sleep(REST_S)
        raise


@contextmanager
def _unknown_work_dropped(board: "Board | None") -> Iterator[None]:
    """Drops and counts a message for work that no job has. Without a queue's server no one else
    sends messages: it is an error then.
    """
    try:
        yield
    except UnknownWorkError as error:
        if board is None:
            raise
        logger.warning("a message was dropped: %s", error.message)
        board.reports.count_dropped()


def _do(store: Store, board: "Board | None", unit: WorkUnit, work: Callable[[], bool]) -> bool:
    """Does the work of a unit, and records why it failed; whether this worker ended it.

    It does not where the job was cancelled, where another worker holds the unit's lease, and where
    the unit has failed: a message may come twice, and late.

    Args:
        work: returns whether there was anything to do.
    """
    if store.is_cancelled(unit.job.id):
        return False
    if board is None:
        with recorded_failure(store, unit):
            work()
        return True
    with board.leases.hold(unit, this_worker()) as acquired:
        return acquired and _attempt(store, board, unit, work)


def _attempt(store: Store, board: "Board", unit: WorkUnit, work: Callable[[], bool]) -> bool:
    """Counts an attempt at a unit and does its work; not where it has failed, or there were too
    many attempts. What another attempt has made is not counted again.
    """
    if store.results(unit.job.recipe, unit.video).has_failure(unit.name):
        board.attempts.forget(unit)
        return False
    attempts = board.attempts.begin(unit)
    if attempts > ATTEMPTS:
        _give_up(board, unit, DeathCause("it was killed or lost each time"))
        return False
    if attempts > 1:
        worker_counts().count(unit, "retried")
    outcome: Outcome | None = "failed"
    try:
        with recorded_failure(store, unit):
            try:
                outcome = "done" if work() else None
            except CancelledJobError:
                outcome = None
    except AnnotateError:
        # The store, the models or the provider are in trouble, which says nothing about the unit:
        # it is sent again, and this attempt does not count.
        board.attempts.reset(unit)
        worker_counts().count(unit, "retried")
        raise
    if outcome is None:
        board.attempts.forget(unit)
    else:
        worker_counts().count(unit, outcome)
        board.attempts.finish(unit, this_worker())
    return True


@signals.task_failure.connect
def record_lost_worker(exception: BaseException | None = None, args: Any = (), **_: object) -> None:
    """Records the failure of a unit whose process died at every attempt.

    Celery sends the signal in the parent process, once its own attempts are used up. A task that
    raises has recorded its failure itself.
    """
    if isinstance(exception, WorkerLostError) and (unit := _unit_of(args)):
        _give_up(this_board(), unit, _cause(exception))


def process_died(board: "Board", unit: WorkUnit, error: WorkerLostError) -> None:
    """Gives back the lease of a process that died in the unit, so that the next attempt need not
    wait until it expires; after the last attempt the failure is recorded first, so that none
    begins.
    """
    if board.attempts.of(unit) >= ATTEMPTS:
        _give_up(board, unit, _cause(error))
    board.leases.release(unit, this_worker())


def _give_up(board: "Board | None", unit: WorkUnit, cause: DeathCause) -> None:
    """Records, once, that every process that began the unit died, and forgets its attempts."""
    store = this_store()
    if store.results(unit.job.recipe, unit.video).has_failure(unit.name):
        return
    record_dead_worker(store, unit, cause)
    if board is not None:
        worker_counts().count(unit, "failed")
        board.attempts.finish(unit, this_worker())


def _cause(error: WorkerLostError) -> DeathCause:
    """Why a process died."""
    code = re.search(r"exitcode (\d+)", str(error))
    if code and int(code[1]) == TOO_MUCH_MEMORY:
        return DeathCause(
            f"over {settings_from().limits.memory_gb:g} GB of memory",
            "`memory_gb` in ANNOTATE_LIMITS of the workers allows more; `annotate retry` then "
            "tries it again.",
        )
    if code and int(code[1]) == EXIT_CODE:
        minutes = CHUNK_LIMIT_S / 60
        return DeathCause(f"no progress for {minutes:.0f} minutes, or it ended itself")
    return DeathCause(str(error))


def _unit_of(message: Any) -> WorkUnit | None:
    """The unit that a message was sent for; None where the job was deleted since."""
    with suppress(AnnotateError):
        job = this_job(this_store(), *message[:2])
        return WorkUnit.from_message(job, message)
    return None
