"""How many people are found, by their height and by how much of them is visible."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from annotate.evaluate.annotations import Annotations
from annotate.evaluate.matching import Matches

# Lower ends of the bands of height, in pixels.
HEIGHTS = (0, 40, 80, 120, 240, 480)
# Ends of the bands of the share of a person's keypoints that are visible.
VISIBLE_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


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
class VisibilityCounts:
    """Counts of the people of one band of the visible share of a person.

    Attributes:
        low, high: the band of the share of all keypoints that are visible, `high` included.
        people: of the ground truth.
        found: those that a pose matches.
    """

    low: float
    high: float
    people: int
    found: int

    @property
    def recall(self) -> float | None:
        """Fraction of the people that are found; None without people."""
        return self.found / self.people if self.people else None


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


def count_by_visibility(people: Annotations, matches: Matches) -> tuple[VisibilityCounts, ...]:
    """The counts of each band of the visible share, the lowest first."""
    share = people.visible.mean(axis=1)
    band = np.clip(np.searchsorted(VISIBLE_SHARES, share) - 1, 0, None)
    bands = len(VISIBLE_SHARES) - 1
    rows = matches.people, matches.person
    counted, found = (np.bincount(band[one], minlength=bands) for one in rows)
    return tuple(
        VisibilityCounts(low, high, *counts)
        for (low, high), *counts in zip(
            pairwise(VISIBLE_SHARES), counted.tolist(), found.tolist(), strict=True
        )
    )
