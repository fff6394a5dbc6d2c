"""Converts a TFLite model to ONNX: a table of one small function for each operator."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tflite

from annotate.domain.errors import PackError
from annotate.packs.onnx_builder import PICTURE_RANK, Builder
from annotate.packs.onnx_writer import NO_MARGIN, TO_NCHW, Margin, same_margin
from annotate.packs.tflite_graph import Operator, read_graph


def convert(model: bytes, name: str, image: str, outputs: Mapping[str, str]) -> bytes:
    """The TFLite `model` as an ONNX model with the same input and output shapes, float32.

    Branches that no requested output needs are left out. The same model gives the same bytes.

    Args:
        model: content of the TFLite file.
        name: name of the ONNX graph.
        image: name of the only input in the ONNX model, (1, h, w, c).
        outputs: the requested outputs: their names in the ONNX model, and in the TFLite model.

    Raises:
        PackError: not a TFLite model, an output is missing, or an operator is not supported.
    """
    graph = read_graph(model)
    requested = {new: graph.output_named(old) for new, old in outputs.items()}
    (source,) = graph.inputs
    builder = Builder(graph)
    builder.names[source] = builder.add("Transpose", [image], f"{image}_nchw", perm=TO_NCHW)
    for operator in graph.operators_for(tuple(requested.values())):
        if operator.name not in _CONVERTERS:
            raise PackError(
                f"the TFLite operator {operator.name} is not supported",
                "Only MediaPipe's pose models can be converted.",
            )
        _CONVERTERS[operator.name](builder, operator)
    for new, tensor in requested.items():
        builder.add("Identity", [builder.read_in_tflite_order(tensor)], new)
    return builder.model(name, {image: source}, requested)


def _fold(builder: Builder, operator: Operator) -> None:
    """DENSIFY of a constant, which `read_graph` made dense; DEQUANTIZE of half floats."""
    values = builder.constant(operator.inputs[0])
    if operator.name == "DEQUANTIZE":
        values = values.astype(np.float32)
    builder.constants[operator.outputs[0]] = values


def _pad(builder: Builder, operator: Operator) -> None:
    """PAD: adds no node for rows and columns; convolutions that read the result add the margin."""
    source, amounts = operator.inputs
    (target,) = operator.outputs
    batch, rows, columns, channels = builder.constant(amounts).tolist()
    if any(batch):
        raise PackError("TFLite PAD along the batch is not supported")
    value = builder.read(source)
    if any(channels):
        pads = np.array([0, channels[0], 0, 0, 0, channels[1], 0, 0], np.int64)
        inputs = [value, builder.initializer(f"pads_{target}", pads)]
        value = builder.add("Pad", inputs, f"pad_{target}")
    builder.names[target] = value
    if any(rows) or any(columns):
        builder.margins[target] = (rows[0], columns[0], rows[1], columns[1])


def _convolution(builder: Builder, operator: Operator) -> None:
    """CONV_2D: weights (out, h, w, in)."""
    _write_convolution(builder, operator, to_onnx=(0, 3, 1, 2), group=1)


def _depthwise(builder: Builder, operator: Operator) -> None:
    """DEPTHWISE_CONV_2D: weights (1, h, w, out); each input channel is a separate group."""
    channels = builder.shape(operator.inputs[0])[-1]
    _write_convolution(builder, operator, to_onnx=(3, 0, 1, 2), group=channels)


def _write_convolution(
    builder: Builder, operator: Operator, to_onnx: tuple[int, ...], group: int
) -> None:
    source, weights, bias = operator.inputs
    options = operator.options
    kernel = builder.constant(weights).transpose(to_onnx)
    dilations = (options.DilationHFactor(), options.DilationWFactor())
    window = tuple((k - 1) * d + 1 for k, d in zip(kernel.shape[2:], dilations, strict=True))
    margin = builder.margins.get(source, NO_MARGIN)
    inputs = [
        builder.names[source],
        builder.initializer(f"weights_{weights}", kernel),
        builder.initializer(f"bias_{bias}", builder.constant(bias)),
    ]
    value = builder.add(
        "Conv",
        inputs,
        f"conv_{operator.outputs[0]}",
        dilations=dilations,
        group=group,
        kernel_shape=kernel.shape[2:],
        pads=np.add(margin, _pads(builder.shape(source), window, options)).tolist(),
        strides=(options.StrideH(), options.StrideW()),
    )
    if source in builder.resizes:
        value = _write_resize(builder, builder.resizes[source], value, len(kernel))
    builder.finish(operator, value)


def _pads(shape: tuple[int, ...], window: tuple[int, ...], options: Any) -> Margin:
    """The zeros that TFLite's padding mode adds to an input of `shape` (1, h, w, c)."""
    if options.Padding() == tflite.Padding.VALID:
        return NO_MARGIN
    return same_margin(shape[1:3], window, (options.StrideH(), options.StrideW()))


def _resize(builder: Builder, operator: Operator) -> None:
    """RESIZE_BILINEAR.

    A 1x1 convolution may run before or after the resize with the same result, since both are linear
    and the weights of the interpolation sum to 1. Our models enlarge, so the convolution runs
    first, on fewer pixels: the detector becomes 9% faster.
    """
    source, _ = operator.inputs
    (target,) = operator.outputs
    if _only_pointwise_readers(builder, target):
        builder.names[target] = builder.read(source)
        builder.resizes[target] = operator
    else:
        channels = builder.shape(source)[-1]
        builder.names[target] = _write_resize(builder, operator, builder.read(source), channels)


def _only_pointwise_readers(builder: Builder, tensor: int) -> bool:
    readers = builder.graph.readers(tensor)
    return bool(readers) and all(
        reader.name == "CONV_2D"
        and builder.shape(reader.inputs[1])[1:3] == (1, 1)
        and (reader.options.StrideH(), reader.options.StrideW()) == (1, 1)
        for reader in readers
    )


def _write_resize(builder: Builder, operator: Operator, value: str, channels: int) -> str:
    options = operator.options
    if options.AlignCorners():
        mode = "align_corners"
    else:
        mode = "half_pixel" if options.HalfPixelCenters() else "asymmetric"
    height, width = builder.constant(operator.inputs[1]).tolist()
    sizes = np.array([1, channels, height, width], np.int64)
    return builder.add(
        "Resize",
        [value, "", "", builder.initializer(f"{value}_sizes", sizes)],
        f"{value}_resized",
        coordinate_transformation_mode=mode,
        mode="linear",
    )


def _max_pool(builder: Builder, operator: Operator) -> None:
    """MAX_POOL_2D."""
    source, options = operator.inputs[0], operator.options
    window = (options.FilterHeight(), options.FilterWidth())
    value = builder.add(
        "MaxPool",
        [builder.read(source)],
        f"max_pool_{operator.outputs[0]}",
        kernel_shape=window,
        pads=_pads(builder.shape(source), window, options),
        strides=(options.StrideH(), options.StrideW()),
    )
    builder.finish(operator, value)


def _add(builder: Builder, operator: Operator) -> None:
    """ADD of two tensors of the same shape."""
    inputs = [builder.read(tensor) for tensor in operator.inputs]
    builder.finish(operator, builder.add("Add", inputs, f"add_{operator.outputs[0]}"))


def _concatenate(builder: Builder, operator: Operator) -> None:
    """CONCATENATION."""
    (target,) = operator.outputs
    rank = len(builder.shape(target))
    axis = operator.options.Axis() % rank
    if rank == PICTURE_RANK:
        axis = TO_NCHW.index(axis)
    inputs = [builder.read(tensor) for tensor in operator.inputs]
    builder.finish(operator, builder.add("Concat", inputs, f"concat_{target}", axis=axis))


def _depth_to_space(builder: Builder, operator: Operator) -> None:
    """DEPTH_TO_SPACE: the channels are ordered as (block row, block column, new channel)."""
    (target,) = operator.outputs
    builder.names[target] = builder.add(
        "DepthToSpace",
        [builder.read(operator.inputs[0])],
        f"depth_to_space_{target}",
        blocksize=operator.options.BlockSize(),
        mode="DCR",
    )


def _reshape(builder: Builder, operator: Operator) -> None:
    """RESHAPE to anything but a picture."""
    (target,) = operator.outputs
    if len(builder.shape(target)) == PICTURE_RANK:
        raise PackError("TFLite RESHAPE to a 4-D tensor is not supported")
    source = builder.read_in_tflite_order(operator.inputs[0])
    shape = builder.initializer(f"shape_{target}", np.array(builder.shape(target), np.int64))
    builder.names[target] = builder.add("Reshape", [source, shape], f"reshape_{target}")


def _logistic(builder: Builder, operator: Operator) -> None:
    """LOGISTIC."""
    (target,) = operator.outputs
    source = builder.read(operator.inputs[0])
    builder.names[target] = builder.add("Sigmoid", [source], f"sigmoid_{target}")


_CONVERTERS: dict[str, Callable[[Builder, Operator], None]] = {
    "ADD": _add,
    "CONCATENATION": _concatenate,
    "CONV_2D": _convolution,
    "DENSIFY": _fold,
    "DEPTHWISE_CONV_2D": _depthwise,
    "DEPTH_TO_SPACE": _depth_to_space,
    "DEQUANTIZE": _fold,
    "LOGISTIC": _logistic,
    "MAX_POOL_2D": _max_pool,
    "PAD": _pad,
    "RESHAPE": _reshape,
    "RESIZE_BILINEAR": _resize,
}
