"""Makes damaged tracks again where they are read: the parts are there, and no model is needed."""

import logging
from collections.abc import Callable
from typing import TypeVar

from annotate.domain.errors import DamagedError
from annotate.domain.job import Job
from annotate.domain.work import WorkUnit
from annotate.store import Store

logger = logging.getLogger(__name__)

T = TypeVar("T")


def with_tracks_remade(store: Store, job: Job, action: Callable[[], T]) -> T:
    """The result of `action`. Where it finds damaged tracks, they are set aside and made again from
    the parts, and `action` begins afresh.

    Raises:
        DamagedError: something else is damaged, or the tracks cannot be made again here.
    """
    for _ in job.videos:
        try:
            return action()
        except DamagedError as error:
            if not _remade(store, job, error.key):
                raise
            logger.warning("%s  It was made again.", error.message)
    return action()


def _remade(store: Store, job: Job, key: str) -> bool:
    """Whether the tracks at `key` are a video's of the job, and could be made again."""
    from annotate.use_cases.merge_video import merge_video

    for video in job.videos:
        results = store.results(job.recipe, video)
        if key in results.tracks_keys(job.merge_digest):
            store.files.set_aside(key)
            merge_video(store, WorkUnit(job, video, None))
            return results.has_tracks(job.merge_digest)
    return False
