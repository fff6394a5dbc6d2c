"""Lets failed work units of a job be tried again."""

from annotate.domain.job import Job
from annotate.store import Store


def forget_failures(store: Store, job: Job, *, lasting: bool = True) -> int:
    """Deletes failures of a job's videos, and all tracks that were made without those frames.

    Failures belong to the recipe: tracks of other jobs with the same recipe go too, else these jobs
    would count as done without the frames.

    Args:
        lasting: delete those too that the same bytes of a video would cause again.

    Returns:
        How many failures there were.
    """
    forgotten = 0
    for video in {video.fingerprint: video for video in job.videos}.values():
        results = store.results(job.recipe, video)
        failures = [one for one in results.failures().values() if lasting or not one.lasting]
        if failures:
            # Tracks first: a kill in between then leaves a failure that can be retried.
            for merge in results.merges():
                results.delete_tracks(merge)
        for failure in failures:
            results.delete_failure(failure.unit)
            forgotten += 1
    return forgotten
