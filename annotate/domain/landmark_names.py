"""Names of the landmarks that Halpe and COCO-WholeBody have besides COCO's 17 keypoints.

Source: the data set descriptions `halpe26.py` and `coco_wholebody.py` of OpenMMLab's MMPose.
"""

from collections.abc import Mapping
from types import MappingProxyType

HALPE_MIDDLE = ("head", "neck", "hip")
HALPE_FEET = tuple(
    f"{side}_{part}" for part in ("big_toe", "small_toe", "heel") for side in ("left", "right")
)
WHOLEBODY_FEET = tuple(
    f"{side}_{part}" for side in ("left", "right") for part in ("big_toe", "small_toe", "heel")
)

# What BlazePose calls the index of a foot is its toes.
_ONE_PLACE: Mapping[str, str] = MappingProxyType(
    {f"{side}_big_toe": f"{side}_foot_index" for side in ("left", "right")}
)

FACE = tuple(f"face-{number}" for number in range(68))

# Each line is mirrored in itself: jaw, eyebrows, bridge of the nose, nostrils, corners and lids of
# the eyes, outer and inner lips. A number is where its point lies in the mirrored face.
_FACE_MIRROR = (
    *range(16, -1, -1),
    *range(26, 16, -1),
    *range(27, 31),
    *range(35, 30, -1),
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),
    *(64, 63, 62, 61, 60, 67, 66, 65),
)
FACE_MIRROR: Mapping[str, str] = MappingProxyType(
    {name: FACE[other] for name, other in zip(FACE, _FACE_MIRROR, strict=True)}
)

FINGERS = ("thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger")
HANDS = tuple(
    name
    for side in ("left", "right")
    for name in (
        f"{side}_hand_root",
        *(f"{side}_{finger}{joint}" for finger in FINGERS for joint in (1, 2, 3, 4)),
    )
)


def place_name(name: str) -> str:
    """The name of a landmark's place, which is the same for names of one place.

    >>> place_name("left_big_toe"), place_name("left_heel")
    ('left_foot_index', 'left_heel')
    """
    return _ONE_PLACE.get(name, name)
