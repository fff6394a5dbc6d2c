"""How many people are found, by their height, and how close their keypoints are."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from annotate.domain.skeleton import COCO_KEYPOINTS
from annotate.evaluate.annotations import Annotations
from annotate.evaluate.matching import Matches

# Lower ends of the bands of height, in pixels.
HEIGHTS = (0, 40, 80, 120, 240, 480)
# The largest distance of a correct keypoint from the truth, in torso lengths: PCK@0.2.
PCK_TOLERANCE = 0.2
_SHOULDERS, _HIPS = [5, 6], [11, 12]


@dataclass(frozen=True)
class DetectionCounts:
    """Counts of people and poses of one band of height.

    Attributes:
        low, high: the band `[low, high)` in pixels; `high` is None for the last one.
        people: of the ground truth, by the height of their box.
        found: those that a pose matches.
        false_positives: poses that match no person, by the height of their own box.
    """

    low: int
    high: int | None
    people: int
    found: int
    false_positives: int

    @property
    def recall(self) -> float | None:
        """Fraction of the people that are found; None without people."""
        return self.found / self.people if self.people else None

    @property
    def precision(self) -> float | None:
        """Fraction of the poses that match a person; None without poses."""
        poses = self.found + self.false_positives
        return self.found / poses if poses else None


@dataclass(frozen=True)
class Pck:
    """PCK@0.2: fraction of the labelled keypoints within 0.2 torso lengths of the truth.

    The torso goes from the middle of the shoulders to the middle of the hips of the truth, as in
    the paper on BlazePose; people without those four keypoints are left out. Only people who are
    found count: recall tells of the others.

    Attributes:
        overall: of all keypoints; None where there is none to compare.
        by_keypoint: of each of the 17, likewise.
    """

    overall: float | None
    by_keypoint: tuple[float | None, ...]


def count_by_height(
    people: Annotations, poses: Annotations, matches: Matches
) -> tuple[DetectionCounts, ...]:
    """The counts of each band of height, the lowest first."""
    heights = (
        people.bbox[matches.people, 3],
        people.bbox[matches.person, 3],
        poses.bbox[np.setdiff1d(matches.poses, matches.pose), 3],
    )
    columns = [np.histogram(one, [*HEIGHTS, np.inf])[0].tolist() for one in heights]
    bands = pairwise([*HEIGHTS, None])
    return tuple(
        DetectionCounts(low or 0, high, *counts)
        for (low, high), *counts in zip(bands, *columns, strict=True)
    )


def count_all(bands: Sequence[DetectionCounts]) -> DetectionCounts:
    """The sums of the counts of all bands of height."""
    return DetectionCounts(
        low=0,
        high=None,
        people=sum(band.people for band in bands),
        found=sum(band.found for band in bands),
        false_positives=sum(band.false_positives for band in bands),
    )


def measure_pck(people: Annotations, poses: Annotations, matches: Matches) -> Pck:
    """PCK@0.2 over all matches."""
    true, labelled = people.keypoints[matches.person], people.labelled[matches.person]
    torso = np.linalg.norm(true[:, _SHOULDERS].mean(axis=1) - true[:, _HIPS].mean(axis=1), axis=1)
    has_torso = labelled[:, _SHOULDERS + _HIPS].all(axis=1) & (torso > 0)
    distance = np.linalg.norm(poses.keypoints[matches.pose] - true, axis=2)
    correct = distance < PCK_TOLERANCE * torso[:, None]
    counted = labelled & has_torso[:, None]
    return Pck(
        overall=_fraction(correct, counted),
        by_keypoint=tuple(
            _fraction(correct[:, k], counted[:, k]) for k in range(len(COCO_KEYPOINTS))
        ),
    )


def _fraction(correct: NDArray[np.bool_], counted: NDArray[np.bool_]) -> float | None:
    return float(correct[counted].mean()) if counted.any() else None
