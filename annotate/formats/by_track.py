"""The poses of a video track by track, for formats that are written so."""

from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np

from annotate.domain.arrays import IntArray
from annotate.formats.base import DatasetVideo, PoseBlock

# Poses of tracks that are held in memory together. With 33 keypoints one takes about 2 kB.
_HELD_POSES = 50_000


def poses_by_track(video: DatasetVideo) -> Iterator[tuple[int, Iterable[PoseBlock]]]:
    """Each track that has poses, in the order of ids: its id in the video and its blocks.

    The video's poses are read as often as it takes to hold few tracks at a time; a longer track
    comes as it is read, so its blocks can be taken once, before the next track.
    """
    for tracks in _batches(video):
        if len(tracks) == 1:
            blocks = _blocks_of(video, tracks)
            first = next(blocks, None)
            if first is not None:
                yield int(tracks[0]), chain([first], blocks)
            continue
        held: dict[int, list[PoseBlock]] = {track: [] for track in tracks.tolist()}
        for block in _blocks_of(video, tracks):
            for track in np.unique(block.video_track).tolist():
                held[track].append(block.take(block.video_track == track))
        yield from ((track, found) for track, found in held.items() if found)


def _batches(video: DatasetVideo) -> Iterator[IntArray]:
    """Ids of tracks that are held together, or of one that is too long for it."""
    start, poses = 0, 0
    for row, count in enumerate(video.tracks.poses.tolist()):
        if row > start and poses + count > _HELD_POSES:
            yield video.tracks.track_id[start:row]
            start, poses = row, 0
        poses += count
    if start < len(video.tracks):
        yield video.tracks.track_id[start:]


def _blocks_of(video: DatasetVideo, tracks: IntArray) -> Iterator[PoseBlock]:
    """The rows of these tracks, without empty blocks."""
    for block in video.poses():
        rows = np.isin(block.video_track, tracks)
        if rows.any():
            yield block.take(rows)
