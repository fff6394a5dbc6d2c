"""The tasks: a few lines each around a use case."""

from typing import Any

from billiard.einfo import ExceptionWithTraceback
from billiard.exceptions import WorkerLostError
from celery import Task, signals
from celery.worker.request import Request

from annotate.broker import ATTEMPTS, CHUNK_TASK, MERGE_TASK, task_trouble
from annotate.domain import Chunk
from annotate.job import Failure
from annotate.settings import settings_from
from annotate.use_cases.merge import merge_video
from annotate.use_cases.run_chunk import run_chunk
from annotate.use_cases.unit import MERGE_UNIT, checked_job, recorded_failure
from workers.application import app
from workers.host import estimator_of, this_store


class ReportingRequest(Request):
    """Tells the worker's parent process of a task that raised."""

    def on_failure(self, exc_info: Any, *args: Any, **options: Any) -> Any:
        """Called by Celery in the parent process."""
        error = exc_info.exception
        if isinstance(error, ExceptionWithTraceback):
            error = error.exc
        if not isinstance(error, WorkerLostError):
            task_trouble.send(sender=self.task, error=error)
        return super().on_failure(exc_info, *args, **options)


class ReportingTask(Task):
    """Base of the tasks: a process may die in one a few times, then it is given up."""

    Request = ReportingRequest
    max_retries = ATTEMPTS - 1
    default_retry_delay = 0


@app.task(name=CHUNK_TASK, base=ReportingTask)
def chunk_task(job_id: str, digest: str, fingerprint: str, start: int, stop: int) -> None:
    """Makes the part of a chunk."""
    store = this_store()
    job = checked_job(store, job_id, digest)
    chunk = Chunk(start, stop)
    with recorded_failure(store, job, fingerprint, chunk.name):
        run_chunk(
            store,
            job,
            fingerprint,
            chunk,
            settings_from(),
            lambda: estimator_of(store, job.recipe),
        )


@app.task(name=MERGE_TASK, base=ReportingTask)
def merge_task(job_id: str, digest: str, fingerprint: str) -> None:
    """Makes the tracks of a video whose parts are all there."""
    store = this_store()
    job = checked_job(store, job_id, digest)
    with recorded_failure(store, job, fingerprint, MERGE_UNIT):
        merge_video(store, job, fingerprint)


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
    job = checked_job(store, job_id, digest)
    unit = Chunk(*bounds).name if bounds else MERGE_UNIT
    reason = f"the worker process died {ATTEMPTS} times in it ({exception})"
    store.write_failure(job.recipe.digest, fingerprint, Failure(unit, reason, ATTEMPTS))
