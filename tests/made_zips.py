"""Zips as OpenMMLab and AI Hub publish them, with small models that find people of markers."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from tests.made_asset import Graph, write_zip
from tests.made_markers import (
    CROP,
    DETECTOR,
    MEAN,
    STD,
    Channels,
    boxes_of_halves,
    cells,
    colours,
    marker_maps,
    model_of,
    simcc,
    with_a_dog,
)

# OpenMMLab's zips


def _pipeline(transforms: Sequence[Mapping[str, Any]]) -> bytes:
    tasks = [
        {"type": "Task", "module": "Transform", "name": "Preprocess", "transforms": transforms},
        {"type": "Task", "module": "Net", "name": "net", "input_map": {"img": "input"}},
        {"type": "Task", "module": "mmpose", "name": "postprocess", "params": {}},
    ]
    return json.dumps({"pipeline": {"input": ["img"], "tasks": tasks}}).encode()


def _normalize(mean: Sequence[float], std: Sequence[float], channels: Channels) -> dict[str, Any]:
    order = slice(None) if channels == "RGB" else slice(None, None, -1)
    return {
        "type": "Normalize",
        "mean": list(mean)[order],
        "std": list(std)[order],
        "to_rgb": channels == "RGB",
    }


def rtmpose_zip(
    path: Path, count: int = 17, change: Mapping[str, Any] | None = None, batch: Any = "batch"
) -> Path:
    """RTMPose with so many keypoints, as OpenMMLab's SDK ships it.

    Args:
        change: of the normalization in `pipeline.json`, after the model is made.
    """
    graph = Graph()
    shift, scale = np.array(MEAN) / 255, np.array(STD) / 255
    maps = marker_maps(graph, colours(graph, "input", "RGB", scale, shift), count)
    simcc(graph, maps, "simcc_x", "simcc_y")
    width, height = CROP
    model = model_of(
        graph,
        "input",
        [batch, 3, height, width],
        {
            "simcc_x": ([batch, count, 2 * width], TensorProto.FLOAT),
            "simcc_y": ([batch, count, 2 * height], TensorProto.FLOAT),
        },
        13,
    )
    steps: list[Mapping[str, Any]] = [
        {"type": "LoadImageFromFile"},
        {"type": "TopDownGetBboxCenterScale", "padding": 1.25, "image_size": [192, 256]},
        {**_normalize(MEAN, STD, "RGB"), **(change or {})},
    ]
    folder = f"20230831/rtmpose_onnx/{path.stem}"
    return write_zip(
        path,
        {
            f"{folder}/end2end.onnx": model.SerializeToString(),
            f"{folder}/pipeline.json": _pipeline(steps),
            f"{folder}/deploy.json": b"{}",
        },
    )


def detector_zip(path: Path, *, normalized: bool, fixed: bool = True) -> Path:
    """RTMDet, or YOLOX without normalization, as OpenMMLab's SDK ships them.

    Args:
        fixed: the size of the picture stands in the graph, not in `pipeline.json` alone.
    """
    mean, std = (MEAN, STD) if normalized else ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    graph = Graph()
    scale, shift = np.array(std) / 255, np.array(mean) / 255
    boxes, scores = boxes_of_halves(graph, colours(graph, "input", "BGR", scale, shift))
    boxes, scores = with_a_dog(graph, boxes, scores)
    column = graph.add("Unsqueeze", [scores, graph.constant("end", [-1], np.int64)], "column")
    graph.add("Concat", [boxes, column], "dets", axis=2)
    graph.add("Identity", [graph.constant("classes", [[0, 0, 16]], np.int64)], "labels")
    model = model_of(
        graph,
        "input",
        ["batch", 3, *([DETECTOR, DETECTOR] if fixed else ["height", "width"])],
        {
            "dets": (["batch", "num_dets", 5], TensorProto.FLOAT),
            "labels": (["batch", "num_dets"], TensorProto.INT64),
        },
        13,
    )
    steps: list[Mapping[str, Any]] = [
        {"type": "LoadImageFromFile"},
        {"type": "Resize", "size": [DETECTOR, DETECTOR], "keep_ratio": True},
        {"type": "Pad", "size": [DETECTOR, DETECTOR], "pad_val": {"img": [114, 114, 114]}},
        _normalize(mean, std, "BGR"),
    ]
    files = {"end2end.onnx": model.SerializeToString(), "pipeline.json": _pipeline(steps)}
    return write_zip(path, files)


# AI Hub's zips


def _asset(path: Path, model_id: str, model: onnx.ModelProto) -> Path:
    def described(value: onnx.ValueInfoProto) -> dict[str, Any]:
        kind = value.type.tensor_type
        return {
            "shape": [axis.dim_value for axis in kind.shape.dim],
            "dtype": helper.tensor_dtype_to_np_dtype(kind.elem_type).name,
        }

    graph = model.graph
    inputs = {value.name: described(value) for value in graph.input}
    for one in inputs.values():
        one |= {"io_type": "image", "image_metadata": {}, "value_range": [0.0, 1.0]}
    metadata = {
        "model_id": model_id,
        "runtime": "onnx",
        "precision": "float",
        "tool_versions": {"qairt": "2.50.0", "onnx_runtime": "1.27.1"},
        "model_files": {
            f"{model_id}.onnx": {
                "inputs": inputs,
                "outputs": {value.name: described(value) for value in graph.output},
            }
        },
    }
    folder = f"{model_id}-onnx-float"
    return write_zip(
        path,
        {
            f"{folder}/{model_id}.onnx": model.SerializeToString(),
            f"{folder}/metadata.json": json.dumps(metadata).encode(),
        },
    )


def asset_zip(path: Path, model_id: str) -> Path:
    """A model as AI Hub publishes it under that name."""
    made: dict[str, Callable[[], onnx.ModelProto]] = {
        "rtmpose_body2d": _rtmpose_body2d,
        "hrnet_pose": _hrnet_pose,
        "litehrnet": _litehrnet,
        "yolox": partial(_asset_detector, "BGR", TensorProto.UINT8),
        "rtmdet": partial(_asset_detector, "RGB", TensorProto.INT8),
    }
    return _asset(path, model_id, made[model_id]())


def _asset_keypoints(channels: Channels, high: float, count: int) -> tuple[Graph, str]:
    graph = Graph()
    return graph, marker_maps(graph, colours(graph, "image", channels, 1 / high, 0.0), count)


def _rtmpose_body2d() -> onnx.ModelProto:
    graph, maps = _asset_keypoints("BGR", 255, 133)
    simcc(graph, maps, "pred_x", "pred_y")
    width, height = CROP
    outputs = {
        "pred_x": ([1, 133, 2 * width], TensorProto.FLOAT),
        "pred_y": ([1, 133, 2 * height], TensorProto.FLOAT),
    }
    return model_of(graph, "image", [1, 3, height, width], outputs, 17)


def _hrnet_pose() -> onnx.ModelProto:
    graph, maps = _asset_keypoints("RGB", 1, 17)
    shape = cells(graph, maps)
    picture_shape = [1, 3, CROP[1], CROP[0]]
    return model_of(graph, "image", picture_shape, {"heatmaps": (shape, TensorProto.FLOAT)}, 17)


def _litehrnet() -> onnx.ModelProto:
    graph, maps = _asset_keypoints("BGR", 255, 17)
    shape = cells(graph, maps)
    graph.add("Identity", [graph.constant("nowhere", np.zeros((1, 17, 2)))], "keypoints")
    graph.add("Identity", [graph.constant("unsure", np.zeros((1, 17)))], "scores")
    outputs = {
        "keypoints": ([1, 17, 2], TensorProto.FLOAT),
        "scores": ([1, 17], TensorProto.FLOAT),
        "heatmaps": (shape, TensorProto.FLOAT),
    }
    return model_of(graph, "image", [1, 3, CROP[1], CROP[0]], outputs, 17)


def _asset_detector(channels: Channels, label_type: int) -> onnx.ModelProto:
    graph = Graph()
    boxes, scores = boxes_of_halves(graph, colours(graph, "image", channels, 1.0, 0.0))
    boxes, scores = with_a_dog(graph, boxes, scores)
    graph.add("Identity", [boxes], "boxes")
    graph.add("Identity", [scores], "scores")
    classes = graph.constant("classes", [[0, 0, 16]], np.int64)
    graph.add("Cast", [classes], "class_idx", to=label_type)
    outputs = {
        "boxes": ([1, 3, 4], TensorProto.FLOAT),
        "scores": ([1, 3], TensorProto.FLOAT),
        "class_idx": ([1, 3], label_type),
    }
    return model_of(graph, "image", [1, 3, DETECTOR, DETECTOR], outputs, 17)
