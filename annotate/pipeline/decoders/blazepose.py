"""The kind `blazepose`: regressed landmarks, a flag, and a heat map that refines.

Source of the formulas: MediaPipe's TensorsToLandmarksCalculator and RefineLandmarksFromHeatmap-
Calculator, with the options of its pose_landmark graph.
"""

from collections.abc import Sequence

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.domain.landmark_kinds import BlazePose
from annotate.domain.model_spec import LandmarkSpec
from annotate.numeric.activation import sigmoid
from annotate.pipeline.landmarks import COLUMNS, CropPose


class BlazePoseDecoder:
    """Landmarks that the model regresses, refined where it has a heat map."""

    def __init__(self, spec: LandmarkSpec, kind: BlazePose) -> None:
        self._size = spec.size
        self._kind = kind

    def decode(self, outputs: Sequence[FloatArray]) -> CropPose:
        """The pose in a crop, from the outputs in the order of `BlazePose.outputs`."""
        kind = self._kind
        by_name = dict(zip(kind.outputs, outputs, strict=True))
        landmarks = self.landmarks(by_name[kind.landmarks])
        if kind.heatmap:
            landmarks = refine(landmarks, by_name[kind.heatmap][0], self._size, kind)
        world = np.zeros((len(landmarks), 0), np.float32)
        if kind.world:
            world = by_name[kind.world].reshape(len(landmarks), 3)
        return CropPose(landmarks, world, float(by_name[kind.flag].item()))

    def landmarks(self, raw: FloatArray) -> FloatArray:
        """The model's landmark output as (m, 5) float32: x, y, z in pixels of the crop, visibility,
        presence in [0, 1]. A column that the model lacks is 1: it then cannot rule a landmark out.
        """
        kind = self._kind
        values = raw.reshape(-1, len(kind.columns))
        landmarks = np.ones((len(values), len(COLUMNS)), np.float32)
        for column, name in enumerate(COLUMNS):
            if name not in kind.columns:
                continue
            value = values[:, kind.columns.index(name)]
            if column < 3:
                landmarks[:, column] = value * np.float32(kind.landmarks_scale)
            else:
                value = value * np.float32(kind.confidence_scale)
                landmarks[:, column] = sigmoid(value) if kind.logits else value
        return landmarks


def refine(
    landmarks: FloatArray, heatmap: FloatArray, size: tuple[int, int], kind: BlazePose
) -> FloatArray:
    """Landmarks whose x and y are moved to the mean of the heat map about them.

    The window of `kind.heatmap_window` cells about the landmark's cell is weighted by the
    sigmoid of the heat map; where its greatest value is below `kind.heatmap_min`, or the landmark
    lies outside the crop, the landmark stays.

    Args:
        landmarks: (m, 5) float32, in pixels of the crop.
        heatmap: (h, w, m) float32 logits.
        size: width and height of the crop in pixels.
    """
    rows, columns, count = heatmap.shape
    cell = np.array([columns, rows], np.float32) / np.array(size, np.float32)
    centre = (landmarks[:, :2] * cell).astype(np.int64)
    inside = ((centre >= 0) & (centre < [columns, rows])).all(axis=1)
    offset = np.arange(kind.heatmap_window) - kind.heatmap_window // 2
    x = centre[:, :1] + offset
    y = centre[:, 1:] + offset
    # One flat index is gathered faster than three.
    at = (y.clip(0, rows - 1) * columns)[:, :, None] + x.clip(0, columns - 1)[:, None, :]
    values = heatmap.reshape(-1).take(at * count + np.arange(count)[:, None, None])
    weight = sigmoid(values)
    if x.min() < 0 or y.min() < 0 or x.max() >= columns or y.max() >= rows:
        weight *= ((y >= 0) & (y < rows))[:, :, None] & ((x >= 0) & (x < columns))[:, None, :]
    by_column, by_row = weight.sum(axis=1), weight.sum(axis=2)
    total = weight.sum(axis=(1, 2))
    used = inside & (weight.max(axis=(1, 2)) >= kind.heatmap_min)
    safe = np.where(used, total, 1)
    refined = landmarks.copy()
    refined[used, 0] = ((by_column * x).sum(axis=1) / safe / cell[0])[used]
    refined[used, 1] = ((by_row * y).sum(axis=1) / safe / cell[1])[used]
    return refined
