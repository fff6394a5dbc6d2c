"""Decoders: what the outputs of each kind of model say. A kind is a file, and a line here."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from annotate.domain.arrays import FloatArray
from annotate.domain.model_spec import DetectorSpec, LandmarkSpec
from annotate.pipeline.decoders.blazepose import BlazePoseDecoder
from annotate.pipeline.decoders.final_boxes import FinalBoxesDecoder
from annotate.pipeline.decoders.heatmap import HeatMapDecoder
from annotate.pipeline.decoders.movenet import MoveNetDecoder
from annotate.pipeline.decoders.nanodet import NanoDetDecoder
from annotate.pipeline.decoders.simcc import SimCCDecoder
from annotate.pipeline.decoders.ssd import SsdDecoder
from annotate.pipeline.decoders.yolox import YoloxDecoder
from annotate.pipeline.detections import Detections
from annotate.pipeline.landmarks import CropPose


class DetectorDecoder(Protocol):
    """First stage without the model."""

    def decode(self, outputs: Sequence[FloatArray]) -> Detections:
        """Every person that the model found, once, from its outputs of one run."""
        ...


class LandmarkDecoder(Protocol):
    """Second stage without the model."""

    def decode(self, outputs: Sequence[FloatArray]) -> CropPose:
        """The pose in a crop, from the model's outputs of one run."""
        ...


# By the kind that `pack.json` names; made of the model's spec and of that of its outputs.
_DETECTORS: Mapping[str, Callable[[DetectorSpec, Any], DetectorDecoder]] = MappingProxyType(
    {
        "ssd": SsdDecoder,
        "yolox": YoloxDecoder,
        "nanodet": NanoDetDecoder,
        "boxes": FinalBoxesDecoder,
    }
)
_LANDMARKS: Mapping[str, Callable[[LandmarkSpec, Any], LandmarkDecoder]] = MappingProxyType(
    {
        "blazepose": BlazePoseDecoder,
        "movenet": MoveNetDecoder,
        "simcc": SimCCDecoder,
        "heatmap": HeatMapDecoder,
    }
)


def detector_decoder(spec: DetectorSpec) -> DetectorDecoder:
    """The decoder of a first-stage model."""
    return _DETECTORS[spec.decoder.kind](spec, spec.decoder)


def landmark_decoder(spec: LandmarkSpec) -> LandmarkDecoder:
    """The decoder of a second-stage model."""
    return _LANDMARKS[spec.decoder.kind](spec, spec.decoder)
