"""Videos with known tracks, for the tests of edits and of the review page: no model runs."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from annotate.domain.changes import Change, TrackRef
from annotate.domain.edits import Edit
from annotate.domain.job import HERE, Job, JobVideo, Recipe
from annotate.domain.merge_settings import MergeSettings
from annotate.domain.options import Selection
from annotate.domain.pack import read_pack
from annotate.domain.tracks import Tracks
from annotate.domain.video import Chunk, VideoIndex
from annotate.edits import Basis
from annotate.merge.merge import merge
from annotate.merge.pose_table import boxes
from annotate.numeric.selection import ALL_FRAMES, selected_frames
from annotate.store import Store
from annotate.video import probe
from tests.made_poses import made_index
from tests.made_tracks import SIZE, SKELETON, hidden, merged, poses_of, steady, walker

# Which tracks the tests edit, as `Edit.tracks` says it.
TRACKS = "recipe/merge"
TICKS = 3000


def basis(frames: int = 120, tracks: str = TRACKS) -> Basis:
    """What edits of made tracks are applied with."""
    index = replace(
        made_index(frames),
        width=SIZE[0],
        height=SIZE[1],
        time_base=Fraction(1, 90_000),
        pts=np.arange(frames, dtype=np.int64) * TICKS,
    )
    pose = MergeSettings().pose
    return Basis(index, SKELETON, 0, tracks, lambda landmarks: boxes(landmarks, pose))


def three_people(frames: int = 120) -> Tracks:
    """Three people who walk at 30 frames a second, tracks 1 to 3; the second is away a while."""
    time_s = steady(frames / 30, 30)
    people = [
        walker(time_s, (300, 700), y=350),
        hidden(walker(time_s, (900, 1100), y=500), (frames // 3, 2 * frames // 3)),
        walker(time_s, (1500, 1300), y=420),
    ]
    return merged([poses_of(people, time_s)])


def ref(tracks: Tracks, track: int, frame: int) -> TrackRef:
    """How an edit names the pose of a track in a frame."""
    row = np.flatnonzero((tracks.track_id == track) & (tracks.frame_index == frame))[0]
    x, y, width, height = tracks.bbox[row].tolist()
    return TrackRef(track, frame, int(tracks.pts[row]), (x, y, width, height))


def edit(number: int, change: Change, author: str = "ann", tracks: str = TRACKS) -> Edit:
    return Edit(number, author, "2026-01-02T03:04:05Z", tracks, change)


def write_job(
    store: Store,
    pack: Path,
    videos: list[Path],
    people: Callable[[VideoIndex], Tracks],
    selection: Selection = ALL_FRAMES,
    facts: dict[str, Any] | None = None,
) -> Job:
    """A job of videos with tracks, in the store, as if it had been annotated.

    Args:
        facts: of all tracks: which frames are missing, and damaged.
    """
    digest = read_pack(pack).digest
    store.add_pack(pack, digest)
    indexes = [probe(video) for video in videos]
    named = tuple(
        JobVideo(path.name, index.fingerprint, HERE, str(path))
        for path, index in zip(videos, indexes, strict=True)
    )
    recipe = Recipe("blazepose-full", digest, selection=selection)
    job = Job("20260102-030405-abcdef", recipe, 6.0, named)
    for video, index in zip(job.videos, indexes, strict=True):
        store.write_index(index)
        results = store.results(job.recipe, video)
        results.write_chunks([Chunk(0, len(index))])
        tracks = people(index)
        frames = selected_frames(index, selection)
        tracks = tracks.take(np.isin(tracks.frame_index, frames))
        axes = tracks.raw_world.shape[2]
        blocks = [tracks] if len(tracks) else []  # as a merge does
        results.write_tracks(job.merge_digest, blocks, 33, {"missing": [], **(facts or {})}, axes)
    store.write_job(job)
    return job


def people_of(index: VideoIndex) -> Tracks:
    """Two people in every frame of a video, tracks 1 and 2, who walk towards the right."""
    time_s = index.time_s
    scale, middle = index.height / SIZE[1], 0.5 * index.height
    walkers = [
        walker(time_s, (a * index.width, b * index.width), y=middle, height=600 * scale)
        for a, b in ((0.25, 0.4), (0.6, 0.75))
    ]
    poses = replace(poses_of(walkers, time_s), pts=index.pts)
    blocks = merge([poses], MergeSettings(), SKELETON, (index.width, index.height))
    return Tracks.concat([*blocks])
