"""Smoothing over time, offline and without lag. Arrays in, arrays out; times in seconds."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded

Array = NDArray[np.float64]

# Keeps the system solvable where nothing weighs: less than any observation by far.
_LEAST_WEIGHT = 1e-9
_MAD_TO_SIGMA = 1.4826


def whittaker(values: Array, weights: Array, time_s: Array, cutoff_hz: float) -> Array:
    """Weighted Whittaker smoother over true times.

    Minimises the integral of w (z - y)^2 + z''^2 / (2 pi fc)^4, which for equal steps is
    sum w (z - y)^2 + lambda sum (second difference z)^2 with lambda = (fps / (2 pi fc))^4. The
    response is 1 / (1 + (f / fc)^4) without any shift in phase. Where a weight is 0, the curve is
    filled in.

    Args:
        values: (N, K, C) float64: C signals that share the weights of each of K points.
        weights: (N, K) float64, not negative.
        time_s: (N,) float64 seconds, increasing.
        cutoff_hz: fc, where the response is one half; capped at 0.4 of the mean frame rate.

    Returns:
        (N, K, C) float64.
    """
    count, points, signals = values.shape
    if count < 3:
        return values.copy()
    steps = np.diff(time_s)
    cutoff = min(cutoff_hz, 0.4 / float(steps.mean()))
    penalty = _curvature_bands(steps) / (2 * np.pi * cutoff) ** 4
    own = np.empty(count)
    own[0], own[-1] = steps[0], steps[-1]
    own[1:-1] = (steps[:-1] + steps[1:]) / 2
    weighted = np.maximum(weights, _LEAST_WEIGHT) * own[:, None]
    # One banded system a point, one after the other on the diagonal of a single one.
    bands = np.tile(penalty, points)
    bands[2] += weighted.T.reshape(-1)
    right = (weighted[:, :, None] * values).transpose(1, 0, 2).reshape(points * count, signals)
    solved = solveh_banded(bands, right, overwrite_ab=True, overwrite_b=True, check_finite=False)
    smooth: Array = solved.reshape(points, count, signals).transpose(1, 0, 2)
    return smooth


def _curvature_bands(steps: Array) -> Array:
    """Upper bands (3, N) of D'HD: D takes second derivatives, H is the time they stand for."""
    before, after = steps[:-1], steps[1:]
    mean = (before + after) / 2
    rows = np.stack([1 / before, -1 / before - 1 / after, 1 / after]) / np.sqrt(mean)
    count = len(steps) + 1
    bands = np.zeros((3, count))
    for column in range(3):
        bands[2, column : count - 2 + column] += rows[column] ** 2
    bands[1, 1:-1] += rows[0] * rows[1]
    bands[1, 2:] += rows[1] * rows[2]
    bands[0, 2:] = rows[0] * rows[2]
    return bands


def outliers(
    values: NDArray[Any], time_s: Array, half_width_s: float, floor: float
) -> NDArray[np.bool_]:
    """Hampel's rule: farther than 3 robust standard deviations from the median of the neighbours.

    Args:
        values: (N, ...) of any floating type, which all is computed in.
        time_s: (N,) float64 seconds, increasing.
        half_width_s: how far neighbours reach on each side.
        floor: the least deviation that counts, in units of `values`.

    Returns:
        (N, ...) bool.
    """
    if len(values) < 3:
        return np.zeros(values.shape, np.bool_)
    reach = max(1, round(half_width_s / float(np.median(np.diff(time_s)))))
    padded = np.pad(values, [(reach, reach)] + [(0, 0)] * (values.ndim - 1), mode="edge")
    windows = [padded[start : start + len(values)] for start in range(2 * reach + 1)]
    median = _median(windows)
    spread = _median([np.abs(window - median) for window in windows])
    far: NDArray[np.bool_] = np.abs(values - median) > np.maximum(3 * _MAD_TO_SIGMA * spread, floor)
    return far


def _median(arrays: list[NDArray[Any]]) -> NDArray[Any]:
    """Median of an odd number of arrays, place by place: the smaller half is picked out by
    comparing whole arrays, for few arrays far faster than sorting at each place.
    """
    left = list(arrays)
    for smallest in range(len(arrays) // 2 + 1):
        for other in range(smallest + 1, len(arrays)):
            low = np.minimum(left[smallest], left[other])
            left[other] = np.maximum(left[smallest], left[other])
            left[smallest] = low
    return left[len(arrays) // 2]
