"""Tracks of the merge as the poses of a dataset."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.domain.skeleton import coco_visibility, keypoints_of
from annotate.domain.tracks import Tracks
from annotate.formats.base import PoseBlock


def pose_blocks(
    tracks: Iterable[Tracks],
    frames: IntArray,
    track_offset: int,
    places: Sequence[int | None],
    size: tuple[int, int],
) -> Iterator[PoseBlock]:
    """The poses of a video for a format.

    Args:
        tracks: blocks, ordered by frame, then track; all their frames are in `frames`.
        frames: (N,) int64, increasing: source indices of the frames of the dataset.
        track_offset: a track's id in the dataset less its id in the video.
        places: of the K keypoints among the landmarks, or None where the model lacks one.
        size: width and height of the picture in pixels.
    """
    for block in tracks:
        keypoints = keypoints_of(block.smoothed, places)
        xy = _rounded(keypoints[:, :, :2], 2)
        # From the rounded coordinates, so that they agree with v.
        keypoints[:, :, :2] = xy
        yield PoseBlock(
            place=np.searchsorted(frames, block.frame_index),
            track=block.track_id + track_offset,
            video_track=block.track_id,
            score=_rounded(block.score, 4),
            bbox=_rounded(block.bbox, 2),
            filled=block.filled,
            xy=xy,
            z=keypoints[:, :, 2],
            visibility=_rounded(keypoints[:, :, 3], 3),
            presence=_rounded(keypoints[:, :, 4], 3),
            v=coco_visibility(keypoints[:, :, [0, 1, 3, 4]], *size),
            world=_rounded(keypoints_of(block.smoothed_world, places), 4),
        )


def _rounded(values: NDArray[np.float32], decimals: int) -> NDArray[np.float64]:
    # Adding 0 turns -0.0 into 0.0.
    rounded = np.asarray(np.round(values.astype(np.float64), decimals), np.float64)
    return rounded + np.float64(0)
