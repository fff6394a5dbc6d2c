"""Makes the tracks file of one video from all its parts."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.domain.errors import DamagedError, StoreError
from annotate.domain.merge_settings import MergeSettings, TrackerSettings
from annotate.domain.poses import PartOutline, Poses
from annotate.domain.skeleton import SKELETONS
from annotate.domain.video import (
    Chunk,
    DamagedRange,
    ProviderRange,
    VideoIndex,
    damaged_ranges,
)
from annotate.domain.work import WorkUnit
from annotate.merge.merge import merge
from annotate.numeric.ranges import runs_of
from annotate.numeric.selection import selected_frames
from annotate.store import Store
from annotate.store.damage import damaged
from annotate.store.results import tracks_name

logger = logging.getLogger(__name__)


def merge_video(store: Store, unit: WorkUnit) -> bool:
    """Makes the tracks of a video; not where they are in the store, a chunk is neither done nor
    failed, or every chunk failed.

    The file lists the frames of failed chunks as missing, those that cannot be decoded as damaged,
    and what ran the models. A damaged part is set aside: no tracks are made then, and its chunk has
    to be done again.

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
        outlines = {chunk: results.part_outline(chunk) for chunk in present}
        facts = _facts(index, frames, outlines, absent)
        results.write_tracks(job.merge_digest, blocks, len(skeleton.landmarks), facts, axes)
    except DamagedError as error:
        # Without its part the chunk is not done, so that it is processed again, and merged then.
        aside = store.files.set_aside(error.key)
        logger.warning("%s  It is kept as %s, and made again.", error.message, aside)
        return False
    return True


def _facts(
    index: VideoIndex,
    frames: IntArray,
    outlines: Mapping[Chunk, PartOutline],
    absent: Sequence[Chunk],
) -> dict[str, Any]:
    """What the tracks file says beside the tracks; `frames` are those that the job annotates."""
    return {
        "missing": [[chunk.start, chunk.stop] for chunk in absent],
        "damaged": [asdict(one) for one in _damaged(index, frames, outlines)],
        "providers": [asdict(one) for one in _providers(frames, outlines)],
        "time_base": str(index.time_base),
        "start_s": index.start_s,
        "container_start_s": index.container_start_s,
    }


def _providers(frames: IntArray, outlines: Mapping[Chunk, PartOutline]) -> list[ProviderRange]:
    """What ran the models for which frames, the same however the video is cut."""
    masks: dict[str, NDArray[np.bool_]] = {}
    for chunk, outline in outlines.items():
        mask = masks.setdefault(outline.provider, np.zeros(len(frames), np.bool_))
        mask[chunk.start : chunk.stop] = True
    found = [
        ProviderRange(int(frames[start]), int(frames[stop - 1]) + 1, provider, stop - start)
        for provider, mask in masks.items()
        for start, stop in runs_of(mask)
    ]
    return sorted(found, key=lambda one: one.start)


def _damaged(
    index: VideoIndex, frames: IntArray, outlines: Mapping[Chunk, PartOutline]
) -> list[DamagedRange]:
    """The damaged ranges of the video, the same however it is cut; as the parts have them: notes of
    frames may be lost.
    """
    codes = np.zeros(len(frames), np.int8)
    for outline in outlines.values():
        codes[np.searchsorted(frames, outline.frames)] = outline.damage
    return damaged_ranges(frames, index.pts[frames], codes)
