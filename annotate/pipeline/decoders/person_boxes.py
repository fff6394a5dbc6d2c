"""What all detectors of person boxes share: the cells of their grids, and suppression."""

from collections.abc import Sequence

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.numeric.geometry import box_iou
from annotate.pipeline.detections import Detections


def grid(size: tuple[int, int], strides: Sequence[int]) -> tuple[FloatArray, FloatArray]:
    """The cells of an input, stride by stride and row by row.

    Args:
        size: width and height of the input in pixels.
        strides: side of the cells in pixels.

    Returns:
        (n, 2) float32 column and row of each cell, and (n,) float32 its stride.
    """
    corners, steps = [], []
    for stride in strides:
        columns, rows = (-(-edge // stride) for edge in size)
        x, y = np.meshgrid(np.arange(columns), np.arange(rows))
        corners.append(np.stack([x.ravel(), y.ravel()], axis=1))
        steps.append(np.full(rows * columns, stride))
    return np.concatenate(corners).astype(np.float32), np.concatenate(steps).astype(np.float32)


def people(
    boxes: FloatArray, score: FloatArray, size: tuple[int, int], nms_iou: float
) -> Detections:
    """Detections of person boxes, without those that overlap a better one.

    Args:
        boxes: (n, 4) float32 x0, y0, x1, y1 in pixels of the input.
        score: (n,) float32 in [0, 1].
        size: width and height of the input.
        nms_iou: boxes that overlap more are of one person.
    """
    order = np.argsort(-score, kind="stable")
    kept: list[int] = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(int(best))
        order = rest[box_iou(boxes[best], boxes[rest]) <= nms_iou]
    rows = np.array(kept, np.int64)
    fractions = (boxes[rows] / np.float32(max(size))).astype(np.float32).reshape(-1, 4)
    points = np.zeros((len(rows), 0, 2), np.float32)
    return Detections(score[rows].astype(np.float32), fractions, points)
