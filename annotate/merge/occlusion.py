"""Poses of a track that are rejected: where people hide each other, the landmark model mixes them.

A pose is checked while another person's box covers a part of it, and shortly before and after. The
poses before and after that time are trusted: they tell where shoulders and hips should be, and what
the person looks like. A checked pose that does not fit is another person's, or half of each.
"""

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.merge_settings import MergeSettings, OcclusionSettings
from annotate.numeric.similarity import appearance_distance

_SHOULDERS, _HIPS = [5, 6], [11, 12]
_TRUNK = _SHOULDERS + _HIPS


def belongs_to_track(
    keypoints: FloatArray,
    appearance: FloatArray,
    crowded: NDArray[np.bool_],
    time_s: NDArray[np.float64],
    settings: MergeSettings,
) -> NDArray[np.bool_]:
    """Mask of the poses that belong to the track's person.

    Args:
        keypoints: (n, 17, 2) float32 pixels, left and right as they should be.
        appearance: (n, 6) float32.
        crowded: (n,) bool: another person's box covers a part of the pose.
        time_s: (n,) float64 seconds, increasing.

    Returns:
        (n,) bool.
    """
    limits = settings.occlusion
    checked = _near(time_s, crowded, limits.check_s)
    trusted = np.flatnonzero(~checked)
    belongs = np.ones(len(time_s), np.bool_)
    if not checked.any() or len(trusted) < 2 * limits.min_trusted:
        return belongs
    rows, about = _trusted_around(np.flatnonzero(checked), trusted, time_s, limits)
    if not len(rows):
        return belongs
    usual = np.median(appearance[trusted], axis=0)
    differs = appearance_distance(appearance[rows], usual) > limits.max_difference
    belongs[rows] = _on_curve(keypoints, rows, about, time_s, limits)
    belongs |= _in_steady_runs(keypoints, ~belongs, limits)
    belongs[rows] &= ~differs
    # A gap that is too long to be filled is worse than rejected poses.
    kept = np.flatnonzero(belongs)
    long = np.diff(time_s[kept]) > settings.smoothing.max_gap_s
    for before in np.flatnonzero(long).tolist():
        belongs[kept[before] : kept[before + 1]] = True
    return belongs


def _near(
    time_s: NDArray[np.float64], chosen: NDArray[np.bool_], near_s: float
) -> NDArray[np.bool_]:
    """(n,) bool: a chosen one is no farther away than `near_s`."""
    times = np.concatenate([[-np.inf], time_s[chosen], [np.inf]])
    after = np.searchsorted(times, time_s)
    near: NDArray[np.bool_] = np.minimum(times[after] - time_s, time_s - times[after - 1]) <= near_s
    return near


def _trusted_around(
    rows: IntArray, trusted: IntArray, time_s: NDArray[np.float64], limits: OcclusionSettings
) -> tuple[IntArray, IntArray]:
    """Those of the rows that have enough trusted poses before and after, (m,), and a sample of
    those poses for each, (m, k), spread over their time.
    """
    begin = np.searchsorted(time_s[trusted], time_s[rows] - limits.trust_s)
    middle = np.searchsorted(trusted, rows)
    end = np.searchsorted(time_s[trusted], time_s[rows] + limits.trust_s, side="right")
    enough = (middle - begin >= limits.min_trusted) & (end - middle >= limits.min_trusted)
    rows, begin, end = rows[enough], begin[enough], end[enough]
    share = np.linspace(0, 1, limits.curve_samples)
    places = np.rint(begin[:, None] + share * (end - 1 - begin)[:, None]).astype(np.int64)
    return rows, trusted[places]


def _on_curve(
    keypoints: FloatArray,
    rows: IntArray,
    about: IntArray,
    time_s: NDArray[np.float64],
    limits: OcclusionSettings,
) -> NDArray[np.bool_]:
    """(m,) bool: shoulders and hips of these rows are where the poses `about` (m, k) lead."""
    trunk = keypoints[:, _TRUNK].astype(np.float64).reshape(-1, 2 * len(_TRUNK))
    off, spread = _distances(trunk[rows], trunk[about], time_s[about] - time_s[rows, None])
    size = np.maximum(np.median(_heights(keypoints, limits)[about], axis=1), 1.0)
    most = np.maximum(limits.max_distance, limits.max_distance_ratio * spread / size)
    fits: NDArray[np.bool_] = off / size <= most
    return fits


def _in_steady_runs(
    keypoints: FloatArray, off: NDArray[np.bool_], limits: OcclusionSettings
) -> NDArray[np.bool_]:
    """(n,) bool: the poses `off` the curve that a steady motion leads to and away from."""
    trunk = keypoints[:, _TRUNK].astype(np.float64)
    size = max(float(np.median(_heights(keypoints, limits)[~off])), 1.0)
    steps = np.linalg.norm(np.diff(trunk, axis=0), axis=2).mean(axis=1) / size
    steady = np.zeros(len(off), np.bool_)
    edges = np.flatnonzero(np.diff(off.astype(np.int8), prepend=0, append=0))
    for start, stop in edges.reshape(-1, 2).tolist():
        # The step into the run, those in it, and the one out of it.
        steady[start:stop] = steps[start - 1 : stop].max() <= limits.max_step
    return steady


def _heights(keypoints: FloatArray, limits: OcclusionSettings) -> NDArray[np.float64]:
    """(n,) the heights in pixels that the trunks (n, 17, 2) tell."""
    spine = keypoints[:, _SHOULDERS].mean(axis=1) - keypoints[:, _HIPS].mean(axis=1)
    height: NDArray[np.float64] = np.linalg.norm(spine, axis=1) / limits.trunk_per_height
    return height


def _distances(
    found: NDArray[np.float64], others: NDArray[np.float64], time_s: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far shoulders and hips are from where a parabola through others leads at time 0.

    Args:
        found: (n, 8) float64 pixels.
        others: (n, k, 8) float64 pixels, trusted.
        time_s: (n, k) float64 seconds of those.

    Returns:
        (n,) mean distance of `found`, and (n,) that of `others`, from the parabola, in pixels.
    """
    terms = np.stack([np.ones_like(time_s), time_s, time_s**2], axis=2)
    across = terms.transpose(0, 2, 1)
    curve = np.linalg.solve(across @ terms, across @ others)
    rest = (others - terms @ curve).reshape(*others.shape[:2], -1, 2)
    off = (found - curve[:, 0]).reshape(len(found), -1, 2)
    return (
        np.linalg.norm(off, axis=2).mean(axis=1),
        np.linalg.norm(rest, axis=3).mean(axis=(1, 2)),
    )
