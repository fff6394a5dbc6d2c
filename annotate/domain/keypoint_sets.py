"""Sets of keypoints that poses are exported as: names, mirrored pairs and limbs."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from annotate.domain.landmark_names import FINGERS, place_name
from annotate.domain.skeleton import COCO_EDGES, COCO_KEYPOINTS, SKELETONS, Skeleton, mirror

_BLAZEPOSE = SKELETONS["blazepose-33"].landmarks
_HALPE = SKELETONS["halpe-26"].landmarks
_WHOLEBODY = SKELETONS["wholebody-133"].landmarks
_FEET = ("left_heel", "right_heel", "left_foot_index", "right_foot_index")

# Limbs as MediaPipe draws them (its `POSE_CONNECTIONS`), by name without the side, or across.
_BLAZEPOSE_SIDE = (
    ("nose", "eye_inner"),
    ("eye_inner", "eye"),
    ("eye", "eye_outer"),
    ("eye_outer", "ear"),
    ("shoulder", "elbow"),
    ("elbow", "wrist"),
    ("wrist", "pinky"),
    ("wrist", "index"),
    ("wrist", "thumb"),
    ("pinky", "index"),
    ("shoulder", "hip"),
    ("hip", "knee"),
    ("knee", "ankle"),
    ("ankle", "heel"),
    ("heel", "foot_index"),
    ("ankle", "foot_index"),
)
_BLAZEPOSE_ACROSS = (
    ("mouth_left", "mouth_right"),
    ("left_shoulder", "right_shoulder"),
    ("left_hip", "right_hip"),
)


@dataclass(frozen=True)
class KeypointSet:
    """Keypoints in the order in which a format lists them.

    Attributes:
        name: as `--keypoints` knows it, or a format's own.
        names: of the K keypoints.
        edges: pairs of places that are drawn as limbs.
    """

    name: str
    names: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]

    def places(self, skeleton: Skeleton) -> tuple[int | None, ...]:
        """(K,): for each keypoint the index of its landmark, or None where the model lacks it."""
        known = {place_name(landmark): place for place, landmark in enumerate(skeleton.landmarks)}
        return tuple(known.get(place_name(name)) for name in self.names)

    @property
    def mirror(self) -> tuple[int, ...]:
        """(K,): for each keypoint, its place in the mirrored body."""
        return mirror(self.names)


def _edges(
    names: tuple[str, ...], pairs: tuple[tuple[str, str], ...]
) -> tuple[tuple[int, int], ...]:
    return tuple((names.index(a), names.index(b)) for a, b in pairs)


def _on(side: str, name: str) -> str:
    return name if name == "nose" else f"{side}_{name}"


_BODY_FEET = COCO_KEYPOINTS + _FEET
_FOOT_EDGES = tuple(
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (("ankle", "heel"), ("heel", "foot_index"), ("ankle", "foot_index"))
)
_TOE_EDGES = tuple(
    (f"{side}_ankle", f"{side}_{part}")
    for side in ("left", "right")
    for part in ("big_toe", "small_toe", "heel")
)
_HAND_EDGES = tuple(
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for finger in FINGERS
    for a, b in pairwise(("hand_root", *(f"{finger}{joint}" for joint in (1, 2, 3, 4))))
)
_HALPE_MIDDLE_EDGES = (("head", "neck"), ("neck", "hip"))
_BLAZEPOSE_EDGES = (
    *((_on(s, a), _on(s, b)) for s in ("left", "right") for a, b in _BLAZEPOSE_SIDE),
    *_BLAZEPOSE_ACROSS,
)

COCO17 = KeypointSet("coco17", COCO_KEYPOINTS, COCO_EDGES)
BODY_FEET = KeypointSet("body-feet", _BODY_FEET, COCO_EDGES + _edges(_BODY_FEET, _FOOT_EDGES))
BLAZEPOSE33 = KeypointSet("blazepose33", _BLAZEPOSE, _edges(_BLAZEPOSE, _BLAZEPOSE_EDGES))

HALPE26 = KeypointSet(
    "halpe26",
    _HALPE,
    COCO_EDGES + _edges(_HALPE, _HALPE_MIDDLE_EDGES + _TOE_EDGES),
)
WHOLEBODY133 = KeypointSet(
    "wholebody133", _WHOLEBODY, COCO_EDGES + _edges(_WHOLEBODY, _TOE_EDGES + _HAND_EDGES)
)

KEYPOINT_SETS: Mapping[str, KeypointSet] = MappingProxyType(
    {one.name: one for one in (COCO17, BODY_FEET, BLAZEPOSE33, HALPE26, WHOLEBODY133)}
)


def sets_from(first: KeypointSet) -> tuple[KeypointSet, ...]:
    """All sets, that one first."""
    return (first, *(one for one in KEYPOINT_SETS.values() if one is not first))
