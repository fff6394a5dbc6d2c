"""Models in zips as AI Hub and OpenMMLab publish them, and the packs that they make."""

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from annotate.domain.errors import PackError, UsageError
from annotate.domain.model_spec import DetectorSpec
from annotate.domain.pack import Pack
from annotate.domain.roi_rules import RoiFromBox
from annotate.packs.asset import METADATA, read_asset
from annotate.packs.built import Built, Published, write_pack
from annotate.packs.detector_sources import yolox_from_file
from annotate.packs.openmmlab import PIPELINE, openmmlab
from annotate.packs.qualcomm import MODEL_ID, TITLE, mediapipe_pose
from annotate.packs.qualcomm_top_down import TOP_DOWN, top_down
from annotate.packs.top_down import ROI_SCALE
from annotate.packs.zip_members import HINT, opened_zip

# By AI Hub's names of the models.
_TITLES: Mapping[str, str] = MappingProxyType(
    {MODEL_ID: TITLE} | {model_id: one.title for model_id, one in TOP_DOWN.items()}
)
_DETECTOR_HINT = (
    "Name a person detector: `--detector yolox_nano.onnx`, or a zip of RTMDet or YOLOX from "
    "OpenMMLab or AI Hub."
)


def published_models(path: Path) -> Published:
    """The models in a published zip.

    Raises:
        PackError: the zip is damaged or unsafe, or its models are not known.
    """
    with opened_zip(path) as members:
        if members.has(METADATA):
            asset = read_asset(members, _TITLES)
            return mediapipe_pose(asset) if asset.model_id == MODEL_ID else top_down(asset)
        if members.has(PIPELINE):
            return openmmlab(members)
    raise PackError(
        f"{path} has neither AI Hub's {METADATA} nor OpenMMLab's {PIPELINE}, which say what its "
        "models take",
        HINT,
    )


def person_detector_from(path: Path, roi_scale: float) -> Built[DetectorSpec]:
    """A person detector: a YOLOX model as its authors export it to ONNX, or one in a published zip.

    Args:
        roi_scale: the crop of the landmark model, in sides of the person's box.

    Raises:
        PackError: the file cannot be read or is no such model.
    """
    if not zipfile.is_zipfile(path):
        return yolox_from_file(path, roi_scale)
    detector = published_models(path).detector
    if detector is None or not detector.spec.finds_whole_people:
        raise PackError(f"{path} has no person detector", _DETECTOR_HINT)
    return replace(detector, spec=replace(detector.spec, roi=RoiFromBox(roi_scale)))


def write_published(path: Path, detector: Path | None, folder: Path) -> Pack:
    """Writes the pack that the zip `path` makes into the empty `folder`.

    Args:
        detector: the file of the person detector, where the zip has a landmark model alone.

    Raises:
        PackError: a file is damaged or unsafe, its models are not known, or one is missing.
        UsageError: the zip needs no `detector`.
        OSError: the folder is not writable.
    """
    published = published_models(path)
    landmark, first = published.landmark, published.detector
    if landmark is None:
        raise PackError(
            f"{path} has a person detector only",
            f"Add a landmark model with it: `annotate models add RTMPOSE.zip --detector {path}`.",
        )
    source = published.source
    if first is None:
        if detector is None:
            raise PackError(f"{path} has a landmark model only", _DETECTOR_HINT)
        first = person_detector_from(detector, ROI_SCALE)
        source += f", people by {first.spec.file.removesuffix('.onnx')}"
    elif detector is not None:
        raise UsageError(f"{path} has a detector of its own", "Leave --detector out.")
    if first.spec.file == landmark.spec.file:
        first = replace(first, spec=replace(first.spec, file=f"detector-{first.spec.file}"))
    pack = Pack(published.name, published.skeleton, source, first.spec, landmark.spec)
    write_pack(folder, pack, (first, landmark))
    return pack
