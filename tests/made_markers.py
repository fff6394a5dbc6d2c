"""People of coloured markers, and small models that find them: what published zips are tested with.

A person is an ochre panel with a square marker for each of COCO's keypoints, all of different
colours. Landmark models compare each pixel with each keypoint's colour and smooth that by a
convolution, so that a marker's middle is best. Detectors find the extent of an ochre panel in each
half of the picture. Both find nothing, or the wrong markers, where colours are swapped or scaled.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from annotate.video.writer import Encoding, VideoWriter
from tests.made_asset import Graph

FRAMES, FPS = 60, 30
WIDTH, HEIGHT = 480, 270
PANEL = (100, 200)
"""Width and height of a person in pixels."""
MARKER = 9
"""Side of a marker in pixels."""
OCHRE = (210, 180, 60)
COLOURS = np.array(
    [
        [r, g, b]
        for r in (0, 128, 255)
        for g in (0, 128, 255)
        for b in (0, 128, 255)
        if (r, g, b) not in ((0, 0, 0), (128, 128, 128), (255, 128, 0), (255, 128, 128))
    ]
)[:17]
# Where the markers of COCO's keypoints lie in the panel, in pixels: nose, left eye, right eye, ...
PLACES = np.array(
    [
        *[(50, 28), (62, 15), (38, 15), (76, 24), (24, 24)],
        *[(72, 58), (28, 58), (86, 88), (14, 88), (90, 118), (10, 118)],
        *[(64, 112), (36, 112), (66, 150), (34, 150), (68, 186), (32, 186)],
    ],
    float,
)
CROP = (144, 192)
"""Width and height of the landmark models' input."""
DETECTOR = 128
"""Side of the detectors' input."""
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
"""Of red, green and blue, as MMPose and MMDetection have them."""
# How far a pixel may be from a marker's colour, as a fraction of the range of values.
_TOLERANCE = 0.25

Channels = Literal["RGB", "BGR"]


def corners(frame: int) -> NDArray[np.float64]:
    """(2, 2): the upper left corner of both people in a frame, in pixels."""
    return np.array([[30.0 + frame, 20 + frame / 4], [330.0 - frame, 60 - frame / 2]])


def keypoints(frame: int) -> NDArray[np.float64]:
    """(2, 17, 2): where the keypoints of both people are, in pixels."""
    places: NDArray[np.float64] = np.round(corners(frame))[:, None] + PLACES
    return places


def picture(frame: int) -> NDArray[np.uint8]:
    """(HEIGHT, WIDTH, 3) uint8."""
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for corner, places in zip(np.round(corners(frame)).astype(int), keypoints(frame), strict=True):
        x, y = corner
        rgb[y : y + PANEL[1], x : x + PANEL[0]] = OCHRE
        for (u, v), colour in zip(places.astype(int), COLOURS, strict=True):
            half = MARKER // 2
            rgb[v - half : v + half + 1, u - half : u + half + 1] = colour
    return rgb


def write_film(path: Path) -> Path:
    """The film of two people, as a video without loss of colours."""
    encoding = Encoding("libx264", Fraction(FPS), pix_fmt="yuv444p", options={"crf": "4"})
    with VideoWriter(path, encoding) as video:
        for frame in range(FRAMES):
            video.write(picture(frame))
    return path


def model_of(
    graph: Graph,
    picture_name: str,
    shape: Sequence[Any],
    outputs: Mapping[str, tuple[Sequence[Any], int]],
    opset: int,
) -> onnx.ModelProto:
    values = [
        helper.make_tensor_value_info(name, dtype, shape)
        for name, (shape, dtype) in outputs.items()
    ]
    image = helper.make_tensor_value_info(picture_name, TensorProto.FLOAT, shape)
    made = helper.make_graph(graph.nodes, "made", [image], values, graph.constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def colours(graph: Graph, name: str, channels: Channels, scale: Any, shift: Any) -> str:
    """(1, 3, h, w) red, green and blue in 0-1 of a picture that is (value - shift) / scale.

    Args:
        scale, shift: of red, green and blue, or of all.
    """
    order = [0, 1, 2] if channels == "RGB" else [2, 1, 0]
    colours = graph.add(
        "Gather", [name, graph.constant("order", order, np.int64)], "colours", axis=1
    )
    three = np.broadcast_to
    by = graph.constant("scale", three(scale, 3).reshape(1, 3, 1, 1))
    to = graph.constant("shift", three(shift, 3).reshape(1, 3, 1, 1))
    return graph.add("Add", [graph.add("Mul", [colours, by], "scaled"), to], "rgb")


def marker_maps(graph: Graph, rgb: str, count: int) -> str:
    """(1, count, h, w): how likely each pixel is the middle of each keypoint's marker; keypoint
    n has the colour of number n mod 17.
    """
    wanted = COLOURS[np.arange(count) % 17] / 255
    squared = graph.add("Mul", [rgb, rgb], "squared")
    length = graph.add("ReduceSum", [squared, graph.constant("channel", [1], np.int64)], "length")
    weights = graph.constant("weights", 2 * wanted.reshape(count, 3, 1, 1))
    bias = graph.constant("bias", -np.square(wanted).sum(axis=1))
    dot = graph.add("Conv", [rgb, weights, bias], "dot", kernel_shape=(1, 1))
    nearness = graph.add("Sub", [dot, length], "nearness")
    steep = graph.add("Mul", [nearness, graph.constant("steep", _TOLERANCE**-2)], "steeper")
    alike = graph.add("Relu", [graph.add("Add", [steep, graph.constant("top", 1.0)], "peak")], "a")
    # Greatest where the whole marker lies under it, and in its middle.
    side = np.minimum(np.arange(1, 14), np.arange(13, 0, -1)).astype(float)
    kernel = np.outer(side, side)
    kernel /= kernel[4:9, 4:9].sum()
    smooth = np.broadcast_to(kernel, (count, 1, 13, 13))
    return graph.add(
        "Conv",
        [alike, graph.constant("smooth", smooth)],
        "maps",
        group=count,
        kernel_shape=(13, 13),
        pads=(6, 6, 6, 6),
    )


def simcc(graph: Graph, maps: str, x: str, y: str) -> None:
    """Distributions with two bins a pixel."""
    for name, axis, edge in ((x, 2, CROP[0]), (y, 3, CROP[1])):
        best = graph.add("ReduceMax", [maps], f"{name}_best", axes=[axis], keepdims=0)
        last = graph.constant(f"{name}_last", [-1], np.int64)
        column = graph.add("Unsqueeze", [best, last], f"{name}_column")
        twice = graph.add("Concat", [column, column], f"{name}_twice", axis=3)
        flat = graph.constant(f"{name}_flat", [0, 0, 2 * edge], np.int64)
        graph.add("Reshape", [twice, flat], name)


def boxes_of_halves(graph: Graph, rgb: str) -> tuple[str, str]:
    """(1, 2, 4) the extent of ochre in the left and in the right half, and (1, 2) whether there is
    any.
    """
    red, blue = (
        graph.add(
            "Gather", [rgb, graph.constant(f"number_{n}", [n], np.int64)], f"colour_{n}", axis=1
        )
        for n in (0, 2)
    )
    edges = ((red, "red", 0.65, 1.0), (blue, "blue", 0.45, -1.0))
    parts = []
    for colour, name, limit, sign in edges:
        by = graph.add("Sub", [colour, graph.constant(f"{name}_limit", limit)], f"{name}_over")
        steep = graph.add("Mul", [by, graph.constant(f"{name}_sign", sign * 1e4)], f"{name}_steep")
        bounds = [graph.constant(f"{name}_{n}", float(n)) for n in (0, 1)]
        parts.append(graph.add("Clip", [steep, *bounds], f"{name}_is"))
    ochre = graph.add("Mul", parts, "ochre")
    boxes, scores = [], []
    for half, start in (("left", 0), ("right", DETECTOR // 2)):
        cut = [
            graph.constant(f"{half}_{word}", [value], np.int64)
            for word, value in (("from", start), ("to", start + DETECTOR // 2), ("along", 3))
        ]
        part = graph.add("Slice", [ochre, *cut], f"{half}_part")
        found = {}
        for axis, other in (("x", 2), ("y", 3)):
            line = graph.add("ReduceMax", [part], f"{half}_{axis}", axes=[1, other], keepdims=0)
            first = graph.add("ArgMax", [line], f"{half}_{axis}_first", axis=1, keepdims=1)
            last = graph.add(
                "ArgMax",
                [line],
                f"{half}_{axis}_last",
                axis=1,
                keepdims=1,
                select_last_index=1,
            )
            shift = start if axis == "x" else 0
            for end, place, more in (("0", first, 0), ("1", last, 1)):
                number = graph.add("Cast", [place], f"{half}_{axis}{end}_f", to=TensorProto.FLOAT)
                by = graph.constant(f"{half}_{axis}{end}_by", float(shift + more))
                found[f"{axis}{end}"] = graph.add("Add", [number, by], f"{half}_{axis}{end}")
        box = [found[key] for key in ("x0", "y0", "x1", "y1")]
        boxes.append(graph.add("Concat", box, f"{half}_box", axis=1))
        scores.append(graph.add("ReduceMax", [part], f"{half}_any", axes=[1, 2, 3], keepdims=0))
    rows = graph.add("Concat", boxes, "rows", axis=1)
    all_boxes = graph.add("Reshape", [rows, graph.constant("two", [1, 2, 4], np.int64)], "both")
    flat = graph.add("Concat", scores, "any", axis=0)
    ones = graph.add("Reshape", [flat, graph.constant("pair", [1, 2], np.int64)], "sure")
    return all_boxes, graph.add("Mul", [ones, graph.constant("most", 0.9)], "score")


def with_a_dog(graph: Graph, boxes: str, scores: str) -> tuple[str, str]:
    """Boxes (1, 3, 4) and scores (1, 3), the last one of another class."""
    dog = graph.constant("dog", np.array([[[0, 0, 30, 30]]], np.float32))
    sure = graph.constant("dog_sure", np.array([[0.95]], np.float32))
    return (
        graph.add("Concat", [boxes, dog], "all_boxes", axis=1),
        graph.add("Concat", [scores, sure], "all_scores", axis=1),
    )


def cells(graph: Graph, maps: str) -> list[int]:
    """Heat maps of every fourth pixel, and their shape."""
    width, height = CROP
    cut = [
        graph.constant(f"cells_{word}", values, np.int64)
        for word, values in (
            ("from", [0, 0]),
            ("to", [height, width]),
            ("along", [2, 3]),
            ("step", [4, 4]),
        )
    ]
    graph.add("Slice", [maps, *cut], "heatmaps")
    return [1, 17, height // 4, width // 4]
