"""Matches poses with people of the ground truth, image by image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from annotate.domain.arrays import FloatArray, IntArray
from annotate.evaluate.annotations import Annotations, GroundTruth
from annotate.numeric.similarity import oks

# The smallest OKS at which a pose can match a person: COCO's evaluation counts from here.
MIN_OKS = 0.5
# The smallest fraction of a pose's keypoints inside a box at which the pose lies on it.
MIN_INSIDE = 0.5


@dataclass(frozen=True, eq=False)
class ImageMatch:
    """The people and the poses of one image that count.

    Attributes:
        people: (n,) int64 rows of the ground truth.
        poses: (m,) int64 rows of the predictions.
        oks: (n, m) float32 in [0, 1].
    """

    people: IntArray
    poses: IntArray
    oks: FloatArray


@dataclass(frozen=True, eq=False)
class Matches:
    """Which pose matches which person.

    Attributes:
        images: what counts in every image, in order.
        person: (M,) int64 row of the ground truth of each match.
        pose: (M,) int64 row of the predictions of each match.
    """

    images: tuple[ImageMatch, ...]
    person: IntArray
    pose: IntArray

    @property
    def people(self) -> IntArray:
        """Rows of all people that count, matched or not."""
        return np.concatenate([image.people for image in self.images] or [_NO_ROWS])

    @property
    def poses(self) -> IntArray:
        """Rows of all poses that count, matched or not."""
        return np.concatenate([image.poses for image in self.images] or [_NO_ROWS])


_NO_ROWS = np.zeros(0, np.int64)


def match_poses(truth: GroundTruth, poses: Annotations) -> Matches:
    """Matches people and poses one to one, with the greatest sum of OKS, each at `MIN_OKS` or more.

    Crowds and people without a labelled keypoint are ignored: neither they nor an unmatched pose
    that lies on them counts.
    """
    counts = np.asarray(truth.people.labelled.any(axis=1))
    bounds = np.arange(len(truth.images) + 1)
    first_person = np.searchsorted(truth.people.image, bounds)
    first_pose = np.searchsorted(poses.image, bounds)
    images: list[ImageMatch] = []
    pairs: list[tuple[IntArray, IntArray]] = []
    for image in bounds[:-1]:
        people = np.arange(first_person[image], first_person[image + 1])
        found = np.arange(first_pose[image], first_pose[image + 1])
        counted, ignored = people[counts[people]], people[~counts[people]]
        similarity = _similarity(truth, counted, poses, found)
        rows, columns = linear_sum_assignment(np.where(similarity >= MIN_OKS, -similarity, 0))
        matched = similarity[rows, columns] >= MIN_OKS
        rows, columns = rows[matched], columns[matched]
        kept = ~_lies_on(poses.keypoints[found], truth.people.bbox[ignored])
        kept[columns] = True
        images.append(ImageMatch(counted, found[kept], similarity[:, kept]))
        pairs.append((counted[rows], found[columns]))
    person, pose = (np.concatenate([p[side] for p in pairs] or [_NO_ROWS]) for side in (0, 1))
    return Matches(tuple(images), person, pose)


def _similarity(
    truth: GroundTruth, rows: NDArray[np.intp], poses: Annotations, columns: NDArray[np.intp]
) -> FloatArray:
    """(n, m) float32 OKS of people `rows` and poses `columns`."""
    people = truth.people
    return oks(
        people.keypoints[rows].astype(np.float32),
        poses.keypoints[columns].astype(np.float32),
        people.labelled[rows],
        people.area[rows].astype(np.float32),
        truth.sigmas,
    )


def _lies_on(keypoints: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(m,): whether `MIN_INSIDE` of a pose's keypoints (m, K, 2) are in one of the boxes."""
    start = boxes[:, None, None, :2]
    inside = (keypoints >= start) & (keypoints <= start + boxes[:, None, None, 2:])
    on: NDArray[np.bool_] = (inside.all(axis=3).mean(axis=2) >= MIN_INSIDE).any(axis=0)
    return on
