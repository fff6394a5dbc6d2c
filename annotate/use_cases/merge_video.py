"""Makes the tracks file of one video from all its parts."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np

from annotate.domain.arrays import IntArray
from annotate.domain.errors import DamagedError, StoreError
from annotate.domain.merge_settings import MergeSettings, TrackerSettings
from annotate.domain.poses import Poses
from annotate.domain.skeleton import SKELETONS
from annotate.domain.video import Chunk, DamagedRange, VideoIndex, damaged_ranges
from annotate.domain.work import WorkUnit
from annotate.merge.merge import merge
from annotate.numeric.selection import selected_frames
from annotate.store import Store
from annotate.store.damage import damaged
from annotate.store.results import VideoResults, tracks_name

logger = logging.getLogger(__name__)


def merge_video(store: Store, unit: WorkUnit) -> bool:
    """Makes the tracks of a video; not where they are in the store, a chunk is neither done nor
    failed, or every chunk failed.

    The file lists the frames of failed chunks as missing, and those that cannot be decoded as
    damaged. A damaged part is set aside: no tracks
    are made then, and its chunk has to be done again.

    Returns:
        Whether it made them.

    Raises:
        StoreError: the video is not planned, or the store cannot be read or written.
    """
    job, video = unit.job, unit.video
    results = store.results(job.recipe, video)
    chunks = results.read_chunks()
    if chunks is None:
        raise StoreError(
            f"{video.name} is not planned: the store does not know its chunks",
            "Run the same `annotate submit` again: it plans the video and goes on.",
        )
    done, failed = results.parts(), set(results.failures())
    present = [chunk for chunk in chunks if chunk.name in done]
    absent = [chunk for chunk in chunks if chunk.name not in done]
    ready = present and all(chunk.name in failed for chunk in absent)
    made = {job.merge_digest, tracks_name(job.merge_digest, absent)} & set(results.merges())
    if not ready or made:
        return False
    index = store.read_index(video.fingerprint, job.recipe.selection)
    if chunks[-1].stop != len(selected_frames(index, job.recipe.selection)):
        store.files.set_aside(results.chunks_key)
        raise damaged(results.chunks_key, "its chunks are not those of the video")
    pack = store.read_pack(job.recipe.pack)
    skeleton = SKELETONS[pack.skeleton]

    def parts() -> Iterator[Poses]:
        for chunk in present:
            yield results.read_part(chunk)

    tracker = TrackerSettings(min_start_score=pack.landmark.min_start_score)
    settings = MergeSettings(smooth_hz=job.smooth_hz, tracker=tracker)
    blocks = merge(parts(), settings, skeleton, (index.width, index.height))
    frames = selected_frames(index, job.recipe.selection)
    axes = pack.landmark.world_axes
    try:
        facts = {
            "missing": [[chunk.start, chunk.stop] for chunk in absent],
            "damaged": [asdict(one) for one in _damaged(results, index, frames, present)],
            "time_base": str(index.time_base),
            "start_s": index.start_s,
            "container_start_s": index.container_start_s,
        }
        results.write_tracks(job.merge_digest, blocks, len(skeleton.landmarks), facts, axes)
    except DamagedError as error:
        # Without its part the chunk is not done, so that it is processed again, and merged then.
        aside = store.files.set_aside(error.key)
        logger.warning("%s  It is kept as %s, and made again.", error.message, aside)
        return False
    return True


def _damaged(
    results: VideoResults, index: VideoIndex, frames: IntArray, present: Sequence[Chunk]
) -> list[DamagedRange]:
    """The damaged ranges of the video, the same however it is cut; as the parts have them: notes of
    frames may be lost.
    """
    codes = np.zeros(len(frames), np.int8)
    for chunk in present:
        numbers, damage = results.part_damage(chunk)
        codes[np.searchsorted(frames, numbers)] = damage
    return damaged_ranges(frames, index.pts[frames], codes)
