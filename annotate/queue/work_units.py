"""Checks before a work unit is done, and the failure that is recorded when it cannot be done."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from annotate.domain.errors import (
    AnnotateError,
    CancelledJobError,
    PackError,
    ProviderError,
    StoreError,
    VersionError,
)
from annotate.domain.job import Job
from annotate.domain.work import Failure, WorkUnit
from annotate.queue.app import ATTEMPTS
from annotate.store import Store


def checked_job(store: Store, job_id: str, digest: str) -> Job:
    """The manifest of a job, if it has the digest that the message gives.

    Raises:
        UsageError: there is no such job.
        StoreError: its manifest was changed.
    """
    job = store.read_job(job_id)
    if job.digest != digest:
        raise StoreError(
            f"the manifest of job {job_id} is not the one that was submitted",
            "It was changed; submit the videos again.",
        )
    return job


def check_version(wanted: int | str, own: int | str, job: Job) -> None:
    """Compares the version of the code that a job needs, `Recipe.pipeline` for its chunks or
    `Job.merge` for its merges, with the version on this host: another version gives other results.

    Raises:
        VersionError: they differ.
    """
    if wanted != own:
        raise VersionError(
            f"job {job.id} was submitted by another version of annotate, whose results differ",
            "Install the same version on all hosts, or submit the videos again.",
        )


@contextmanager
def recorded_failure(store: Store, unit: WorkUnit) -> Iterator[None]:
    """Records a failure of the unit when the block raises: the same input would raise again.

    Trouble with the store, the models, the provider or the program's version is passed on: it says
    nothing about the unit.
    """
    try:
        yield
    except (StoreError, PackError, ProviderError, VersionError, CancelledJobError):
        raise
    except AnnotateError as error:
        failure = Failure(unit.name, error.message, attempts=1)
    # A defect in our own code or in a library must not stop the job either.
    except Exception as error:  # noqa: BLE001
        reason = f"unexpected {type(error).__name__}: {error}"
        failure = Failure(unit.name, reason, attempts=1, traceback=traceback.format_exc())
    else:
        return
    store.results(unit.job.recipe, unit.video).write_failure(failure)


def record_dead_worker(store: Store, unit: WorkUnit, cause: str) -> None:
    """Records the failure of a unit whose worker process died at every attempt."""
    reason = f"the worker process died {ATTEMPTS} times in it ({cause})"
    failure = Failure(unit.name, reason, ATTEMPTS)
    store.results(unit.job.recipe, unit.video).write_failure(failure)
