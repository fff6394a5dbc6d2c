"""Rows of a tracks file: the poses of a video with their tracks, raw and smoothed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray


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
        filled: (P,) bool: he was not detected here, or not believably; the smoother filled it in.
        raw: (P, L, 5) float32 as in `Poses.landmarks`; NaN where filled.
        smoothed: (P, L, 5) float32: the same, smoothed over time.
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

    def __len__(self) -> int:
        return len(self.frame_index)
