"""`pack.json` to the dataclasses that describe a pack's models."""

from collections.abc import Mapping
from typing import Any, TypeVar

from annotate.domain.detector_kinds import DETECTOR_KINDS
from annotate.domain.landmark_kinds import LANDMARK_KINDS
from annotate.domain.model_spec import DetectorSpec, LandmarkSpec, Quantization
from annotate.domain.roi_rules import DETECTION_ROIS, NEXT_ROIS

Fields = Mapping[str, Any]
Part = TypeVar("Part")

# The fields of the form before decoders had kinds, that moved into `decoder`.
_OLD_SSD = (
    *("boxes", "scores", "strides", "anchor_offset", "box_scale", "score_clip", "nms", "nms_iou"),
)
_OLD_BLAZEPOSE = (
    *("landmarks", "columns", "landmarks_scale", "confidence_scale", "logits", "flag"),
    *("heatmap", "heatmap_window", "heatmap_min"),
)


def read_models(
    detector: Fields, landmark: Fields, person_detector: Fields | None
) -> tuple[DetectorSpec, LandmarkSpec, DetectorSpec | None]:
    """The models, from the parts of `pack.json` that describe them.

    Raises:
        ValueError: a kind or rule is unknown.
        KeyError, TypeError: a field is missing, or unknown.
    """
    if "decoder" not in detector:
        detector, landmark = _upgraded(detector, landmark)
    return (
        _detector(detector),
        LandmarkSpec(
            **_common(landmark),
            decoder=_part(LANDMARK_KINDS, "kind", landmark["decoder"]),
            next_roi=landmark["next_roi"] and _part(NEXT_ROIS, "rule", landmark["next_roi"]),
        ),
        None if person_detector is None else _detector(person_detector),
    )


def _detector(fields: Fields) -> DetectorSpec:
    return DetectorSpec(
        **_common(fields),
        decoder=_part(DETECTOR_KINDS, "kind", fields["decoder"]),
        roi=_part(DETECTION_ROIS, "rule", fields["roi"]),
    )


def _common(fields: Fields) -> dict[str, Any]:
    """The fields that are no parts of their own."""
    plain = {key: v for key, v in fields.items() if key not in ("decoder", "roi", "next_roi")}
    quantized = {name: Quantization(**q) for name, q in plain.pop("quantized", {}).items()}
    return {**_tuples(plain), "quantized": quantized}


def _part(kinds: Mapping[str, type[Part]], key: str, fields: Fields) -> Part:
    name = fields[key]
    if name not in kinds:
        raise ValueError(f"the {key} {name!r} is unknown; this version knows {sorted(kinds)}")
    return kinds[name](**_tuples(fields))


def _tuples(fields: Fields) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in fields.items()}


def _upgraded(detector: Fields, landmark: Fields) -> tuple[Fields, Fields]:
    """The form of packs that were made before decoders had kinds, in today's form."""
    detector, landmark = dict(detector), dict(landmark)
    for fields, kind, moved in (
        (detector, "ssd", _OLD_SSD),
        (landmark, "blazepose", _OLD_BLAZEPOSE),
    ):
        fields["decoder"] = {"kind": kind, **{key: fields.pop(key) for key in moved}}
        fields["size"] = [fields["size"], fields["size"]]
    names = ("centre", "tip", "scale")
    roi = {"rule": "points", **{name: detector.pop(f"roi_{name}") for name in names}}
    points = landmark.pop("auxiliary")
    landmark["next_roi"] = points and {**roi, "centre": points[0], "tip": points[1]}
    landmark["min_score"] = landmark.pop("min_flag")
    if landmark["border"] == "zero":
        landmark["border"] = "constant"
    return {**detector, "roi": roi}, landmark
