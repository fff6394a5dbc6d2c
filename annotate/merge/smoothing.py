"""One track's poses in a window of time, smoothed, with short gaps filled in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain import FloatArray
from annotate.merge.settings import MergeSettings
from annotate.temporal import outliers, whittaker

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
    landmarks: FloatArray,
    score: FloatArray,
    window_s: NDArray[np.float64],
    settings: MergeSettings,
) -> list[Stretch]:
    """The track's poses in a window, cut at long gaps, each piece smoothed by itself.

    Args:
        place: (n,) int64, increasing: frames of the poses, as places in `window_s`.
        landmarks: (n, L, 5) float32.
        score: (n,) float32.
        window_s: (W,) float64: times of all frames of the window.
    """
    if settings.smooth_hz is None:
        return [Stretch(place, landmarks, score, landmarks)]
    breaks = np.flatnonzero(np.diff(window_s[place]) > settings.gap_s) + 1
    pieces = zip(
        np.split(place, breaks), np.split(landmarks, breaks), np.split(score, breaks), strict=True
    )
    return [
        _smoothed(piece, values, marks, window_s, settings, settings.smooth_hz)
        for piece, values, marks in pieces
    ]


def _smoothed(
    place: NDArray[np.int64],
    landmarks: FloatArray,
    score: FloatArray,
    window_s: NDArray[np.float64],
    settings: MergeSettings,
    cutoff_hz: float,
) -> Stretch:
    every = np.arange(place[0], place[-1] + 1)
    known = place - place[0]
    raw = np.full((len(every), *landmarks.shape[1:]), np.nan, np.float32)
    raw[known] = landmarks
    marks = np.zeros(len(every), np.float32)
    marks[known] = score
    weights = np.zeros(raw.shape[:2])
    weights[known] = _weights(landmarks, window_s[place], settings)
    values = np.nan_to_num(raw.astype(np.float64), copy=False)
    smooth = whittaker(values, weights, window_s[every], cutoff_hz).astype(np.float32)
    smooth[:, :, _VISIBILITY:] = smooth[:, :, _VISIBILITY:].clip(0, 1)
    return Stretch(every, raw, marks, smooth)


def _weights(
    landmarks: FloatArray, time_s: NDArray[np.float64], settings: MergeSettings
) -> NDArray[np.float64]:
    """(n, L) float64: squared confidence, 0 for outliers."""
    confidence = np.maximum(landmarks[:, :, _VISIBILITY].astype(np.float64), LEAST_CONFIDENCE)
    heights = np.ptp(landmarks[:, :, 1], axis=1)
    floor = max(_LEAST_OUTLIER_PX, settings.outlier_floor * float(np.median(heights)))
    far = outliers(landmarks[:, :, _XY].astype(np.float64), time_s, settings.outlier_s, floor)
    return np.where(far.any(axis=2), 0.0, confidence**2)
