"""What chunks and merges share: the manifest they trust, and how they are given up."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from annotate.domain.errors import (
    AnnotateError,
    CancelledJobError,
    PackError,
    ProviderError,
    StoreError,
    VersionError,
)
from annotate.domain.job import Failure, Job
from annotate.domain.video import Chunk
from annotate.store import Store

MERGE_UNIT = "merge"

# Of a video's fingerprint and of bounds: the chunk, or None where it was not cut so.
Planned = Callable[[str, tuple[int, int]], Chunk | None]


def unit_key(job: Job, fingerprint: str, chunk: Chunk | None) -> str:
    """A name of the unit that all jobs of the same recipe share."""
    unit = f"{MERGE_UNIT}-{job.merge_digest}" if chunk is None else chunk.name
    return f"{job.recipe.digest}:{fingerprint}:{unit}"


def unit_of(key: str) -> tuple[str, Chunk | None]:
    """Inverse of `unit_key`: a fingerprint, and the chunk or None for the merge."""
    _, fingerprint, unit = key.split(":")
    if unit.startswith(MERGE_UNIT):
        return fingerprint, None
    start, stop = unit.split("-")
    return fingerprint, Chunk(int(start), int(stop))


def checked_job(store: Store, job_id: str, digest: str) -> Job:
    """The manifest of a job, if it is the one that the task was sent for.

    Raises:
        StoreError: it is another one.
    """
    job = store.read_job(job_id)
    if job.digest != digest:
        raise StoreError(
            f"the manifest of job {job_id} is not the one that was submitted",
            "Somebody changed it; submit the videos again.",
        )
    return job


def checked_chunk(job: Job, fingerprint: str, bounds: tuple[int, int], planned: Planned) -> Chunk:
    """The chunk that a message asks for, if the job is made of it.

    Args:
        bounds: start and stop.
        planned: finds a chunk of a video.

    Raises:
        StoreError: the job has no such video, or it was not cut there.
    """
    video = job.video(fingerprint)
    known = all(isinstance(bound, int) for bound in bounds)
    chunk = planned(video.fingerprint, bounds) if known else None
    if chunk is None:
        raise StoreError(
            f"job {job.id} has no chunk {bounds!r} of {video.name}",
            "The message was tampered with; what is missing is sent again.",
        )
    return chunk


def check_version(asked: int, own: int, job: Job) -> None:
    """Compares the version of the code that a job asks for, `Recipe.pipeline` for its chunks or
    `Job.merge` for its merges, with this host's: what another one makes is not what others expect.

    Raises:
        VersionError: they differ.
    """
    if asked != own:
        raise VersionError(
            f"job {job.id} was submitted by another version of annotate, whose answers differ",
            "Install the same version on all hosts, or submit the videos again.",
        )


@contextmanager
def recorded_failure(store: Store, job: Job, fingerprint: str, unit: str) -> Iterator[None]:
    """Gives a unit up when the block raises: the same input would raise again.

    Trouble with the store, the models, the provider or the program's version is passed on: it says
    nothing of the unit.
    """
    try:
        yield
    except (StoreError, PackError, ProviderError, VersionError, CancelledJobError):
        raise
    except AnnotateError as error:
        failure = Failure(unit, error.message, attempts=1)
    # A defect in our own code or a library's must not stop the job either.
    except Exception as error:  # noqa: BLE001
        reason = f"unexpected {type(error).__name__}: {error}"
        failure = Failure(unit, reason, attempts=1, traceback=traceback.format_exc())
    else:
        return
    store.write_failure(job.recipe.digest, fingerprint, failure)
