"""How sure the figures are: bootstrap intervals over videos, or over images that are in none."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.evaluate.annotations import MISSING, Annotations, GroundTruth
from annotate.evaluate.keypoints import correct_keypoints
from annotate.evaluate.matching import Matches
from annotate.evaluate.ranking import Ranking

# Samples that are drawn, always the same ones.
SAMPLES, SEED = 400, 0
# The share of the samples whose figure is in the interval.
COVERAGE = 0.9

Interval: TypeAlias = tuple[float, float] | None


@dataclass(frozen=True)
class Intervals:
    """90% intervals of figures; None where there is nothing to draw from, or no such figure.

    Attributes:
        over: what is drawn with replacement: whole videos, since frames of one are much alike.
        groups: how many of them there are.
        ap, ar: of COCO.
        recall, precision: of people, at OKS 0.5.
        pck: PCK@0.2.
    """

    over: Literal["videos", "images"]
    groups: int
    ap: Interval
    ar: Interval
    recall: Interval
    precision: Interval
    pck: Interval


def measure_intervals(
    truth: GroundTruth, poses: Annotations, matches: Matches, ranking: Ranking
) -> Intervals:
    """The intervals of the figures that `evaluate` gives."""
    group = truth.videos
    groups = int(group.max()) + 1 if len(group) else 0
    over = _draws(group, groups)
    found, people, answers = _counts(truth, matches)
    correct, compared = _keypoint_counts(truth, poses, matches)
    both = np.array([ranking.ap_ar(weights) for weights in over]).reshape(-1, 2)
    return Intervals(
        over="images" if (truth.images.video == MISSING).all() else "videos",
        groups=groups,
        ap=_interval(both[:, 0]),
        ar=_interval(both[:, 1]),
        recall=_interval(_ratio(over @ found, over @ people)),
        precision=_interval(_ratio(over @ found, over @ answers)),
        pck=_interval(_ratio(over @ correct, over @ compared)),
    )


def _draws(group: IntArray, groups: int) -> NDArray[np.float64]:
    """(B, N) how many times each sample holds each image; none where there is only one group."""
    if groups < 2:
        return np.zeros((0, len(group)))
    chances = np.full(groups, 1.0 / groups)
    drawn = np.random.default_rng(SEED).multinomial(groups, chances, size=SAMPLES)
    return drawn[:, group].astype(np.float64)


def _counts(truth: GroundTruth, matches: Matches) -> tuple[IntArray, IntArray, IntArray]:
    """(N,) people who are found, all people, and all poses of each image."""
    images = len(truth.images)
    found = np.bincount(truth.people.image[matches.person], minlength=images)
    people = np.array([len(one.people) for one in matches.images], np.int64)
    poses = np.array([len(one.poses) for one in matches.images], np.int64)
    return found, people, poses


def _keypoint_counts(
    truth: GroundTruth, poses: Annotations, matches: Matches
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(N,) correct keypoints, and all that are compared, of each image."""
    correct, counted = correct_keypoints(truth, poses, matches)
    image, images = truth.people.image[matches.person], len(truth.images)
    right, compared = np.zeros((2, images))
    np.add.at(right, image, (correct & counted).sum(axis=1))
    np.add.at(compared, image, counted.sum(axis=1))
    return right, compared


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return part / np.where(whole > 0, whole, np.nan)


def _interval(values: NDArray[np.float64]) -> Interval:
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    low, high = np.quantile(known, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2]).tolist()
    return low, high
