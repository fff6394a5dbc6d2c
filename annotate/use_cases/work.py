"""Seeing a job through on this machine: send what is missing, until nothing is."""

import os
import time
from collections.abc import Callable, Iterator

from annotate.broker import Queue, embedded_worker
from annotate.domain import Chunk
from annotate.job import Job
from annotate.settings import Settings
from annotate.store import Store
from annotate.use_cases.status import JobStatus, job_status
from annotate.use_cases.unit import MERGE_UNIT

POLL_S = 0.25

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


def work_here(
    store: Store,
    job: Job,
    settings: Settings,
    processes: int,
    report: Callable[[JobStatus], None],
) -> JobStatus:
    """Does the whole job with worker processes of this machine and gives its final status.

    Args:
        report: called a few times a second with how far it is.

    Raises:
        AnnotateError: what keeps every chunk from being done, e.g. a full disk.
    """
    status = job_status(store, job)
    report(status)
    if not any(pending(status)):
        return status
    # The worker's processes read their settings from their environment, as on any other host.
    os.environ.update(settings.to_environ())
    sent: set[Unit] = set()
    with embedded_worker(processes) as (queue, troubles):
        while True:
            waiting = list(pending(status))
            if not waiting:
                return status
            for unit in waiting:
                if unit not in sent:
                    sent.add(unit)
                    _send(queue, job, *unit)
            time.sleep(POLL_S)
            troubles.check()
            status = job_status(store, job)
            report(status)


def _send(queue: Queue, job: Job, fingerprint: str, chunk: Chunk | None) -> None:
    if chunk is None:
        queue.send_merge(job, fingerprint)
    else:
        queue.send_chunk(job, fingerprint, chunk)
