"""An asset in the form of AI Hub's MediaPipe-Pose-Estimation, with small models that find a yellow
disc on blue.

The detector uses red, averaged over each 8 x 8 pixels. The landmark model uses green: every
landmark is the disc's centre plus a fixed offset. Both find nothing where colours are swapped.
"""

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

FOLDER = "mediapipe_pose-onnx"
SIZE, CROP, CELLS, LANDMARKS = 128, 256, 16, 25
# Half the ROI's side in pixels of the detector's input, before the pack's scale of 1.5.
REACH = 30.0
# Offsets of the landmarks from the disc's centre, in pixels of the crop. The left wrist is hidden.
OFFSETS = np.stack([np.arange(25) * 3.0 - 36, np.arange(25) * -2.0 + 24], axis=1)
HIDDEN = 15
# Quantized tensors: dtype, scale, zero point.
STEPS: dict[str, tuple[str, float, int]] = {
    "image": ("uint8", 1 / 255, 0),
    "box_coords_1": ("uint8", 0.25, 130),
    "box_coords_2": ("uint8", 0.25, 130),
    "box_scores_1": ("uint8", 0.5, 200),
    "box_scores_2": ("uint8", 0.5, 200),
    "landmarks": ("uint16", 1 / 32768, 16384),
    "scores": ("uint8", 1 / 256, 0),
}
_TYPES = {
    "float32": TensorProto.FLOAT,
    "uint8": TensorProto.UINT8,
    "uint16": TensorProto.UINT16,
}


class Graph:
    """The nodes and constants of a model under construction."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def constant(self, name: str, values: Any, dtype: type = np.float32) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name


def detector(*, quantized: bool) -> onnx.ModelProto:
    """(1, 3, 128, 128) to 512 + 384 boxes and scores; a red cell holds a person."""
    graph = Graph()
    red = _channel(graph, 0, quantized=quantized)
    mean = graph.add("AveragePool", [red], "mean", kernel_shape=(8, 8), strides=(8, 8))
    scaled = graph.add("Mul", [mean, graph.constant("gain", 60.0)], "scaled")
    column = graph.add("Sub", [scaled, graph.constant("threshold", 30.0)], "logits")
    shape = graph.constant("column", (1, CELLS**2, 1), np.int64)
    first = graph.add("Reshape", [column, shape], "first")
    second = graph.constant("second", np.full((1, CELLS**2, 1), -90.0))
    both = graph.add("Concat", [first, second], "both", axis=2)
    rows = graph.constant("rows", (1, 2 * CELLS**2, 1), np.int64)
    graph.add("Reshape", [both, rows], "raw_box_scores_1")
    graph.add("Identity", [graph.constant("none", np.full((1, 384, 1), -90.0))], "raw_box_scores_2")
    box = [0, 0, 24, 24, 0, 0, 0, 0, 0, 0, 0, -REACH]
    for layer, count in ((1, 512), (2, 384)):
        values = np.broadcast_to(np.array(box, np.float32), (1, count, 12))
        graph.add("Identity", [graph.constant(f"box_{layer}", values)], f"raw_box_coords_{layer}")
    outputs = {
        "box_coords_1": (1, 512, 12),
        "box_coords_2": (1, 384, 12),
        "box_scores_1": (1, 512, 1),
        "box_scores_2": (1, 384, 1),
    }
    return _model(graph, SIZE, outputs, quantized=quantized)


def landmark_model(*, quantized: bool) -> onnx.ModelProto:
    """(1, 3, 256, 256) to 25 landmarks, all four columns divided by 256 as in the real model."""
    graph = Graph()
    green = _channel(graph, 1, quantized=quantized)
    graph.add("ReduceSum", [green, graph.constant("axes", (1, 2, 3), np.int64)], "mass")
    centre = []
    for axis, name in ((3, "x"), (2, "y")):
        shape = [1, 1, 1, 1]
        shape[axis] = CROP
        ruler = graph.constant(f"ruler_{name}", np.arange(CROP).reshape(shape))
        weighed = graph.add("Mul", [green, ruler], f"weighed_{name}")
        moment = graph.add("ReduceSum", [weighed, "axes"], f"moment_{name}")
        some = graph.add("Add", ["mass", _once(graph, "least", 1e-3)], f"some_{name}")
        centre.append(graph.add("Div", [moment, some], f"centre_{name}"))
    zeros = _once(graph, "zeros", np.zeros((1, 1, 1, 1)))
    row = graph.add("Concat", [*centre, zeros, zeros], "row", axis=3)
    flat = graph.add("Reshape", [row, graph.constant("flat", (1, 1, 4), np.int64)], "row_flat")
    rest = np.zeros((1, LANDMARKS, 4), np.float32)
    rest[0, :, :2] = OFFSETS
    rest[0, :, 3] = np.where(np.arange(LANDMARKS) == HIDDEN, -5, 5)
    placed = graph.add("Add", [flat, graph.constant("rest", rest)], "placed")
    graph.add("Div", [placed, graph.constant("side", float(CROP))], "raw_landmarks")
    enough = graph.add("Div", ["mass", graph.constant("enough", 200.0)], "share")
    clipped = graph.add("Clip", [enough, _once(graph, "low", 0.0), _once(graph, "high", 1.0)], "c")
    graph.add("Reshape", [clipped, graph.constant("one", (1,), np.int64)], "raw_scores")
    outputs = {"scores": (1,), "landmarks": (1, LANDMARKS, 4)}
    return _model(graph, CROP, outputs, quantized=quantized)


def asset_files(*, quantized: bool = False) -> dict[str, bytes]:
    """The files of an asset, by path in the zip."""
    models = {
        "pose_detector.onnx": detector(quantized=quantized),
        "pose_landmark_detector.onnx": landmark_model(quantized=quantized),
    }
    metadata = {
        "model_id": "mediapipe_pose",
        "runtime": "onnx",
        "precision": "w8a8" if quantized else "float",
        "tool_versions": {"ai_hub_models": "0.65.0", "onnx": "1.19"},
        "model_files": {
            file: {
                "inputs": {value.name: _described(value) for value in model.graph.input},
                "outputs": {value.name: _described(value) for value in model.graph.output},
            }
            for file, model in models.items()
        },
    }
    files = {f"{FOLDER}/{file}": model.SerializeToString() for file, model in models.items()}
    return {**files, f"{FOLDER}/metadata.json": json.dumps(metadata).encode()}


def with_external_weights(files: Mapping[str, bytes], scratch: Path) -> dict[str, bytes]:
    """The files, with the weights of the landmark model moved to a file of the zip beside it."""
    name, weights = "pose_landmark_detector.onnx", "pose_landmark_detector.data"
    onnx.save_model(
        onnx.load_model_from_string(files[f"{FOLDER}/{name}"]),
        scratch / name,
        save_as_external_data=True,
        location=weights,
        size_threshold=64,
    )
    moved = {f"{FOLDER}/{file}": (scratch / file).read_bytes() for file in (name, weights)}
    return {**files, **moved}


def change_metadata(files: dict[str, bytes], edit: Callable[[dict[str, Any]], object]) -> None:
    """Changes the metadata of an asset in place."""
    name = f"{FOLDER}/metadata.json"
    metadata = json.loads(files[name])
    edit(metadata)
    files[name] = json.dumps(metadata).encode()


def detector_inputs(metadata: dict[str, Any]) -> dict[str, Any]:
    """The inputs of the detector in an asset's metadata, by name."""
    inputs: dict[str, Any] = metadata["model_files"]["pose_detector.onnx"]["inputs"]
    return inputs


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    """Writes the files into a zip at `path`, and returns that."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def yellow_disc(width: int, height: int, x: float, y: float, radius: float) -> NDArray[np.uint8]:
    """(height, width, 3) uint8: a yellow disc on blue."""
    rows, columns = np.mgrid[:height, :width]
    inside = np.clip(radius + 0.5 - np.hypot(columns - x, rows - y), 0, 1)[..., None]
    picture = inside * [255, 255, 0] + (1 - inside) * [0, 0, 255]
    pixels: NDArray[np.uint8] = np.rint(picture).astype(np.uint8)
    return pixels


def _once(graph: Graph, name: str, values: Any) -> str:
    known = {constant.name for constant in graph.constants}
    return name if name in known else graph.constant(name, values)


def _channel(graph: Graph, channel: int, *, quantized: bool) -> str:
    """(1, 1, side, side) of one colour of the input: NCHW floats, or NHWC integers."""
    picture = "image"
    if quantized:
        _, scale, zero = STEPS["image"]
        steps = [graph.constant("i_scale", scale), graph.constant("i_zero", zero, np.uint8)]
        reals = graph.add("DequantizeLinear", [picture, *steps], "reals")
        picture = graph.add("Transpose", [reals], "nchw", perm=(0, 3, 1, 2))
    bounds = [
        graph.constant(name, [value], np.int64)
        for name, value in (("start", channel), ("stop", channel + 1), ("axis", 1))
    ]
    return graph.add("Slice", [picture, *bounds], "channel")


def _model(
    graph: Graph, side: int, outputs: Mapping[str, tuple[int, ...]], *, quantized: bool
) -> onnx.ModelProto:
    values = []
    for name, shape in outputs.items():
        dtype = STEPS[name][0] if quantized else "float32"
        if quantized:
            _, scale, zero = STEPS[name]
            steps = [
                graph.constant(f"{name}_scale", scale),
                graph.constant(f"{name}_zero", zero, np.dtype(dtype).type),
            ]
            graph.add("QuantizeLinear", [f"raw_{name}", *steps], name)
        else:
            graph.add("Identity", [f"raw_{name}"], name)
        values.append(helper.make_tensor_value_info(name, _TYPES[dtype], shape))
    shape, dtype = ((1, side, side, 3), "uint8") if quantized else ((1, 3, side, side), "float32")
    picture = helper.make_tensor_value_info("image", _TYPES[dtype], shape)
    made = helper.make_graph(graph.nodes, "made", [picture], values, graph.constants)
    opset = [helper.make_opsetid("", 21)]
    return helper.make_model(made, opset_imports=opset, ir_version=10)


def _described(value: onnx.ValueInfoProto) -> dict[str, Any]:
    kind = value.type.tensor_type
    dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type).name
    fields: dict[str, Any] = {
        "shape": [axis.dim_value for axis in kind.shape.dim],
        "dtype": dtype,
    }
    if dtype != "float32":
        _, scale, zero = STEPS[value.name]
        fields["quantization_parameters"] = {"scale": scale, "zero_point": zero}
    if value.name == "image":
        fields |= {"io_type": "image", "image_metadata": {"color_format": "rgb"}}
    return fields
