"""Time stamps that cannot be used as they are: recognised, and repaired or replaced.

A few time stamps out of order are interpolated between their neighbours. Where more are wrong, or
where times that rise cannot be those of a recording, frames are counted at the rate that the codec
or the container declares.
"""

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.video.packets import NO_PTS

# The greatest mean rate of a recording, in frames per second. Files with more have one time unit
# between frames, whatever the unit is.
MAX_FPS = 10_000
# The longest time in seconds between two frames of a recording: a week. Clocks that are set while
# they record jump by years.
MAX_STEP_S = 7 * 24 * 3600.0
# The multiple of the declared rate above which frames at even times are numbered, not timed.
MAX_FASTER = 15
# The greatest fraction of time stamps that are interpolated.
MAX_INTERPOLATED = 0.05
# A step between frames shorter than this fraction of the usual one looks like a misplaced time
# stamp, if it is rare; and so does a packet that is displayed by more frames than this before or
# after its place in the order of decoding, since encoders reorder by fewer.
SHORT_STEP, MAX_MOVED = 0.75, 8
# The smallest fraction of steps that must be usual ones, and the fraction of it by which those
# may differ, where the rate is read from time stamps that jump.
USUAL_STEPS, SAME_STEP = 0.5, 0.1
# The rate at which frames are counted where nothing tells a usable one, and the bounds of usable
# ones, in frames per second.
DEFAULT_FPS, USABLE_FPS = Fraction(30), (Fraction(1, 10), Fraction(1000))


@dataclass(frozen=True, eq=False)
class Times:
    """Usable times of N frames.

    Attributes:
        pts: (N,) int64, strictly increasing.
        time_base: seconds per unit of `pts`.
        interpolated: number of frames whose time stamp was replaced.
        assumed_fps: rate at which frames are counted instead; None where time stamps are used.
    """

    pts: IntArray
    time_base: Fraction
    interpolated: int = 0
    assumed_fps: Fraction | None = None


def is_plausible(pts: IntArray, time_base: Fraction) -> bool:
    """Whether strictly increasing pts (N,) can be the times of a recording."""
    steps_s = np.diff(pts) * float(time_base)
    return not len(steps_s) or bool(steps_s.mean() * MAX_FPS >= 1 and steps_s.max() <= MAX_STEP_S)


def are_numbers(pts: IntArray, time_base: Fraction, *declared: Fraction | None) -> bool:
    """Whether the pts number the frames instead of timing them: all steps are alike and many times
    too short for the declared rate; where none is declared, one unit each.

    Args:
        pts: (N,) int64 of all frames, in the order of display.
        time_base: seconds per unit of `pts`.
        declared: rates in frames per second, the most reliable one first.
    """
    steps = np.diff(pts)
    if not len(steps) or steps[0] < 1 or (steps != steps[0]).any():
        return False
    # Cameras for slow motion declare rates that are not usable for counting.
    nothing_declared = steps[0] == 1 and not any(declared)
    rate = _first_usable(*declared) or (DEFAULT_FPS if nothing_declared else None)
    return rate is not None and 1 / (int(steps[0]) * time_base) > MAX_FASTER * rate


def is_regular(packet_pts: IntArray) -> bool:
    """Whether no single time stamp of the packets looks misplaced.

    Args:
        packet_pts: (n,) int64, all different, in decoding order.
    """
    if len(packet_pts) < 3:
        return True
    order = np.argsort(packet_pts)
    steps = np.diff(packet_pts[order])
    short = np.count_nonzero(steps < SHORT_STEP * np.median(steps))
    moved = np.abs(order - np.arange(len(order))).max()
    return not 0 < short <= MAX_INTERPOLATED * len(steps) and bool(moved <= MAX_MOVED)


def repaired(pts: IntArray, time_base: Fraction, fps: Fraction) -> Times:
    """Usable times of frames with the time stamps `pts` (N,), `NO_PTS` where there is none.

    Args:
        pts: in the order of display.
        time_base: seconds per unit of `pts`.
        fps: at which frames are counted where most time stamps are unusable.
    """
    kept = _increasing(pts)
    replaced = int(len(pts) - kept.sum())
    if replaced <= MAX_INTERPOLATED * len(pts):
        # Of two time stamps in the wrong order, the one is right that leaves steps more even.
        known = pts != NO_PTS
        backwards = _increasing(np.where(known, -pts, NO_PTS)[::-1])[::-1]
        ways = [_interpolated(pts, way) for way in (kept, backwards)]
        better = max(ways, key=lambda way: int(np.diff(way).min(initial=np.iinfo(np.int64).max)))
        if (np.diff(better) > 0).all() and is_plausible(better, time_base):
            return Times(better, time_base, interpolated=replaced)
    return counted(len(pts), fps)


def counted(frames: int, fps: Fraction) -> Times:
    """Times of frames that are counted at a rate."""
    return Times(np.arange(frames, dtype=np.int64), 1 / fps, assumed_fps=fps)


def usable_rate(*rates: Fraction | None) -> Fraction:
    """The first of the rates that a camera can have, or the default one."""
    return _first_usable(*rates) or DEFAULT_FPS


def _first_usable(*rates: Fraction | None) -> Fraction | None:
    low, high = USABLE_FPS
    return next((rate for rate in rates if rate and low <= rate <= high), None)


def usual_rate(pts: IntArray, time_base: Fraction) -> Fraction | None:
    """The rate in frames per second at which most frames follow each other, though their clock
    jumps; None where they follow each other at none.

    Args:
        pts: (N,) int64 in the order of display, `NO_PTS` where there is none.
        time_base: seconds per unit of `pts`.
    """
    steps = np.diff(pts[pts != NO_PTS])
    usual = float(np.median(steps)) if len(steps) else 0.0
    near = steps[np.abs(steps - usual) <= np.maximum(1, SAME_STEP * usual)]
    if usual < 1 or len(near) < USUAL_STEPS * len(steps):
        return None
    return (1 / (Fraction(float(near.mean())) * time_base)).limit_denominator(1001)


def _increasing(pts: IntArray) -> NDArray[np.bool_]:
    """(N,): the frames of a longest strictly increasing subsequence of `pts`."""
    # Of the subsequences of each length the one with the least last value, by patience sorting.
    values: list[int] = []
    rows: list[int] = []
    before = np.full(len(pts), -1)
    for row, value in enumerate(pts.tolist()):
        if value == NO_PTS:
            continue
        length = bisect_right(values, value - 1)
        before[row] = rows[length - 1] if length else -1
        values[length : length + 1], rows[length : length + 1] = [value], [row]
    kept = np.zeros(len(pts), np.bool_)
    row = rows[-1] if rows else -1
    while row >= 0:
        kept[row] = True
        row = int(before[row])
    return kept


def _interpolated(pts: IntArray, kept: NDArray[np.bool_]) -> IntArray:
    """The pts of the frames that are not `kept`, evenly between or beyond those that are."""
    rows = np.flatnonzero(kept)
    if len(rows) < 2:
        return pts
    every = np.arange(len(pts))
    step = float(np.median(np.diff(pts[rows]) / np.diff(rows)))
    times = np.interp(every, rows, pts[rows].astype(np.float64))
    times += step * (np.minimum(every - rows[0], 0) + np.maximum(every - rows[-1], 0))
    better: IntArray = np.where(kept, pts, np.rint(times).astype(np.int64))
    return better
