"""Squares, crops and boxes: where a model's pixels lie in the picture. Arrays in, arrays out.

Points are in pixel-index coordinates: the corners of a square of side s map to 0 and `size` of the
model's input, with no half-pixel shift. MediaPipe's CPU path does the same (OpenCV's
`getPerspectiveTransform` on the corners), and a shift would move landmarks by about 2% of torso
length.
"""

import numpy as np
from numpy.typing import NDArray

from annotate.domain import FloatArray


def letterbox_roi(width: int, height: int) -> FloatArray:
    """The smallest centred square that holds the whole picture.

    Returns:
        (4,) float32 ROI: centre x, centre y, side in pixels, rotation 0.
    """
    return np.array([width / 2, height / 2, max(width, height), 0.0], np.float32)


def rois_from_points(centre: FloatArray, tip: FloatArray, scale: float) -> FloatArray:
    """Rotated squares from two alignment keypoints each, as MediaPipe's
    AlignmentPointsRectsCalculator and RectTransformationCalculator make them.

    Args:
        centre: (n, 2) pixels, the middle of the person.
        tip: (n, 2) pixels, the point that is to be straight above the centre in the crop.
        scale: margin about the circle that `tip` describes.

    Returns:
        (n, 4) float32 ROIs: centre x, centre y, side, rotation in (-pi, pi], clockwise.
    """
    dx, dy = (tip - centre).T.astype(np.float64)
    rotation = np.pi / 2 - np.arctan2(-dy, dx)
    rotation -= 2 * np.pi * np.floor((rotation + np.pi) / (2 * np.pi))
    side = 2 * np.hypot(dx, dy) * scale
    return np.column_stack([centre, side, rotation]).astype(np.float32)


def crop_to_picture(roi: FloatArray, size: int) -> NDArray[np.float64]:
    """The affine map from the pixels of a `size` x `size` crop to those of the picture.

    Args:
        roi: (4,) centre x, centre y, side, rotation.

    Returns:
        (2, 3) float64 matrix, as `cv2.warpAffine` takes it with `WARP_INVERSE_MAP`.
    """
    x, y, side, rotation = (float(value) for value in roi)
    scale = side / size
    cos, sin = np.cos(rotation) * scale, np.sin(rotation) * scale
    half = size / 2
    return np.array([[cos, -sin, x - half * (cos - sin)], [sin, cos, y - half * (sin + cos)]])


def apply_affine(matrix: NDArray[np.float64], points: FloatArray) -> FloatArray:
    """Points (..., 2) float32 through a (2, 3) affine map."""
    return (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def box_iou(box: FloatArray, boxes: FloatArray) -> FloatArray:
    """Intersection over union of one box with many.

    Args:
        box: (4,) x0, y0, x1, y1.
        boxes: (n, 4), the same order and units.

    Returns:
        (n,) float32 in [0, 1]; 0 where both are empty.
    """
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:], boxes[:, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    own = np.prod(np.maximum(box[2:] - box[:2], 0))
    union = own + areas - common
    iou: FloatArray = np.where(union > 0, common / np.where(union > 0, union, 1), 0)
    return iou.astype(np.float32)
