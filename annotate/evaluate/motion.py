"""How smoothly keypoints move, and how late they are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.evaluate.annotations import (
    MISSING,
    Annotations,
    GroundTruth,
    track_numbers,
)
from annotate.evaluate.matching import Matches

# The largest delay that is tried, in frames, either way.
MAX_SHIFT = 10
# A delay can be measured where a shift by MAX_SHIFT frames moves keypoints at least this far from
# where they fit best, in body heights (root mean square).
MIN_MOTION = 0.005


@dataclass(frozen=True)
class Motion:
    """Of the poses that match a person of the truth; heights are medians over a track.

    Attributes:
        jitter: mean length of the keypoints' second difference in time, in body heights per
            square second; with an even frame rate, second difference x fps^2 / height. None
            without three frames in a row, or without times.
        true_jitter: the same of the truth, over the same keypoints: the part that is motion.
        lag: frames by which the truth must be delayed to fit best, to fractions of a frame; above
            0 the poses are late. A constant offset of a keypoint does not count as lag. None where
            no person is seen for long enough, and speeds up or slows down enough.
    """

    jitter: float | None
    true_jitter: float | None
    lag: float | None


@dataclass(frozen=True, eq=False)
class _TrackedPeople:
    """Tracked people of the truth, ordered by track, then frame.

    Attributes:
        row: (P,) int64: row of the truth.
        track: (P,) int64: number of the track, from 0.
        frame: (P,) int64.
        time_s: (P,) float64 seconds, or NaN.
        height: (P,) float64 pixels, of the whole track.
        keypoints: (P, K, 2) float64 pixels.
        labelled: (P, K) bool.
    """

    row: IntArray
    track: IntArray
    frame: IntArray
    time_s: NDArray[np.float64]
    height: NDArray[np.float64]
    keypoints: NDArray[np.float64]
    labelled: NDArray[np.bool_]


def measure_motion(truth: GroundTruth, poses: Annotations, matches: Matches) -> Motion | None:
    """Jitter and lag over all videos, or None where the truth has no tracks."""
    people = _tracked(truth)
    pose_of = np.full(len(truth.people), MISSING)
    pose_of[matches.person] = matches.pose
    pose = pose_of[people.row]  # (P,) of each person, or MISSING
    if (pose == MISSING).all():
        return None
    found = np.where((pose == MISSING)[:, None, None], np.nan, poses.keypoints[pose])
    labelled = people.labelled & poses.labelled[pose] & (pose != MISSING)[:, None]
    track_of = np.where(pose == MISSING, MISSING, poses.track[pose])
    return Motion(
        *_jitter(people, found, labelled, track_of),
        lag=_lag(people, found, labelled),
    )


def _tracked(truth: GroundTruth) -> _TrackedPeople:
    everyone, images = truth.people, truth.images
    number, frame = track_numbers(everyone, images), images.frame[everyone.image]
    rows = np.flatnonzero((number != MISSING) & (frame != MISSING))
    rows = rows[np.lexsort((frame[rows], number[rows]))]
    new = np.diff(number[rows], prepend=MISSING) != 0
    runs = np.split(everyone.bbox[rows, 3], np.flatnonzero(new)[1:])
    track: IntArray = np.cumsum(new) - 1
    heights = np.array([np.median(run) for run in runs if len(run)])
    return _TrackedPeople(
        row=rows,
        track=track,
        frame=frame[rows],
        time_s=images.time_s[everyone.image[rows]],
        height=np.maximum(heights, 1)[track],
        keypoints=everyone.keypoints[rows],
        labelled=everyone.labelled[rows],
    )


def _jitter(
    people: _TrackedPeople,
    found: NDArray[np.float64],
    labelled: NDArray[np.bool_],
    track_of: IntArray,
) -> tuple[float | None, float | None]:
    """Of the poses and of the truth, over triples of frames in which a person has one track id."""
    steady = (np.diff(people.track) == 0) & (np.diff(people.frame) == 1)
    steady &= np.diff(track_of) == 0
    middle = np.flatnonzero(steady[:-1] & steady[1:]) + 1
    around = middle[:, None] + [-1, 0, 1]
    timed = (np.diff(people.time_s[around], axis=1) > 0).all(axis=1)
    around, middle = around[timed], middle[timed]
    step = np.diff(people.time_s[around], axis=1)[:, :, None, None]
    counted = labelled[around].all(axis=1)
    if not counted.any():
        return None, None

    def mean(keypoints: NDArray[np.float64]) -> float:
        speed = np.diff(keypoints[around], axis=1) / step
        change = 2 * (speed[:, 1] - speed[:, 0]) / (step[:, 0] + step[:, 1])
        length = np.linalg.norm(change, axis=2) / people.height[middle][:, None]
        return float(length[counted].mean())

    return mean(found), mean(people.keypoints)


def _lag(
    people: _TrackedPeople, found: NDArray[np.float64], labelled: NDArray[np.bool_]
) -> float | None:
    shifts = np.arange(-MAX_SHIFT, MAX_SHIFT + 1)
    span = int(people.frame.max()) + 2 * MAX_SHIFT + 1
    keys = people.track * span + people.frame
    wanted = keys[:, None] - shifts
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    # Every shift is judged by the same keypoints: those that the truth has at all of them.
    known = (keys[place] == wanted)[:, :, None] & people.labelled[place]
    counted = labelled & known.all(axis=1)
    if not counted.any():
        return None
    scaled = [x / people.height[:, None, None] for x in (found, people.keypoints)]
    misfit = np.array([_spread(scaled[0] - scaled[1][at], counted, people.track) for at in place.T])
    best = int(misfit.argmin())
    if max(misfit[0], misfit[-1]) - misfit[best] < MIN_MOTION**2:
        return None
    if best in (0, len(shifts) - 1):
        return float(shifts[best])
    before, least, after = misfit[best - 1 : best + 2]
    return float(shifts[best] + 0.5 * (before - after) / (before - 2 * least + after))


def _spread(offset: NDArray[np.float64], counted: NDArray[np.bool_], track: IntArray) -> float:
    """Mean square of (P, K, 2) offsets about the mean offset of each keypoint of each track."""
    starts = np.flatnonzero(np.diff(track, prepend=MISSING))
    offset = np.where(counted[:, :, None], offset, 0.0)
    number = np.maximum(np.add.reduceat(counted.astype(np.int64), starts), 1)
    mean = np.add.reduceat(offset, starts) / number[:, :, None]
    spread = np.where(counted[:, :, None], offset - mean[track], 0.0) ** 2
    return float(spread.sum() / counted.sum())
