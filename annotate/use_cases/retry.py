"""Letting what failed be tried again."""

from annotate.domain.job import Job
from annotate.store import Store


def forget_failures(store: Store, job: Job) -> int:
    """Deletes the failures of a job's videos, and the tracks that were made without those frames.

    Returns:
        How many failures there were.
    """
    recipe = job.recipe.digest
    forgotten = 0
    for fingerprint in dict.fromkeys(video.fingerprint for video in job.videos):
        failures = store.failures(recipe, fingerprint)
        if failures:
            store.delete_tracks(recipe, fingerprint, job.merge_digest)
        for unit in failures:
            store.delete_failure(recipe, fingerprint, unit)
            forgotten += 1
    return forgotten
