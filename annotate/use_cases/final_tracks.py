"""The one door through which exports, drawings, reports and the API read the tracks of a video."""

from collections.abc import Iterator

from annotate.domain.job import Job, JobVideo
from annotate.domain.skeleton import SKELETONS, Skeleton
from annotate.domain.tracks import Tracks
from annotate.store import Store


def final_tracks(store: Store, job: Job, video: JobVideo) -> Iterator[Tracks]:
    """The tracks of a video of a job as users should see them, block by block.

    Blocks come in the order of frames, and memory holds one at a time. Whatever changes tracks
    after the merge is applied here, so that every reader sees the same.

    Raises:
        StoreError: the video has no tracks in the store, or they cannot be read.
    """
    return store.results(job.recipe, video).read_tracks(job.merge_digest)


def tracks_skeleton(store: Store, job: Job) -> Skeleton:
    """The skeleton that the landmarks of a job's tracks belong to.

    Raises:
        PackError: the store lacks the job's model pack, or it is damaged.
    """
    return SKELETONS[store.read_pack(job.recipe.pack).skeleton]
