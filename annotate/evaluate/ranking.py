"""All poses in the order of their scores, with what COCO's evaluation matched: AP and AR of any
sample of the images follow from it without matching again.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray

# Recalls at which COCO reads the precision.
_RECALLS = np.linspace(0.0, 1.0, 101)
# Keeps 0 / 0 at 0, as COCO does.
_LEAST = float(np.spacing(1))


@dataclass(frozen=True, eq=False)
class Ranking:
    """D poses in descending order of score, in N images.

    Attributes:
        image: (D,) int64 row of each pose's image.
        matched: (T, D) bool: whether the pose matches a person at each of the T thresholds of OKS.
        counts: (T, D) bool: false where the pose lies on a crowd, and is ignored.
        people: (N,) int64 number of people that count in each image.
    """

    image: IntArray
    matched: NDArray[np.bool_]
    counts: NDArray[np.bool_]
    people: IntArray

    def ap_ar(self, weights: NDArray[np.float64]) -> tuple[float, float]:
        """AP and AR where each image (N,) is there so many times; NaN without people."""
        people = float(weights @ self.people)
        if not people:
            return np.nan, np.nan
        if not len(self.image):
            return 0.0, 0.0
        weight = np.where(self.counts, weights[self.image], 0.0)
        right = np.cumsum(weight * self.matched, axis=1)
        all_found = np.cumsum(weight, axis=1)
        recall = right / people
        precision = right / (all_found + _LEAST)
        best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        padded = np.column_stack([best, np.zeros(len(best))])
        read = [one[np.searchsorted(r, _RECALLS)] for one, r in zip(padded, recall, strict=True)]
        return float(np.mean(read)), float(recall[:, -1].mean())


def ranking_of(run: Any, images: int) -> Ranking:
    """The ranking of a COCOeval that has evaluated people of all sizes, whose images are numbered
    from 0.
    """
    of_image = run.evalImgs[:images]  # the first size is that of all people
    limit = run.params.maxDets[-1]
    known = [(row, one) for row, one in enumerate(of_image) if one]
    people = np.zeros(images, np.int64)
    for row, one in known:
        people[row] = np.count_nonzero(np.equal(one["gtIgnore"], 0))
    none = np.zeros((len(run.params.iouThrs), 0), np.bool_)
    matched = [none, *(one["dtMatches"][:, :limit] > 0 for _, one in known)]
    ignored = [none, *(one["dtIgnore"][:, :limit] > 0 for _, one in known)]
    scores = np.array([score for _, one in known for score in one["dtScores"][:limit]])
    image = [np.full(len(one["dtScores"][:limit]), row, np.int64) for row, one in known]
    order = np.argsort(-scores, kind="stable")
    return Ranking(
        np.concatenate([np.zeros(0, np.int64), *image])[order],
        np.concatenate(matched, axis=1)[:, order],
        ~np.concatenate(ignored, axis=1)[:, order],
        people,
    )
