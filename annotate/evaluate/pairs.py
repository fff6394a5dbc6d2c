"""Which pose is which person, image by image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from annotate.domain.arrays import FloatArray, IntArray
from annotate.evaluate.dataset import People, Truth
from annotate.numeric.similarity import oks

# The least similarity of a pose to the person that it fits: COCO's evaluation counts from here.
LEAST_OKS = 0.5


@dataclass(frozen=True, eq=False)
class Meeting:
    """The people and the poses of one image that count.

    Attributes:
        people: (n,) int64 rows of the truth.
        poses: (m,) int64 rows of the predictions.
        oks: (n, m) float32 in [0, 1].
    """

    people: IntArray
    poses: IntArray
    oks: FloatArray


@dataclass(frozen=True, eq=False)
class Pairs:
    """The poses that fit a person, and all that could have.

    Attributes:
        meetings: of every image, in order.
        person: (M,) int64: row of the truth.
        pose: (M,) int64: row of the predictions that fits that person.
    """

    meetings: tuple[Meeting, ...]
    person: IntArray
    pose: IntArray


def pair(truth: Truth, poses: People) -> Pairs:
    """Pairs people and poses one to one, so that the sum of OKS is greatest, at LEAST_OKS or more.

    Nobody is asked for a crowd, or for people without a labelled keypoint: neither they nor a pose
    that lies on them and fits nobody else counts.
    """
    asked = np.asarray(truth.people.labelled.any(axis=1))
    places = np.arange(len(truth.images) + 1)
    first_person = np.searchsorted(truth.people.image, places)
    first_pose = np.searchsorted(poses.image, places)
    meetings: list[Meeting] = []
    pairs: list[tuple[IntArray, IntArray]] = []
    for image in places[:-1]:
        people = np.arange(first_person[image], first_person[image + 1])
        here = np.arange(first_pose[image], first_pose[image + 1])
        wanted, others = people[asked[people]], people[~asked[people]]
        likeness = _likeness(truth.people, wanted, poses, here)
        rows, columns = linear_sum_assignment(np.where(likeness >= LEAST_OKS, -likeness, 0))
        same = likeness[rows, columns] >= LEAST_OKS
        rows, columns = rows[same], columns[same]
        counted = ~_lie_on(poses.keypoints[here], truth.people.bbox[others])
        counted[columns] = True
        meetings.append(Meeting(wanted, here[counted], likeness[:, counted]))
        pairs.append((wanted[rows], here[columns]))
    empty = np.zeros(0, np.int64)
    person, pose = (np.concatenate([p[side] for p in pairs] or [empty]) for side in (0, 1))
    return Pairs(tuple(meetings), person, pose)


def _likeness(
    people: People, wanted: NDArray[np.intp], poses: People, here: NDArray[np.intp]
) -> FloatArray:
    return oks(
        people.keypoints[wanted].astype(np.float32),
        poses.keypoints[here].astype(np.float32),
        people.labelled[wanted],
        people.area[wanted].astype(np.float32),
    )


def _lie_on(keypoints: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(m,): whether half of a pose's keypoints lie inside one of the boxes."""
    start = boxes[:, None, None, :2]
    inside = (keypoints >= start) & (keypoints <= start + boxes[:, None, None, 2:])
    on: NDArray[np.bool_] = (inside.all(axis=3).mean(axis=2) >= 0.5).any(axis=0)
    return on
