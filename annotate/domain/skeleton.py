"""Skeletons of the models and of COCO: the one place where landmarks become keypoints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.domain.landmark_names import (
    FACE,
    FACE_MIRROR,
    HALPE_FEET,
    HALPE_MIDDLE,
    HANDS,
    WHOLEBODY_FEET,
)

COCO_KEYPOINTS = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)

# For each keypoint, its index in the mirrored body.
COCO_MIRROR = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)

# Pairs of COCO keypoints that are drawn as limbs, 0-based.
COCO_EDGES = (
    (15, 13),
    (13, 11),
    (16, 14),
    (14, 12),
    (11, 12),
    (5, 11),
    (6, 12),
    (5, 6),
    (5, 7),
    (6, 8),
    (7, 9),
    (8, 10),
    (1, 2),
    (0, 1),
    (0, 2),
    (1, 3),
    (2, 4),
    (3, 5),
    (4, 6),
)

# Fraction of a person's bounding box that the body covers, where no mask is known; with it, OKS
# from boxes agrees with OKS from COCO's masks on average.
AREA_OF_BOX = 0.53

# How far annotators disagree on each keypoint, as a fraction of the square root of the area;
# source: COCO's keypoint evaluation.
COCO_SIGMAS: FloatArray = np.array(
    [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89], np.float32
) / np.float32(1000)

_UPPER_BODY = (
    "nose",
    "left_eye_inner",
    "left_eye",
    "left_eye_outer",
    "right_eye_inner",
    "right_eye",
    "right_eye_outer",
    "left_ear",
    "right_ear",
    "mouth_left",
    "mouth_right",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_pinky",
    "right_pinky",
    "left_index",
    "right_index",
    "left_thumb",
    "right_thumb",
    "left_hip",
    "right_hip",
)

_LEGS = (
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
    "left_heel",
    "right_heel",
    "left_foot_index",
    "right_foot_index",
)


@dataclass(frozen=True)
class Skeleton:
    """The landmarks of a model.

    Attributes:
        name: as in `pack.json`.
        landmarks: names, in the model's order.
        coco17: for each COCO keypoint the index of its landmark, or None where the model lacks it.
    """

    name: str
    landmarks: tuple[str, ...]
    coco17: tuple[int | None, ...]

    @property
    def mirror(self) -> tuple[int, ...]:
        """For each landmark, its index in the mirrored body."""
        return mirror(self.landmarks)


def mirror(names: Sequence[str]) -> tuple[int, ...]:
    """For each of these landmarks or keypoints, its index in the mirrored body."""
    swap = {"left": "right", "right": "left"}
    return tuple(
        names.index(
            FACE_MIRROR.get(name) or "_".join(swap.get(word, word) for word in name.split("_"))
        )
        for name in names
    )


def _skeleton(name: str, landmarks: tuple[str, ...]) -> Skeleton:
    places = {landmark: place for place, landmark in enumerate(landmarks)}
    return Skeleton(name, landmarks, tuple(places.get(keypoint) for keypoint in COCO_KEYPOINTS))


SKELETONS: Mapping[str, Skeleton] = MappingProxyType(
    {
        skeleton.name: skeleton
        for skeleton in (
            _skeleton("blazepose-33", _UPPER_BODY + _LEGS),
            _skeleton("blazepose-25", _UPPER_BODY),
            _skeleton("coco-17", COCO_KEYPOINTS),
            _skeleton("halpe-26", COCO_KEYPOINTS + HALPE_MIDDLE + HALPE_FEET),
            _skeleton("wholebody-133", COCO_KEYPOINTS + WHOLEBODY_FEET + FACE + HANDS),
        )
    }
)


def oks_constants() -> dict[str, object]:
    """All that OKS depends on besides the poses, for the digests of what uses it."""
    return {"area_of_box": AREA_OF_BOX, "coco_sigmas": COCO_SIGMAS.tolist()}


def coco_keypoints(landmarks: FloatArray, skeleton: Skeleton) -> FloatArray:
    """The 17 COCO keypoints of each pose.

    Args:
        landmarks: (P, L, 5) float32: x, y, z, visibility, presence.
        skeleton: of the landmarks.

    Returns:
        (P, 17, 4) float32: x, y, visibility, presence; all 0 where the skeleton lacks the keypoint.
    """
    return keypoints_of(landmarks, skeleton.coco17)[:, :, [0, 1, 3, 4]]


def keypoints_of(landmarks: FloatArray, places: Sequence[int | None]) -> FloatArray:
    """Some landmarks of each pose.

    Args:
        landmarks: (P, L, ...) float32.
        places: of K keypoints among the landmarks, or None where the model lacks one.

    Returns:
        (P, K, ...) float32: all 0 where the model lacks the keypoint.
    """
    present = [(k, place) for k, place in enumerate(places) if place is not None]
    found: FloatArray = np.take(landmarks, [place for _, place in present], axis=1)
    if len(present) == len(places):
        return found
    keypoints = np.zeros((len(landmarks), len(places), *landmarks.shape[2:]), np.float32)
    keypoints[:, [k for k, _ in present]] = found
    return keypoints


def coco_visibility(keypoints: FloatArray, width: int, height: int) -> np.ndarray:
    """COCO's v of each keypoint.

    2 where it is visible (visibility >= 0.5), 1 where it is in the picture but hidden
    (presence >= 0.5), else 0; 0 too where it lies outside the picture.

    Args:
        keypoints: (P, K, 4) float32: x, y, visibility, presence.
        width, height: of the picture, in pixels.

    Returns:
        (P, K) int64.
    """
    x, y, visibility, presence = np.moveaxis(keypoints, 2, 0)
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    v = np.where(visibility >= 0.5, 2, np.where(presence >= 0.5, 1, 0))
    return np.where(inside, v, 0)
