"""How many people are found, by their height, and how near their keypoints are."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from annotate.domain.skeleton import COCO_KEYPOINTS
from annotate.evaluate.dataset import People
from annotate.evaluate.pairs import Pairs

# Lower ends of the bands of height, in pixels.
HEIGHTS = (0, 40, 80, 120, 240, 480)
TOLERANCE = 0.2
_SHOULDERS, _HIPS = [5, 6], [11, 12]


@dataclass(frozen=True)
class Found:
    """What became of the people of one band of height.

    Attributes:
        low, high: the band `[low, high)` in pixels; `high` is None for the last one.
        people: of the truth, by the height of their box.
        found: those whom a pose fits.
        invented: poses that fit nobody, by the height of their own box.
    """

    low: int
    high: int | None
    people: int
    found: int
    invented: int

    @property
    def recall(self) -> float | None:
        """Share of the people who are found; None without people."""
        return self.found / self.people if self.people else None

    @property
    def precision(self) -> float | None:
        """Share of the poses that fit somebody; None without poses."""
        poses = self.found + self.invented
        return self.found / poses if poses else None


@dataclass(frozen=True)
class Correct:
    """PCK@0.2: share of the labelled keypoints that lie within 0.2 torso lengths of the truth.

    The torso goes from the middle of the shoulders to the middle of the hips of the truth, as in
    the paper on BlazePose; people without those four keypoints are left out. Only people who are
    found count: recall tells of the others.

    Attributes:
        all: of all keypoints; None where there is none to compare.
        each: of each of the 17, likewise.
    """

    all: float | None
    each: tuple[float | None, ...]


def found_by_height(people: People, poses: People, pairs: Pairs) -> tuple[Found, ...]:
    """The bands of height, the lowest first; their sums are those of the whole."""
    empty = np.zeros(0, np.int64)
    asked = np.concatenate([m.people for m in pairs.meetings] or [empty])
    counted = np.concatenate([m.poses for m in pairs.meetings] or [empty])
    heights = (
        people.bbox[asked, 3],
        people.bbox[pairs.person, 3],
        poses.bbox[np.setdiff1d(counted, pairs.pose), 3],
    )
    columns = [np.histogram(one, [*HEIGHTS, np.inf])[0].tolist() for one in heights]
    bands = pairwise([*HEIGHTS, None])
    return tuple(
        Found(low or 0, high, *counts) for (low, high), *counts in zip(bands, *columns, strict=True)
    )


def correct_keypoints(people: People, poses: People, pairs: Pairs) -> Correct:
    """PCK@0.2 over all pairs."""
    true, labelled = people.keypoints[pairs.person], people.labelled[pairs.person]
    torso = np.linalg.norm(true[:, _SHOULDERS].mean(axis=1) - true[:, _HIPS].mean(axis=1), axis=1)
    whole = labelled[:, _SHOULDERS + _HIPS].all(axis=1) & (torso > 0)
    apart = np.linalg.norm(poses.keypoints[pairs.pose] - true, axis=2)
    right, counted = apart < TOLERANCE * torso[:, None], labelled & whole[:, None]
    return Correct(
        all=_share(right, counted),
        each=tuple(_share(right[:, k], counted[:, k]) for k in range(len(COCO_KEYPOINTS))),
    )


def _share(right: NDArray[np.bool_], counted: NDArray[np.bool_]) -> float | None:
    return float(right[counted].mean()) if counted.any() else None
