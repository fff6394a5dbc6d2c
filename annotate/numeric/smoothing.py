"""Smoothing over time, offline and without lag. Arrays in, arrays out; times in seconds."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded

from annotate.numeric.median import median_of_arrays

Array = NDArray[np.float64]

# The least weight of a value keeps the system solvable: far less than that of any observation.
_LEAST_WEIGHT = 1e-9
# The standard deviation of a normal distribution, in median absolute deviations.
_MAD_TO_SIGMA = 1.4826


def whittaker(
    values: Array, weights: Array, time_s: Array, cutoff_hz: float, max_cutoff_per_fps: float
) -> Array:
    """Weighted Whittaker smoother over true times.

    Minimises the integral of w (z - y)^2 + z''^2 / (2 pi fc)^4, which for equal steps is
    sum w (z - y)^2 + lambda sum (second difference z)^2 with lambda = (fps / (2 pi fc))^4. The
    response is 1 / (1 + (f / fc)^4) without any shift in phase. Where a weight is 0, the curve is
    filled in.

    Args:
        values: (N, K, C) float64: C signals that share the weights of each of K points.
        weights: (N, K) float64, not negative.
        time_s: (N,) float64 seconds, increasing.
        cutoff_hz: fc, where the response is one half,
        max_cutoff_per_fps: but fc is at most this fraction of the mean frame rate.

    Returns:
        (N, K, C) float64.
    """
    count, points, signals = values.shape
    if count < 3:
        return values.copy()
    steps = np.diff(time_s)
    cutoff = min(cutoff_hz, max_cutoff_per_fps / float(steps.mean()))
    penalty = _curvature_bands(steps) / (2 * np.pi * cutoff) ** 4
    own = np.empty(count)
    own[0], own[-1] = steps[0], steps[-1]
    own[1:-1] = (steps[:-1] + steps[1:]) / 2
    weighted = np.maximum(weights, _LEAST_WEIGHT) * own[:, None]
    # One banded system a point, one after the other on the diagonal of a single one.
    bands = np.tile(penalty, points)
    bands[2] += weighted.T.reshape(-1)
    # In the order of LAPACK, a signal after the other, which it would copy all into.
    weighed = np.empty((signals, points, count))
    np.multiply(weighted.T, values.transpose(2, 1, 0), out=weighed)
    right = weighed.reshape(signals, points * count).T
    solved = solveh_banded(bands, right, overwrite_ab=True, overwrite_b=True, check_finite=False)
    smooth: Array = solved.T.reshape(signals, points, count).transpose(2, 1, 0)
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
    values: NDArray[Any],
    time_s: Array,
    half_width_s: float,
    max_neighbours: int,
    sigmas: float,
    floor: float,
) -> NDArray[np.bool_]:
    """Hampel's rule: far from the median of the neighbours, in robust standard deviations.

    Args:
        values: (N, ...) of any floating type, in which all is computed.
        time_s: (N,) float64 seconds, increasing.
        half_width_s: how far neighbours reach on each side,
        max_neighbours: but never more than so many on each side. Time grows with the square of
            their number.
        sigmas: how many robust standard deviations are far.
        floor: the least deviation that counts, in units of `values`.

    Returns:
        (N, ...) bool.
    """
    if len(values) < 3:
        return np.zeros(values.shape, np.bool_)
    steps = half_width_s / float(np.median(np.diff(time_s)))
    reach = max(1, round(min(steps, max_neighbours)))
    padded = np.pad(values, [(reach, reach)] + [(0, 0)] * (values.ndim - 1), mode="edge")
    windows = [padded[start : start + len(values)] for start in range(2 * reach + 1)]
    median = median_of_arrays(windows)
    spread = median_of_arrays([np.abs(window - median) for window in windows])
    limit = np.maximum(sigmas * _MAD_TO_SIGMA * spread, floor)
    far: NDArray[np.bool_] = np.abs(values - median) > limit
    return far
