"""The tasks: a few lines each around a use case.

The use cases are imported where they are run: the worker's parent process, which must be there
soon, knows the tasks but runs none, and most processes begin with chunks, not with a merge.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from billiard.einfo import ExceptionWithTraceback
from billiard.exceptions import WorkerLostError
from celery import Task, signals
from celery.worker.request import Request

from annotate.domain.errors import AnnotateError, CancelledJobError
from annotate.domain.job import MERGE_VERSION, PIPELINE_VERSION, Failure, Job
from annotate.domain.settings import settings_from
from annotate.domain.video import Chunk
from annotate.queue.app import ATTEMPTS, CHUNK_TASK, MERGE_TASK, Queue, task_trouble
from annotate.queue.board import queue_errors
from annotate.queue.dispatch import go_on
from annotate.queue.work_units import (
    MERGE_UNIT,
    check_version,
    checked_chunk,
    checked_job,
    recorded_failure,
    unit_key,
)
from annotate.store import Store
from workers.application import app
from workers.host import estimator_of, planned_chunk, this_board, this_store, this_worker

REST_S = 10.0


class ReportingRequest(Request):
    """Tells the worker's parent process of a task that raised, or whose process died."""

    def on_failure(self, exc_info: Any, *args: Any, **options: Any) -> Any:
        """Called by Celery in the parent process."""
        error = exc_info.exception
        if isinstance(error, ExceptionWithTraceback):
            error = error.exc
        if not isinstance(error, WorkerLostError):
            task_trouble.send(sender=self.task, error=error)
        elif board := this_board():
            # The dead process held the lease: the next attempt need not wait for its end.
            job_id, digest, fingerprint, *bounds = self.args
            job = checked_job(this_store(), job_id, digest)
            board.release(unit_key(job, fingerprint, _chunk(bounds)), this_worker())
        return super().on_failure(exc_info, *args, **options)


class ReportingTask(Task):
    """Base of the tasks: a process may die in one a few times, then it is given up."""

    Request = ReportingRequest
    max_retries = ATTEMPTS - 1
    default_retry_delay = 0


@app.task(name=CHUNK_TASK, base=ReportingTask)
def chunk_task(job_id: str, digest: str, fingerprint: str, start: int, stop: int) -> None:
    """Makes the part of a chunk, and asks for what comes next if it was the last one sent."""
    from annotate.use_cases.run_chunk import run_chunk

    store = this_store()
    job = checked_job(store, job_id, digest)
    planned = partial(planned_chunk, store, job.recipe.digest)
    chunk = checked_chunk(job, fingerprint, (start, stop), planned)
    with _rest_after_trouble(), _in_hand(store, job, fingerprint, chunk) as mine:
        if mine:
            check_version(job.recipe.pipeline, PIPELINE_VERSION, job)
            run_chunk(
                store,
                job,
                fingerprint,
                chunk,
                settings_from(),
                lambda: estimator_of(store, job.recipe),
                this_board() or store,
            )
    board = this_board()
    if mine and board is not None:
        # If this fails, the next reconciliation does it.
        with suppress(AnnotateError), queue_errors(settings_from().broker):
            go_on(board, Queue(app), store, job)


@app.task(name=MERGE_TASK, base=ReportingTask)
def merge_task(job_id: str, digest: str, fingerprint: str) -> None:
    """Makes the tracks of a video whose parts are all there."""
    from annotate.use_cases.merge_video import merge_video

    store = this_store()
    job = checked_job(store, job_id, digest)
    job.video(fingerprint)  # raises where the job has no such video
    with _rest_after_trouble(), _in_hand(store, job, fingerprint, None) as mine:
        if mine:
            check_version(job.merge, MERGE_VERSION, job)
            merge_video(store, job, fingerprint)


@contextmanager
def _rest_after_trouble() -> Iterator[None]:
    """A host that cannot work, for want of its share, say, must not take one chunk after the other
    from those that can.
    """
    try:
        yield
    except AnnotateError:
        if this_board() is not None:
            time.sleep(REST_S)
        raise


@contextmanager
def _in_hand(store: Store, job: Job, fingerprint: str, chunk: Chunk | None) -> Iterator[bool]:
    """Whether the unit is ours to do; what goes wrong with it in the block is recorded.

    Somebody else's unit is left alone: should he not bring it to an end, it is sent again.
    """
    if store.is_cancelled(job.id):
        yield False
        return
    unit, board = unit_key(job, fingerprint, chunk), this_board()
    name = MERGE_UNIT if chunk is None else chunk.name
    if board is None:
        with recorded_failure(store, job, fingerprint, name):
            yield True
        return
    with board.lease(unit, this_worker()) as mine:
        if not mine:
            yield False
            return
        if board.begin(job.id, unit) > ATTEMPTS:
            _give_up(store, job, fingerprint, name, "its worker was killed or lost each time")
            board.end(job.id, unit, this_worker())
            yield False
            return
        try:
            with recorded_failure(store, job, fingerprint, name):
                yield True
        except CancelledJobError:
            board.end(job.id, unit, this_worker())
        except AnnotateError:
            # The store or the provider is in trouble, which says nothing of the unit. It counts as
            # begun, and so is sent again, but never as often as to be given up.
            board.begin_afresh(job.id, unit)
            raise
        else:
            board.end(job.id, unit, this_worker())


@signals.task_failure.connect
def record_lost_worker(exception: BaseException | None = None, args: Any = (), **_: object) -> None:
    """Gives a unit up whose process died at every attempt.

    Celery sends the signal in the parent process, once its own attempts are used up. A task that
    raises has recorded its failure itself.
    """
    if not isinstance(exception, WorkerLostError):
        return
    job_id, digest, fingerprint, *bounds = args
    store = this_store()
    job, chunk = checked_job(store, job_id, digest), _chunk(bounds)
    if board := this_board():
        board.end(job.id, unit_key(job, fingerprint, chunk), this_worker())
    _give_up(store, job, fingerprint, chunk.name if chunk else MERGE_UNIT, str(exception))


def _give_up(store: Store, job: Job, fingerprint: str, unit: str, why: str) -> None:
    reason = f"the worker process died {ATTEMPTS} times in it ({why})"
    store.write_failure(job.recipe.digest, fingerprint, Failure(unit, reason, ATTEMPTS))


def _chunk(bounds: list[int]) -> Chunk | None:
    return Chunk(*bounds) if bounds else None
