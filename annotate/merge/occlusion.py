"""Poses that are not believed: where people hide each other, the landmark model mixes them.

A pose is doubted while somebody else's box covers a part of it, and shortly before and after. Poses
before and after it, of which nothing makes doubt, tell where shoulders and hips should be, and what
the person wears. A doubted pose that does not fit them is somebody else's, or half of each.
"""

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.merge.settings import MergeSettings
from annotate.numeric.similarity import appearance_distance

_SHOULDERS, _HIPS = [5, 6], [11, 12]
_TRUNK = _SHOULDERS + _HIPS
_TRUNK_PER_HEIGHT = 0.3
_LEAST_TRUSTED = 3  # poses on each side
_SAMPLES = 24  # of the trusted poses, spread over their time, that a parabola is laid through


def believable(
    keypoints: FloatArray,
    appearance: FloatArray,
    crowded: NDArray[np.bool_],
    time_s: NDArray[np.float64],
    settings: MergeSettings,
) -> NDArray[np.bool_]:
    """Which poses of one track are his.

    Args:
        keypoints: (n, 17, 2) float32 pixels, left and right as they should be.
        appearance: (n, 6) float32.
        crowded: (n,) bool: somebody else's box covers a part of the pose.
        time_s: (n,) float64 seconds, increasing.

    Returns:
        (n,) bool.
    """
    doubted = _near(time_s, crowded, settings.doubt_s)
    trusted = np.flatnonzero(~doubted)
    good = np.ones(len(time_s), np.bool_)
    if not doubted.any() or len(trusted) < 2 * _LEAST_TRUSTED:
        return good
    trunk = keypoints[:, _TRUNK].astype(np.float64).reshape(-1, 2 * len(_TRUNK))
    sure = keypoints[trusted]
    spine = sure[:, _SHOULDERS].mean(axis=1) - sure[:, _HIPS].mean(axis=1)
    height = np.linalg.norm(spine, axis=1) / _TRUNK_PER_HEIGHT
    strange = (
        appearance_distance(appearance, np.median(appearance[trusted], axis=0))
        > settings.appearance_odd
    )
    rows = np.flatnonzero(doubted)
    begin = np.searchsorted(time_s[trusted], time_s[rows] - settings.trust_s)
    middle = np.searchsorted(trusted, rows)
    end = np.searchsorted(time_s[trusted], time_s[rows] + settings.trust_s, side="right")
    enough = (middle - begin >= _LEAST_TRUSTED) & (end - middle >= _LEAST_TRUSTED)
    rows, begin, end = rows[enough], begin[enough], end[enough]
    if not len(rows):
        return good
    share = np.linspace(0, 1, _SAMPLES)
    places = np.rint(begin[:, None] + share * (end - 1 - begin)[:, None]).astype(np.int64)
    about = trusted[places]
    off, spread = _off(trunk[rows], trunk[about], time_s[about] - time_s[rows, None])
    size = np.maximum(np.median(height[places], axis=1), 1.0)
    most = np.maximum(settings.trust_off, settings.trust_spread * spread / size)
    good[rows] = (off / size <= most) & ~strange[rows]
    # A hole that is too long to be filled in is worse than doubtful poses.
    kept = np.flatnonzero(good)
    for before in np.flatnonzero(np.diff(time_s[kept]) > settings.gap_s).tolist():
        good[kept[before] : kept[before + 1]] = True
    return good


def _near(
    time_s: NDArray[np.float64], chosen: NDArray[np.bool_], near_s: float
) -> NDArray[np.bool_]:
    """(n,) bool: a chosen one is no farther away than `near_s`."""
    times = np.concatenate([[-np.inf], time_s[chosen], [np.inf]])
    after = np.searchsorted(times, time_s)
    near: NDArray[np.bool_] = np.minimum(times[after] - time_s, time_s - times[after - 1]) <= near_s
    return near


def _off(
    found: NDArray[np.float64], others: NDArray[np.float64], time_s: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far shoulders and hips are from where a parabola through others leads at time 0.

    Args:
        found: (n, 8) float64 pixels.
        others: (n, k, 8) float64 pixels, to be believed.
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
