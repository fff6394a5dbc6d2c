"""Stage 2 without the model: raw outputs to landmarks in pixels of the picture.

Source of the formulas: MediaPipe's TensorsToLandmarksCalculator, RefineLandmarksFromHeatmap-
Calculator and LandmarkProjectionCalculator, with the options of its pose_landmark graph.
"""

from collections.abc import Sequence

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.domain.pack import LandmarkSpec
from annotate.numeric.geometry import apply_affine, crop_to_picture

COLUMNS = ("x", "y", "z", "visibility", "presence")


def decode_landmarks(raw: FloatArray, spec: LandmarkSpec) -> FloatArray:
    """The model's landmark output as (m, 5) float32: x, y, z in pixels of the crop, visibility,
    presence in [0, 1]. A column that the model lacks is 1: it then cannot rule a landmark out.
    """
    values = raw.reshape(-1, len(spec.columns))
    landmarks = np.ones((len(values), len(COLUMNS)), np.float32)
    for column, name in enumerate(COLUMNS):
        if name not in spec.columns:
            continue
        value = values[:, spec.columns.index(name)]
        if column < 3:
            landmarks[:, column] = value * np.float32(spec.landmarks_scale)
        else:
            value = value * np.float32(spec.confidence_scale)
            landmarks[:, column] = _sigmoid(value) if spec.logits else value
    return landmarks


def crop_landmarks(outputs: Sequence[FloatArray], spec: LandmarkSpec) -> FloatArray:
    """Landmarks (m, 5) in pixels of the crop, refined where the model has a heatmap.

    Args:
        outputs: of the model: landmarks, flag, and heatmap if there is one.
    """
    raw, _, *heatmap = outputs
    landmarks = decode_landmarks(raw, spec)
    return refine(landmarks, heatmap[0][0], spec) if heatmap else landmarks


def refine(landmarks: FloatArray, heatmap: FloatArray, spec: LandmarkSpec) -> FloatArray:
    """Landmarks whose x and y are moved to the mean of the heatmap about them.

    The window of `spec.heatmap_window` cells about the landmark's cell is weighted by the
    sigmoid of the heatmap; where its greatest value is below `spec.heatmap_min`, or the landmark
    lies outside the crop, the landmark stays.

    Args:
        landmarks: (m, 5) float32, in pixels of the crop.
        heatmap: (h, w, m) float32 logits.
    """
    rows, columns, count = heatmap.shape
    cell = np.array([columns, rows], np.float32) / spec.size
    centre = (landmarks[:, :2] * cell).astype(np.int64)
    inside = ((centre >= 0) & (centre < [columns, rows])).all(axis=1)
    offset = np.arange(spec.heatmap_window) - spec.heatmap_window // 2
    x = centre[:, :1] + offset
    y = centre[:, 1:] + offset
    # One flat index is gathered faster than three.
    at = (y.clip(0, rows - 1) * columns)[:, :, None] + x.clip(0, columns - 1)[:, None, :]
    values = heatmap.reshape(-1).take(at * count + np.arange(count)[:, None, None])
    weight = _sigmoid(values)
    if x.min() < 0 or y.min() < 0 or x.max() >= columns or y.max() >= rows:
        weight *= ((y >= 0) & (y < rows))[:, :, None] & ((x >= 0) & (x < columns))[:, None, :]
    by_column, by_row = weight.sum(axis=1), weight.sum(axis=2)
    total = weight.sum(axis=(1, 2))
    used = inside & (weight.max(axis=(1, 2)) >= spec.heatmap_min)
    safe = np.where(used, total, 1)
    refined = landmarks.copy()
    refined[used, 0] = ((by_column * x).sum(axis=1) / safe / cell[0])[used]
    refined[used, 1] = ((by_row * y).sum(axis=1) / safe / cell[1])[used]
    return refined


def to_picture(landmarks: FloatArray, roi: FloatArray, size: int) -> FloatArray:
    """Landmarks (m, 5) from pixels of the `size` crop of `roi` to pixels of the picture."""
    placed = landmarks.copy()
    placed[:, :2] = apply_affine(crop_to_picture(roi, size), landmarks[:, :2])
    placed[:, 2] *= roi[2] / size
    return placed


def _sigmoid(values: FloatArray) -> FloatArray:
    sigmoid: FloatArray = 1 / (1 + np.exp(-values.clip(-80, 80)))
    return sigmoid
