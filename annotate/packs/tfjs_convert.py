"""Converts a graph model of TF.js to ONNX: one small function for each operator, and a table.

Only what lies between two cuts is converted: from the value that a pipeline can make of a picture
to the values that it decodes. What comes before and after, such as scaling of pixels and arg-max,
is done better outside, and its constants, stored as float16, are not precise.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from annotate.domain.errors import PackError
from annotate.packs.onnx_writer import NO_MARGIN, TO_NCHW, Array, same_margin
from annotate.packs.tfjs_builder import TfjsBuilder, Value
from annotate.packs.tfjs_graph import Node, read_graph


def convert_tfjs(
    model: bytes,
    weights: bytes,
    name: str,
    source: tuple[str, str],
    outputs: Mapping[str, str],
    size: tuple[int, int] | None = None,
) -> bytes:
    """The part of a TF.js model from `source` to `outputs` as an ONNX model, float32.

    Outputs of four axes are (1, c, h, w). The same model gives the same bytes.

    Args:
        model: content of the JSON file.
        weights: content of the binary file.
        name: name of the ONNX graph.
        source: what the ONNX model calls its only input, and the node of TF.js whose output that
            is; it has the shape of the model's own input.
        outputs: the names of the requested outputs in the ONNX model, and their nodes.
        size: height and width of the input instead of those that the model was made for, which
            must take pictures (1, h, w, 3) and be convolutional throughout.

    Raises:
        PackError: not a TF.js model, a node is missing, or an operator is not supported.
    """
    graph = read_graph(model, weights)
    image, cut = source
    builder = TfjsBuilder(dict(graph.constants))
    shape = graph.input_shape()
    if size is not None:
        shape, builder.scale = _resized(shape, size)
    start = Value(image, shape, tuple(range(len(shape))))
    builder.values[cut] = start
    for node in graph.needed_for(outputs.values(), cut):
        if node.op not in _CONVERTERS:
            raise PackError(
                f"the TF.js model uses the operator {node.op}, which is not supported",
                "Only the models that a pack names can be converted.",
            )
        _CONVERTERS[node.op](builder, node)
    shapes = {new: _write_output(builder, new, old) for new, old in outputs.items()}
    return builder.file(name, {image: start.shape}, shapes)


def _resized(
    shape: tuple[int, ...], size: tuple[int, int]
) -> tuple[tuple[int, ...], tuple[float, float]]:
    """The shape of a smaller or larger input, and its height and width over those of `shape`."""
    match shape:
        case (1, height, width, 3):
            return (1, *size, 3), (size[0] / height, size[1] / width)
    raise PackError(f"the TF.js model takes {shape}, not pictures (1, h, w, 3)")


def _write_output(builder: TfjsBuilder, new: str, old: str) -> tuple[int, ...]:
    if old not in builder.values or (value := builder.values[old]).padding:
        raise PackError(f"the node {old!r} of the TF.js model cannot be an output")
    builder.add("Identity", [value.name], new)
    return value.stored_shape


def _transpose(builder: TfjsBuilder, node: Node) -> None:
    """Transpose: adds no node."""
    axes = tuple(builder.constant(node, 1).tolist())
    builder.values[node.name] = builder.read_padded(node).transposed(axes)


def _pad(builder: TfjsBuilder, node: Node) -> None:
    """Pad with zeros, PadV2 with any value: adds no node, the readers pad."""
    value = builder.read(node)
    amounts = builder.constant(node, 1)
    builder.values[node.name] = replace(
        value,
        shape=tuple(np.add(value.shape, amounts.sum(axis=1)).tolist()),
        padding=tuple((before, after) for before, after in amounts.tolist()),
        filling=float(builder.constant(node, 2)) if node.op == "PadV2" else 0.0,
    )


def _convolution(builder: TfjsBuilder, node: Node) -> None:
    """Conv2D, perhaps with bias and activation: weights (h, w, in, out)."""
    _write_convolution(builder, node, builder.constant(node, 1).transpose(3, 2, 0, 1), group=1)


def _depthwise(builder: TfjsBuilder, node: Node) -> None:
    """DepthwiseConv2dNative, likewise: weights (h, w, in, multiplier), a group for each channel."""
    weights = builder.constant(node, 1)
    height, width, channels, multiplier = weights.shape
    kernel = weights.reshape(height, width, 1, channels * multiplier).transpose(3, 2, 0, 1)
    _write_convolution(builder, node, kernel, group=channels)


def _write_convolution(builder: TfjsBuilder, node: Node, kernel: Array, group: int) -> None:
    picture = builder.read_picture(node, filling=0.0)
    dilations = _of_picture(node, "dilations")
    window = tuple((k - 1) * d + 1 for k, d in zip(kernel.shape[2:], dilations, strict=True))
    pads, strides, (height, width) = _windows(node, picture, window)
    inputs = [picture.name, builder.initializer(f"{node.name}/weights", kernel)]
    bias, *activation = node.texts("fused_ops") or ("",)
    if bias == "BiasAdd":
        inputs.append(builder.initializer(f"{node.name}/bias", builder.constant(node, 2)))
    elif bias:
        raise PackError(f"the operator {bias} fused into {node.name!r} is not supported")
    value = builder.add(
        "Conv",
        inputs,
        node.name,
        dilations=dilations,
        group=group,
        kernel_shape=kernel.shape[2:],
        pads=pads,
        strides=strides,
    )
    shape = (picture.shape[0], height, width, len(kernel))
    builder.finish(node, Value(value, shape, TO_NCHW), "".join(activation))


def _max_pool(builder: TfjsBuilder, node: Node) -> None:
    """MaxPool."""
    picture = builder.read_picture(node, filling=-np.inf)
    window = _of_picture(node, "ksize")
    pads, strides, (height, width) = _windows(node, picture, window)
    value = builder.add(
        "MaxPool", [picture.name], node.name, kernel_shape=window, pads=pads, strides=strides
    )
    shape = (picture.shape[0], height, width, picture.shape[3])
    builder.finish(node, Value(value, shape, TO_NCHW))


def _windows(
    node: Node, picture: Value, window: tuple[int, ...]
) -> tuple[list[int], tuple[int, ...], tuple[int, ...]]:
    """Of a convolution or pool: pads, strides, and height and width of what it gives."""
    strides = _of_picture(node, "strides")
    sides = picture.shape[1:3]
    padding = NO_MARGIN
    if node.text("padding") == "SAME":
        padding = same_margin(sides, window, strides)
    elif node.text("padding") != "VALID":
        raise PackError(f"the padding of {node.op} {node.name!r} is not supported")
    amounts = (padding[0] + padding[2], padding[1] + padding[3])
    given = tuple(
        (side + amount - length) // stride + 1
        for side, amount, length, stride in zip(sides, amounts, window, strides, strict=True)
    )
    return np.add(picture.margin, padding).tolist(), strides, given


def _of_picture(node: Node, name: str) -> tuple[int, ...]:
    """Height and width of an attribute with a value for each axis of (1, h, w, c)."""
    batch, height, width, channels = node.numbers(name)
    if node.text("data_format") != "NHWC" or batch != 1 or channels != 1:
        raise PackError(f"{name} of {node.op} {node.name!r} are not supported")
    return height, width


def _resize(builder: TfjsBuilder, node: Node) -> None:
    """ResizeBilinear; sizes are in the ratio of the input to that which the model was made for."""
    picture = builder.ordered(builder.read(node), TO_NCHW)
    if node.flag("align_corners"):
        mode = "align_corners"
    else:
        mode = "half_pixel" if node.flag("half_pixel_centers") else "asymmetric"
    height, width = np.rint(builder.constant(node, 1) * builder.scale).astype(int).tolist()
    batch, _, _, channels = picture.shape
    sizes = np.array([batch, channels, height, width], np.int64)
    value = builder.add(
        "Resize",
        [picture.name, "", "", builder.initializer(f"{node.name}/sizes", sizes)],
        node.name,
        coordinate_transformation_mode=mode,
        mode="linear",
    )
    builder.finish(node, Value(value, (batch, height, width, channels), TO_NCHW))


def _add(builder: TfjsBuilder, node: Node) -> None:
    """Add or AddV2 of two values of one shape, or of a value and a constant for each channel."""
    first = builder.read(node)
    if node.inputs[1] in builder.constants:
        constant = builder.constant(node, 1)
        aligned = constant.reshape((1,) * (len(first.shape) - constant.ndim) + constant.shape)
        other = builder.initializer(f"{node.name}/constant", aligned.transpose(first.order))
    else:
        second = builder.read(node, 1)
        if second.shape != first.shape:
            raise PackError(f"{node.op} {node.name!r} adds {second.shape} to {first.shape}")
        other = builder.ordered(second, first.order).name
    value = builder.add("Add", [first.name, other], node.name)
    builder.finish(node, replace(first, name=value))


def _leaky_relu(builder: TfjsBuilder, node: Node) -> None:
    """LeakyRelu."""
    value = builder.read(node)
    name = builder.add("LeakyRelu", [value.name], node.name, alpha=node.number("alpha"))
    builder.finish(node, replace(value, name=name))


def _concatenate(builder: TfjsBuilder, node: Node) -> None:
    """ConcatV2: the axis is the last input."""
    values = [builder.read(node, place) for place in range(len(node.inputs) - 1)]
    order, shape = values[0].order, list(values[0].shape)
    axis = int(builder.constant(node, len(values))) % len(shape)
    shape[axis] = sum(value.shape[axis] for value in values)
    names = [builder.ordered(value, order).name for value in values]
    name = builder.add("Concat", names, node.name, axis=order.index(axis))
    builder.finish(node, Value(name, tuple(shape), order))


_CONVERTERS: dict[str, Callable[[TfjsBuilder, Node], None]] = {
    "Add": _add,
    "AddV2": _add,
    "ConcatV2": _concatenate,
    "Conv2D": _convolution,
    "DepthwiseConv2dNative": _depthwise,
    "FusedDepthwiseConv2dNative": _depthwise,
    "LeakyRelu": _leaky_relu,
    "MaxPool": _max_pool,
    "Pad": _pad,
    "PadV2": _pad,
    "ResizeBilinear": _resize,
    "Transpose": _transpose,
    "_FusedConv2D": _convolution,
}
