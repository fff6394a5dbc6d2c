"""What `pack.json` says of person detectors: YOLOX-nano and NanoDet.

In single pictures the least score is low: the score then orders the poses. Only a surer detection
begins a tracked person.
"""

from annotate.domain.detector_kinds import NanoDet, Yolox
from annotate.domain.model_spec import DetectorSpec
from annotate.domain.roi_rules import RoiFromBox


def yolox_nano_spec(file: str, sha256: str, roi_scale: float) -> DetectorSpec:
    """YOLOX-nano as Megvii releases it for ONNX.

    Args:
        file, sha256: of the model in the pack.
        roi_scale: side of the landmark model's ROI, in longer sides of the box.
    """
    return DetectorSpec(
        file=file,
        sha256=sha256,
        input="images",
        layout="NCHW",
        size=(416, 416),
        value_range=(0.0, 255.0),
        channels="BGR",
        grey=114,
        decoder=Yolox(output="output"),
        padding="top-left",
        min_score=0.1,
        min_new_score=0.3,
        roi=RoiFromBox(roi_scale),
    )


def nanodet_spec(file: str, sha256: str, roi_scale: float) -> DetectorSpec:
    """NanoDet-g as `annotate.packs.nanodet` converts it; arguments as in `yolox_nano_spec`."""
    return DetectorSpec(
        file=file,
        sha256=sha256,
        input="image",
        layout="NCHW",
        size=(416, 416),
        value_range=(0.0, 255.0),
        mean=(123.675, 116.28, 103.53),
        std=(58.395, 57.12, 57.375),
        channels="BGR",
        decoder=NanoDet(maps=("stride_8", "stride_16", "stride_32")),
        # Its scores are higher than those of YOLOX: below 0.3 are mostly false positives.
        min_score=0.3,
        min_new_score=0.4,
        roi=RoiFromBox(roi_scale),
    )
