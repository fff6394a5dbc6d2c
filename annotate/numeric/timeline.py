"""How people, confidence and motion change over a video: sums over bins of time, block by block.

Memory does not grow with the number of poses: a few bytes a frame, and the last poses of each
track. Arrays in, arrays out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.skeleton import COCO_KEYPOINTS, Skeleton, coco_keypoints
from annotate.domain.tracks import Tracks

_KEYPOINTS = len(COCO_KEYPOINTS)
# Columns of speed and jitter.
RAW = 0
SMOOTHED = 1


@dataclass(frozen=True, eq=False)
class Timeline:
    """A video in B bins of equal time; NaN where a bin has no value.

    Attributes:
        edges_s: (B + 1,) float64 seconds from the first frame.
        people: (N,) int64: people in each frame that was annotated, in order.
        most: (B,) float64: most people at once; NaN where no frame was annotated.
        confidence: (17, B) float64 in [0, 1]: mean visibility of COCO's keypoints.
        speed: (2, B) float64: mean over keypoints, raw and smoothed, in body heights a second.
        jitter: (2, B) float64: mean length of the keypoints' second difference in time, raw and
            smoothed, in body heights a square second.
    """

    edges_s: NDArray[np.float64]
    people: IntArray
    most: NDArray[np.float64]
    confidence: NDArray[np.float64]
    speed: NDArray[np.float64]
    jitter: NDArray[np.float64]


class TimelineReader:
    """Adds up the blocks of a video, in order; the answer does not depend on their cuts."""

    def __init__(
        self, frames: IntArray, time_s: NDArray[np.float64], bins: int, skeleton: Skeleton
    ) -> None:
        """Prepares for the first block.

        Args:
            frames: (N,) int64, increasing: source indices of the annotated frames, at least one.
            time_s: (N,) float64 seconds of them.
            bins: how many.
            skeleton: of the landmarks.
        """
        self._frames, self._time_s, self._skeleton = frames, time_s, skeleton
        steps = np.diff(time_s)
        self._step_s = float(np.median(steps)) if len(steps) else 0.0
        self._edges = np.linspace(time_s[0], time_s[-1] + (self._step_s or 1), bins + 1)
        self._people = np.zeros(len(frames), np.int64)
        self._seen = np.zeros((2, _KEYPOINTS, bins))
        self._motion = np.zeros((2, 2, 2, bins))  # sum and count; speed and jitter; raw, smoothed
        self._before: dict[int, Tracks] = {}

    @property
    def edges_s(self) -> NDArray[np.float64]:
        """(B + 1,) float64 seconds from the first frame."""
        return self._edges

    def add(self, block: Tracks) -> None:
        """Adds the next block."""
        place = np.searchsorted(self._frames, block.frame_index)
        self._people += np.bincount(place, minlength=len(self._frames))
        bins = self._bins(block.time_s)
        visibility = coco_keypoints(block.smoothed, self._skeleton)[:, :, 2]
        seen = ~block.filled
        np.add.at(self._seen[0].T, bins[seen], visibility[seen])
        np.add.at(self._seen[1].T, bins[seen], 1)
        for number in np.unique(block.track_id).tolist():
            own = block.take(block.track_id == number)
            known = Tracks.concat([self._before[number], own]) if number in self._before else own
            self._add_motion(known, len(known) - len(own))
            self._before[number] = known.take(np.arange(max(len(known) - 2, 0), len(known)))

    def timeline(self, annotated: NDArray[np.bool_]) -> Timeline:
        """The sums of all blocks.

        Args:
            annotated: (N,) bool: frames in which people were looked for.
        """
        bins = self._bins(self._time_s)
        most = np.full(len(self._edges) - 1, np.nan)
        np.fmax.at(most, bins[annotated], self._people[annotated].astype(np.float64))
        total, count = self._motion
        return Timeline(
            edges_s=self._edges,
            people=self._people[annotated],
            most=most,
            confidence=_mean(*self._seen),
            speed=_mean(total[0], count[0]),
            jitter=_mean(total[1], count[1]),
        )

    def _bins(self, time_s: NDArray[np.float64]) -> IntArray:
        places = np.searchsorted(self._edges, time_s, side="right") - 1
        return places.clip(0, len(self._edges) - 2)

    def _add_motion(self, own: Tracks, known: int) -> None:
        """Adds the poses of a track from place `known` on; those before were added already."""
        step_s = np.diff(own.time_s)
        follows = step_s < 2 * self._step_s
        height = np.maximum(np.ptp(own.smoothed[:, :, :2], axis=1).max(axis=1), 1)
        for which, landmarks in ((RAW, own.raw), (SMOOTHED, own.smoothed)):
            xy = coco_keypoints(landmarks, self._skeleton)[:, :, :2].astype(np.float64)
            velocity = np.diff(xy, axis=0) / step_s[:, None, None]
            speed = np.linalg.norm(velocity, axis=2).mean(axis=1) / height[1:]
            self._sum(0, which, own.time_s[1:], np.where(follows, speed, np.nan), known - 1)
            between_s = (step_s[1:] + step_s[:-1]) / 2
            change = np.linalg.norm(np.diff(velocity, axis=0), axis=2).mean(axis=1)
            jitter = change / between_s / height[2:]
            both = follows[1:] & follows[:-1]
            self._sum(1, which, own.time_s[2:], np.where(both, jitter, np.nan), known - 2)

    def _sum(
        self, what: int, which: int, time_s: NDArray[np.float64], values: FloatArray, known: int
    ) -> None:
        start = max(known, 0)
        values, bins = values[start:], self._bins(time_s[start:])
        good = np.isfinite(values)
        np.add.at(self._motion[0, what, which], bins[good], values[good])
        np.add.at(self._motion[1, what, which], bins[good], 1)


def _mean(total: NDArray[np.float64], count: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
