"""One track's poses in a window of time, smoothed, with short gaps filled in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.merge.settings import MergeSettings
from annotate.numeric.smoothing import outliers, whittaker

LEAST_CONFIDENCE = 0.05
_LEAST_OUTLIER_PX = 1.0
_XY, _VISIBILITY = slice(0, 2), 3


@dataclass(frozen=True, eq=False)
class Stretch:
    """Poses of one track at consecutive frames, without a gap longer than `gap_s`.

    Attributes:
        place: (n,) int64: of the frames in the window.
        raw: (n, L, 5) float32; NaN where filled.
        score: (n,) float32; 0 where filled.
        smoothed: (n, L, 5) float32.
    """

    place: NDArray[np.int64]
    raw: FloatArray
    score: FloatArray
    smoothed: FloatArray

    def between(self, start: int, stop: int) -> "Stretch":
        """What of it lies in the frames `[start, stop)` of the window."""
        inside = (self.place >= start) & (self.place < stop)
        return Stretch(
            self.place[inside], self.raw[inside], self.score[inside], self.smoothed[inside]
        )


def stretches(
    place: NDArray[np.int64],
    raw: FloatArray,
    upright: FloatArray,
    score: FloatArray,
    window_s: NDArray[np.float64],
    settings: MergeSettings,
    cutoff_hz: float,
) -> list[Stretch]:
    """The track's poses in a window, cut at long gaps, each piece smoothed by itself.

    Args:
        place: (n,) int64, increasing: frames of the poses, as places in `window_s`.
        raw: (n, L, 5) float32, as the model gave them.
        upright: (n, L, 5) float32: the same with left and right as they should be.
        score: (n,) float32.
        window_s: (W,) float64: times of all frames of the window.
    """
    breaks = np.flatnonzero(np.diff(window_s[place]) > settings.gap_s) + 1
    pieces = np.split(np.arange(len(place)), breaks)
    return [
        _smoothed(
            place[piece], raw[piece], upright[piece], score[piece], window_s, settings, cutoff_hz
        )
        for piece in pieces
        if len(piece)
    ]


def _smoothed(
    place: NDArray[np.int64],
    raw: FloatArray,
    upright: FloatArray,
    score: FloatArray,
    window_s: NDArray[np.float64],
    settings: MergeSettings,
    cutoff_hz: float,
) -> Stretch:
    every = np.arange(place[0], place[-1] + 1)
    known = place - place[0]
    time_s = window_s[every]
    values = _between(upright.astype(np.float64), time_s[known], time_s)
    weights = np.zeros(values.shape[:2])
    weights[_in_long_gaps(time_s, time_s[known], settings.curve_s)] = settings.fill_weight
    weights[known] = _weights(upright, time_s[known], settings)
    smooth = whittaker(values, weights, time_s, cutoff_hz).astype(np.float32)
    smooth[:, :, _VISIBILITY:] = smooth[:, :, _VISIBILITY:].clip(0, 1)
    seen = np.full(values.shape, np.nan, np.float32)
    seen[known] = raw
    marks = np.zeros(len(every), np.float32)
    marks[known] = score
    return Stretch(every, seen, marks, smooth)


def _between(
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
    landmarks: FloatArray, time_s: NDArray[np.float64], settings: MergeSettings
) -> NDArray[np.float64]:
    """(n, L) float64: squared confidence, 0 for outliers."""
    confidence = np.maximum(landmarks[:, :, _VISIBILITY].astype(np.float64), LEAST_CONFIDENCE)
    heights = np.ptp(landmarks[:, :, 1], axis=1)
    floor = max(_LEAST_OUTLIER_PX, settings.outlier_floor * float(np.median(heights)))
    xy = np.ascontiguousarray(np.moveaxis(landmarks[:, :, _XY], 2, 0))
    far_x, far_y = (outliers(axis, time_s, settings.outlier_s, floor) for axis in xy)
    return np.where(far_x | far_y, 0.0, confidence**2)
