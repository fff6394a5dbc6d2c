"""Rows of a tracks file: the poses of a video with their tracks, raw and smoothed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.columns import Shape, check_shapes, concatenated, taken

_COLUMNS: dict[str, Shape] = {
    "frame_index": ("P",),
    "pts": ("P",),
    "time_s": ("P",),
    "track_id": ("P",),
    "score": ("P",),
    "bbox": ("P", 4),
    "filled": ("P",),
    "raw": ("P", "L", 5),
    "smoothed": ("P", "L", 5),
    "raw_world": ("P", "L", "D"),
    "smoothed_world": ("P", "L", "D"),
}


@dataclass(frozen=True, eq=False)
class Tracks:
    """Rows of a tracks file: one row per pose, ordered by frame, then track_id.

    Attributes:
        frame_index: (P,) int64.
        pts: (P,) int64, in the stream's time base.
        time_s: (P,) float64, seconds from the stream's first frame.
        track_id: (P,) int64, from 1, numbered by (first frame, x) of the track.
        score: (P,) float32 in [0, 1]: flag times mean visibility; 0 where filled.
        bbox: (P, 4) float32: x, y, width, height in pixels, of the smoothed landmarks.
        filled: (P,) bool: the person was not detected here, or the pose was rejected as another
            person's; the smoother filled it in.
        raw: (P, L, 5) float32 as in `Poses.landmarks`; NaN where filled.
        smoothed: (P, L, 5) float32: the same, smoothed over time.
        raw_world: (P, L, D) float32 as `Poses.world`; NaN where filled. D is 3, or 0 where the
            model gives none.
        smoothed_world: (P, L, D) float32: the same, smoothed over time.

    Raises:
        ValueError: a column does not have its shape.
    """

    frame_index: IntArray
    pts: IntArray
    time_s: NDArray[np.float64]
    track_id: IntArray
    score: FloatArray
    bbox: FloatArray
    filled: NDArray[np.bool_]
    raw: FloatArray
    smoothed: FloatArray
    raw_world: FloatArray
    smoothed_world: FloatArray

    def __post_init__(self) -> None:
        check_shapes(self, _COLUMNS)

    def __len__(self) -> int:
        return len(self.frame_index)

    def take(self, rows: IntArray | NDArray[np.bool_]) -> "Tracks":
        """Some of the rows: (n,) int64 places, or (P,) bool."""
        return Tracks(**taken(self, [*_COLUMNS], rows))

    @classmethod
    def none(cls, landmarks: int, axes: int) -> "Tracks":
        """No row, of so many landmarks L and axes D."""
        pixels = np.empty((0, landmarks, 5), np.float32)
        metres = np.empty((0, landmarks, axes), np.float32)
        count = np.empty(0, np.int64)
        return cls(
            frame_index=count,
            pts=count,
            time_s=np.empty(0),
            track_id=count,
            score=np.empty(0, np.float32),
            bbox=np.empty((0, 4), np.float32),
            filled=np.empty(0, np.bool_),
            raw=pixels,
            smoothed=pixels,
            raw_world=metres,
            smoothed_world=metres,
        )

    @classmethod
    def concat(cls, blocks: Sequence["Tracks"]) -> "Tracks":
        """The rows of one or more blocks, in the order of the blocks."""
        return cls(**concatenated(blocks, [*_COLUMNS]))
