"""Checks that the job a message names is the one that was submitted, for this version."""

from annotate.domain.errors import UnknownWorkError, UsageError, VersionError
from annotate.domain.job import Job
from annotate.store import Store


def checked_job(store: Store, job_id: str, digest: str) -> Job:
    """The manifest of a job, if it has the digest that the message gives.

    Raises:
        UnknownWorkError: there is no such job, or its manifest was changed.
        StoreError: the store cannot be read.
    """
    try:
        job = store.read_job(job_id)
    except UsageError as error:
        raise UnknownWorkError(error.message, "It was deleted, or is in another store.") from None
    if job.digest != digest:
        raise UnknownWorkError(
            f"the manifest of job {job_id} is not the one that was submitted",
            "It was changed; submit the videos again.",
        )
    return job


def check_version(wanted: str, own: str, job: Job) -> None:
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
