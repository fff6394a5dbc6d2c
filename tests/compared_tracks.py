"""The tracks of a video, as an export says them, against the truth: for the scripted reviewer."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.evaluate import match_poses, read_predictions
from annotate.evaluate.annotations import GroundTruth
from annotate.evaluate.matching import MIN_OKS
from annotate.evaluate.tracking import measure_tracking

# A track goes over to another person only where that explains more poses than this: a split and a
# merge are two actions, and so is looking again in two frames.
CHANGE_COST = 3


@dataclass(frozen=True, eq=False)
class Compared:
    """The tracks of a video against the truth: F frames, P people, T tracks.

    Attributes:
        idf1: as `tests.benchmarks.tracking` measures it.
        tracks: (T,) int64 ids.
        there: (F, P) bool: the person is in the frame and counts.
        found: (F, T) bool: the track has a pose in the frame, and it counts.
        right: (F, P, T) bool: that pose is the person.
    """

    idf1: float
    tracks: IntArray
    there: NDArray[np.bool_]
    found: NDArray[np.bool_]
    right: NDArray[np.bool_]

    def owners(self, track: int) -> IntArray:
        """(F,) int64: the person that each pose of a track should be; changes cost `CHANGE_COST`.

        Args:
            track: its place in `tracks`.
        """
        wrong = (self.found[:, track, None] & ~self.right[:, :, track]).astype(np.int64)
        everybody = np.arange(wrong.shape[1])
        cost, came = wrong[0], []
        for here in wrong[1:]:
            changed = cost.min() + CHANGE_COST
            came.append(np.where(cost <= changed, everybody, cost.argmin()))
            cost = np.minimum(cost, changed) + here
        owner = [int(cost.argmin())]
        for before in reversed(came):
            owner.append(int(before[owner[-1]]))
        return np.array(owner[::-1], np.int64)

    def lacking(self, person: int, track: int | None) -> NDArray[np.bool_]:
        """(F,) bool: the person's track has no right pose, though the person is there."""
        lacking = self.there[:, person].copy()
        if track is not None:
            lacking &= ~self.right[:, person, track]
        return lacking


def compared(truth: GroundTruth, answer: Path) -> Compared:
    """An export of the video against its truth, whose images are all frames of one video."""
    poses = read_predictions(answer, truth).poses
    matches = match_poses(truth, poses)
    figures = measure_tracking(truth, poses, matches)
    people, tracks = np.unique(truth.people.track), np.unique(poses.track)
    frames = len(truth.images)
    there = np.zeros((frames, len(people)), np.bool_)
    found = np.zeros((frames, len(tracks)), np.bool_)
    right = np.zeros((frames, len(people), len(tracks)), np.bool_)
    for frame, image in enumerate(matches.images):
        person = np.searchsorted(people, truth.people.track[image.people])
        track = np.searchsorted(tracks, poses.track[image.poses])
        there[frame, person] = True
        found[frame, track] = True
        right[frame, person[:, None], track] = image.oks >= MIN_OKS
    return Compared(figures.idf1 if figures else 0.0, tracks, there, found, right)
