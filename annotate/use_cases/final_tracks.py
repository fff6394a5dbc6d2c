"""The one door through which exports, drawings, reports and the API read the tracks of a video."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.domain.edits import active
from annotate.domain.job import Job, JobVideo
from annotate.domain.merge_settings import MergeSettings
from annotate.domain.outline import Outline
from annotate.domain.skeleton import SKELETONS, Skeleton
from annotate.domain.track_list import NO_TRACKS, TrackList
from annotate.domain.tracks import Tracks
from annotate.domain.video import DamagedRange, ProviderRange, VideoIndex
from annotate.edits import Basis, Edited, edited
from annotate.merge.pose_table import boxes
from annotate.numeric.selection import selected_frames
from annotate.store import Store


def final_tracks(
    store: Store,
    job: Job,
    video: JobVideo,
    *,
    with_edits: bool = True,
    raw: bool = True,
    world: bool = True,
) -> Iterator[Tracks]:
    """The tracks of a video of a job as users should see them, block by block.

    Blocks come in the order of frames, and memory holds one at a time. What reviewers edited is
    applied here, so that every reader sees the same.

    Args:
        with_edits: without them, the tracks are those of the models alone.
        raw, world: without them the raw landmarks, or the world landmarks, need not be read: they
            may be NaN, or none.

    Raises:
        StoreError: the video has no tracks in the store, or they cannot be read.
    """
    results, merge = store.results(job.recipe, video), job.merge_digest
    edits = edited_tracks(store, job, video) if with_edits else None
    if edits is None:
        return results.read_tracks(merge, raw=raw, world=world)
    return edits.blocks(results.read_tracks(merge))


def track_list(store: Store, job: Job, video: JobVideo, *, with_edits: bool = True) -> TrackList:
    """The tracks that `final_tracks` has poses of, a row a track; none where there are none.

    Raises:
        StoreError: the video's tracks cannot be read.
    """
    results = store.results(job.recipe, video)
    if not results.has_tracks(job.merge_digest):
        return NO_TRACKS
    edits = edited_tracks(store, job, video) if with_edits else None
    return results.read_track_list(job.merge_digest) if edits is None else edits.outline.track_list


def edited_tracks(store: Store, job: Job, video: JobVideo) -> Edited | None:
    """What the edits of a video make of its tracks; None where none counts.

    Raises:
        StoreError: the video has no tracks in the store, or something cannot be read.
    """
    edits = store.results(job.recipe, video).edits.read()
    if not active(edits) or not store.results(job.recipe, video).has_tracks(job.merge_digest):
        return None
    outline, basis = tracks_basis(store, job, video)
    return edited(outline, edits, basis)


def tracks_basis(store: Store, job: Job, video: JobVideo) -> tuple[Outline, Basis]:
    """All poses of a video before any edit, and what edits of them are applied with.

    Raises:
        StoreError: the video has no tracks in the store, or something cannot be read.
    """
    # Parquet is loaded where tracks are read.
    from annotate.store import tables

    with store.results(job.recipe, video).open_tracks(job.merge_digest) as (name, file):
        outline, axes = tables.read_outline(file)
    return outline, basis_of(store, job, video, axes, name)


def basis_of(store: Store, job: Job, video: JobVideo, axes: int, name: str) -> Basis:
    """What edits are applied with, to tracks of that name.

    Args:
        axes: of the world landmarks of the tracks.

    Raises:
        StoreError: something cannot be read.
    """
    pack = store.read_pack(job.recipe.pack)
    return Basis(
        index=store.read_index(video.fingerprint, job.recipe.selection),
        skeleton=SKELETONS[pack.skeleton],
        axes=axes,
        tracks=f"{job.recipe.digest}/{name}",
        boxes=lambda landmarks: boxes(landmarks, MergeSettings().pose),
    )


def missing_frames(store: Store, job: Job, video: JobVideo) -> IntArray:
    """(M,) int64, increasing: source indices of the frames that were not processed.

    A frame of the job that has no pose in `final_tracks` and is not one of these has no people.

    Raises:
        StoreError: the video has no index in the store, or what is read is damaged.
    """
    index = store.read_index(video.fingerprint, job.recipe.selection)
    frames = selected_frames(index, job.recipe.selection)
    return frames[missing_mask(store, job, index, len(frames))]


def missing_mask(store: Store, job: Job, index: VideoIndex, count: int) -> NDArray[np.bool_]:
    """(N,) bool: which of the `count` frames that the job annotates were not processed."""
    results = store.results(job.recipe, index)
    if not results.has_tracks(job.merge_digest):
        return np.ones(count, np.bool_)
    missing = np.zeros(count, np.bool_)
    for chunk in results.missing_chunks(job.merge_digest):
        missing[chunk.start : chunk.stop] = True
    return missing


def damaged_frames(store: Store, job: Job, video: JobVideo) -> tuple[DamagedRange, ...]:
    """Ranges of the frames that cannot be decoded; none where the video has no tracks."""
    results = store.results(job.recipe, video)
    if not results.has_tracks(job.merge_digest):
        return ()
    return results.damaged_frames(job.merge_digest)


def providers(store: Store, job: Job, video: JobVideo) -> tuple[ProviderRange, ...]:
    """What ran the models for which frames; empty where the video has no tracks."""
    results = store.results(job.recipe, video)
    if not results.has_tracks(job.merge_digest):
        return ()
    return results.providers(job.merge_digest)


def tracks_skeleton(store: Store, job: Job) -> Skeleton:
    """The skeleton that the landmarks of a job's tracks belong to.

    Raises:
        PackError: the store lacks the job's model pack, or it is damaged.
    """
    return SKELETONS[store.read_pack(job.recipe.pack).skeleton]
