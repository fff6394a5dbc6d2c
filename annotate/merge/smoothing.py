"""One track's poses in a window of time, smoothed, with short gaps filled."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.merge_settings import SmoothingSettings
from annotate.numeric.smoothing import outliers, whittaker

# Of a landmark: x, y, z in pixels, visibility and presence; x, y, z in metres follow, if any.
COLUMNS = 5
_XY, _VISIBILITY, _CONFIDENCES = slice(0, 2), 3, slice(3, COLUMNS)


@dataclass(frozen=True, eq=False)
class TrackPoses:
    """Poses of one track.

    Attributes:
        place: (n,) int64, increasing: of their frames in the window.
        raw: (n, L, 5 + D) float32: landmarks, then world landmarks, as the model gave them; NaN
            where filled.
        score: (n,) float32; 0 where filled.
        landmarks: (n, L, 5 + D) float32: the same with left and right as they should be, maybe
            smoothed.
    """

    place: IntArray
    raw: FloatArray
    score: FloatArray
    landmarks: FloatArray

    def take(self, rows: slice | NDArray[np.bool_]) -> "TrackPoses":
        """Some of the poses."""
        return TrackPoses(self.place[rows], self.raw[rows], self.score[rows], self.landmarks[rows])


def smoothed(
    poses: TrackPoses, frame_s: NDArray[np.float64], cutoff_hz: float, settings: SmoothingSettings
) -> list[TrackPoses]:
    """The track's poses, cut at long gaps, each stretch smoothed by itself with its gaps filled.

    Args:
        frame_s: (W,) float64 seconds of all frames of the window.
        cutoff_hz: frequency at which the smoother's response is one half.
    """
    count = len(poses.place)
    breaks = np.flatnonzero(np.diff(frame_s[poses.place]) > settings.max_gap_s) + 1
    return [
        _smoothed_stretch(poses.take(slice(start, stop)), frame_s, cutoff_hz, settings)
        for start, stop in pairwise([0, *breaks.tolist(), count] if count else [])
    ]


def _smoothed_stretch(
    poses: TrackPoses, frame_s: NDArray[np.float64], cutoff_hz: float, settings: SmoothingSettings
) -> TrackPoses:
    place = np.arange(poses.place[0], poses.place[-1] + 1)
    known = poses.place - poses.place[0]
    time_s = frame_s[place]
    # Step 1: fill gaps with straight lines, and weigh what was seen by its confidence.
    values = _filled(poses.landmarks.astype(np.float64), time_s[known], time_s)
    weights = np.zeros(values.shape[:2])
    long = _in_long_gaps(time_s, time_s[known], settings.straight_after_s)
    weights[long] = settings.straight_weight
    weights[known] = _weights(poses.landmarks, time_s[known], settings)
    # Step 2: smooth all of it.
    smooth = whittaker(values, weights, time_s, cutoff_hz, settings.max_cutoff_per_fps)
    landmarks = smooth.astype(np.float32)
    landmarks[:, :, _CONFIDENCES] = landmarks[:, :, _CONFIDENCES].clip(0, 1)
    raw = np.full(values.shape, np.nan, np.float32)
    raw[known] = poses.raw
    score = np.zeros(len(place), np.float32)
    score[known] = poses.score
    return TrackPoses(place, raw, score, landmarks)


def _filled(
    values: NDArray[np.float64], known_s: NDArray[np.float64], time_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Values (n, ...) at `known_s`, some of the `time_s` and both their ends, as (m, ...) at
    `time_s`: straight lines in between.
    """
    if len(values) == len(time_s):
        return values
    place = np.searchsorted(time_s, known_s)
    missing = np.ones(len(time_s), np.bool_)
    missing[place] = False
    after = np.searchsorted(known_s, time_s[missing])
    share = (time_s[missing] - known_s[after - 1]) / (known_s[after] - known_s[after - 1])
    share = share.reshape(-1, *(1,) * (values.ndim - 1))
    filled = np.empty((len(time_s), *values.shape[1:]))
    filled[place] = values
    filled[missing] = values[after - 1] * (1 - share) + values[after] * share
    return filled


def _in_long_gaps(
    time_s: NDArray[np.float64], known_s: NDArray[np.float64], longest_s: float
) -> NDArray[np.bool_]:
    """(m,) bool: between two of the `known_s` that are farther apart."""
    if len(known_s) == len(time_s):
        return np.zeros(len(time_s), np.bool_)
    after = np.searchsorted(known_s, time_s).clip(1)
    long: NDArray[np.bool_] = known_s[after] - known_s[after - 1] > longest_s
    return long


def _weights(
    landmarks: FloatArray, time_s: NDArray[np.float64], settings: SmoothingSettings
) -> NDArray[np.float64]:
    """(n, L) float64: squared confidence, 0 for outliers."""
    visibility = landmarks[:, :, _VISIBILITY].astype(np.float64)
    confidence = np.maximum(visibility, settings.min_confidence)
    heights = np.ptp(landmarks[:, :, 1], axis=1)
    floor = max(settings.min_outlier_px, settings.min_outlier * float(np.median(heights)))
    xy = np.ascontiguousarray(np.moveaxis(landmarks[:, :, _XY], 2, 0))
    far_x, far_y = (
        outliers(
            axis,
            time_s,
            settings.outlier_window_s,
            settings.max_outlier_neighbours,
            settings.outlier_sigmas,
            floor,
        )
        for axis in xy
    )
    return np.where(far_x | far_y, 0.0, confidence**2)
