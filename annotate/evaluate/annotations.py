"""The columns that all figures are computed from: images, people of the truth, poses found."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.skeleton import COCO_KEYPOINTS, COCO_SIGMAS

# Stands for "the file does not say" in columns of numbers.
MISSING = -1
# How far annotators disagree on a keypoint that COCO lacks: the median of COCO's own, as a fraction
# of the square root of the area.
OTHER_SIGMA = float(np.median(COCO_SIGMAS))


@dataclass(frozen=True, eq=False)
class Images:
    """N images, ordered by video, then frame.

    Attributes:
        id: (N,) int64, as in the file of the ground truth.
        name: N file names.
        video: (N,) int64; `MISSING` where the image is not a frame of a video.
        frame: (N,) int64 number of the frame in its video, or `MISSING`.
        time_s: (N,) float64 seconds, or NaN.
    """

    id: IntArray
    name: tuple[str, ...]
    video: IntArray
    frame: IntArray
    time_s: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.id)


@dataclass(frozen=True, eq=False)
class Annotations:
    """P people of the ground truth, or P poses that were found, ordered by image.

    Attributes:
        image: (P,) int64 row in `Images`.
        keypoints: (P, K, 2) float64 pixels.
        labelled: (P, K) bool; all of them in a results file, which need not say; none in a crowd.
        visible: (P, K) bool: labelled, and not hidden by anything.
        bbox: (P, 4) float64: x, y, width, height in pixels.
        area: (P,) float64 square pixels.
        score: (P,) float64; 1 where the file has none.
        track: (P,) int64 track id, or `MISSING`.
        crowd: (P,) bool: a region full of people rather than a person.
    """

    image: IntArray
    keypoints: NDArray[np.float64]
    labelled: NDArray[np.bool_]
    visible: NDArray[np.bool_]
    bbox: NDArray[np.float64]
    area: NDArray[np.float64]
    score: NDArray[np.float64]
    track: IntArray
    crowd: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.image)


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """What is known: the images, and all people in them.

    Attributes:
        keypoints: names of the K keypoints.
    """

    images: Images
    people: Annotations
    keypoints: tuple[str, ...] = COCO_KEYPOINTS

    @property
    def sigmas(self) -> FloatArray:
        """(K,) float32: how far annotators disagree on each keypoint, for OKS."""
        known = dict(zip(COCO_KEYPOINTS, COCO_SIGMAS.tolist(), strict=True))
        return np.array([known.get(name, OTHER_SIGMA) for name in self.keypoints], np.float32)

    @property
    def videos(self) -> IntArray:
        """(N,) int64 number of each image's video; an image that is in none is alone."""
        alone = -1 - np.arange(len(self.images))
        groups = np.where(self.images.video == MISSING, alone, self.images.video)
        number: IntArray = np.unique(groups, return_inverse=True)[1].reshape(-1)
        return number


@dataclass(frozen=True, eq=False)
class Predictions:
    """What was found.

    Attributes:
        poses: in the images of the ground truth.
        in_other_images: number of poses left out because the ground truth lacks their image.
    """

    poses: Annotations
    in_other_images: int


def track_numbers(annotations: Annotations, images: Images) -> IntArray:
    """(P,) int64 number of each track, different in every video; `MISSING` without a track id."""
    both = np.stack([images.video[annotations.image], annotations.track], axis=1)
    number: IntArray = np.unique(both, axis=0, return_inverse=True)[1].reshape(-1)
    return np.where(annotations.track == MISSING, MISSING, number)


def count_tracks(annotations: Annotations, images: Images) -> int:
    """Number of tracks, over all videos."""
    numbers = track_numbers(annotations, images)
    return len(np.unique(numbers[numbers != MISSING]))
