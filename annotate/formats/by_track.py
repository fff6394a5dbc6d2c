"""The poses of a video track by track, for formats that are written so."""

from collections.abc import Iterator
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.formats.base import DatasetVideo, PoseBlock

# Poses that are held in memory at a time; a longer track is held whole.
_HELD_POSES = 100_000


def poses_by_track(video: DatasetVideo) -> Iterator[PoseBlock]:
    """One block for each track that has poses, in the order of ids.

    The video's poses are read as often as it takes to hold few tracks at a time.
    """
    for tracks in _batches(video):
        blocks = [_rows(b, np.isin(b.video_track, tracks)) for b in video.poses()]
        blocks = [block for block in blocks if len(block)]
        if not blocks:
            continue
        held = PoseBlock(
            **{
                one.name: np.concatenate([getattr(b, one.name) for b in blocks])
                for one in fields(PoseBlock)
            }
        )
        for track in tracks.tolist():
            found = held.video_track == track
            if found.any():
                yield _rows(held, found)


def _batches(video: DatasetVideo) -> Iterator[IntArray]:
    """Ids of tracks that are held together."""
    batch = np.cumsum(video.tracks.poses) // _HELD_POSES
    for number in np.unique(batch):
        yield video.tracks.track_id[batch == number]


def _rows(block: PoseBlock, rows: NDArray[np.bool_]) -> PoseBlock:
    return PoseBlock(**{one.name: getattr(block, one.name)[rows] for one in fields(PoseBlock)})
