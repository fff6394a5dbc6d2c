"""Where the poses of one track would be two people's: the track goes over from one to the other.

The light changes what a person looks like, too. But then the body moves on as before; from one
person to another it jumps.
"""

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.merge_settings import SwapSettings
from annotate.merge.pose_table import PoseTable, pairs
from annotate.merge.track_rows import TrackRows
from annotate.numeric.similarity import appearance_distance

_TRUNK = [5, 6, 11, 12]  # shoulders and hips among COCO's keypoints


def may_be_slide(table: PoseTable, rows: IntArray, row: int, settings: SwapSettings) -> bool:
    """Whether another person's poses may begin at a row of a track: the trunk jumps near it, or
    another pose is near.

    Args:
        rows: of the track's poses, in order of time; `row` is one of them.
    """
    half = window_poses(table.time_s[rows], settings) // 2
    place = int(np.searchsorted(rows, row))
    near = slice(max(0, place - half), place + half)
    return _jump(table, rows, near, settings) > settings.least_steps or _is_close(
        table, rows[near], settings
    )


def is_slide(table: PoseTable, before: IntArray, after: IntArray, settings: SwapSettings) -> bool:
    """Whether two tracks, the second of which begins when the first one ends, are surely two
    people's: each looks the same for half a window or longer, both look different, and the trunk
    jumps in between.

    Args:
        before, after: rows of the tracks' poses, in order of time.
    """
    rows = np.concatenate([before, after])
    if len(rows) < 2 * settings.min_poses:
        return False
    width = window_poses(table.time_s[rows], settings)
    if min(len(before), len(after)) <= width / 2:
        return False
    place = min(len(before), width)
    rows = np.concatenate([before[-width:], after[:width]])
    own, other = table.appearance[rows[:place]], table.appearance[rows[place:]]
    change = appearance_distance(np.median(own, axis=0), np.median(other, axis=0))
    scatter = max(_scatter(own), _scatter(other), settings.min_scatter)
    if change <= max(settings.min_difference, settings.sure_scatters * scatter):
        return False
    near = slice(place - width // 2, place + width // 2)
    return _jump(table, rows, near, settings) > settings.sure_steps


def goes_over(
    tracks: TrackRows, before: int, after: int, unseen_s: float, settings: SwapSettings
) -> bool:
    """Whether a track begins when another one ends, and is surely another person's.

    Args:
        unseen_s: what is no gap: for so long a tracked person may be unseen.
    """
    rows = tracks.rows
    gap_s = tracks.start_s(after) - tracks.end_s(before)
    return gap_s <= unseen_s and is_slide(tracks.table, rows[before], rows[after], settings)


def window_poses(time_s: NDArray[np.float64], settings: SwapSettings) -> int:
    """How many poses at these times (n,) are a window."""
    step_s = float(np.median(np.diff(time_s)))
    width = round(min(settings.window_s / step_s, settings.max_window_poses))
    return max(settings.min_poses, width)


def _jump(table: PoseTable, rows: IntArray, near: slice, settings: SwapSettings) -> float:
    """The longest step of shoulders and hips between some poses of a track, in its usual steps."""
    trunk = table.keypoints[rows][:, _TRUNK].astype(np.float64)
    way = np.linalg.norm(np.diff(trunk, axis=0), axis=2).mean(axis=1)
    steps = way / np.maximum(table.roi_side[rows[1:]], 1.0)
    return float(steps[near].max()) / max(float(np.median(steps)), settings.min_step)


def _is_close(table: PoseTable, rows: IntArray, settings: SwapSettings) -> bool:
    """Whether another pose is near one of these."""
    a, b = pairs(table.frame, table.frame[rows], len(table.poses.time_s))
    other, own = a[a != rows[b]], rows[b[a != rows[b]]]
    apart = np.linalg.norm(table.hip[other] - table.hip[own], axis=1)
    return bool((apart < settings.close * table.roi_side[own]).any())


def _scatter(appearance: FloatArray) -> float:
    """The usual distance of poses (n, 6) from their median, in steps of colour."""
    apart = appearance_distance(appearance, np.median(appearance, axis=0))
    return float(np.median(apart))
