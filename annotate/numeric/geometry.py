"""Squares, crops and boxes: where a model's pixels lie in the picture. Arrays in, arrays out.

Points are in pixel-index coordinates: the corners of a square of side s map to 0 and `size` of the
model's input, with no half-pixel shift. MediaPipe's CPU path does the same (OpenCV's
`getPerspectiveTransform` on the corners), and a shift would move landmarks by about 2% of torso
length.
"""

import math

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.model_spec import Padding
from annotate.domain.pipeline_settings import PipelineSettings


def letterbox_roi(
    width: float, height: float, size: tuple[int, int] = (1, 1), padding: Padding = "centred"
) -> FloatArray:
    """The smallest crop that holds the whole picture.

    Args:
        size: width and height of the crop; only their ratio counts.
        padding: where the picture lies in the crop.

    Returns:
        (4,) float32 ROI: centre x, centre y, side of the longer edge in pixels, rotation 0.
    """
    columns, rows = size[0] / max(size), size[1] / max(size)
    side = max(width / columns, height / rows)
    if padding == "top-left":
        width, height = side * columns, side * rows
    return np.array([width / 2, height / 2, side, 0.0], np.float32)


def turned_letterbox_roi(
    width: float, height: float, size: tuple[int, int], padding: Padding, turns: int
) -> FloatArray:
    """The smallest crop that holds the whole picture and is turned by quarter turns, clockwise.

    Args:
        size, padding: as in `letterbox_roi`.

    Returns:
        (4,) float32 ROI.
    """
    # In the axes of the crop, the picture has been turned the other way.
    edges = (height, width) if turns % 2 else (width, height)
    roi = letterbox_roi(*edges, size, padding)
    if turns:
        aside, down = (float(place) - edge / 2 for place, edge in zip(roi[:2], edges, strict=True))
        roi[3] = _rotation(turns)
        cos, sin = np.cos(roi[3]), np.sin(roi[3])
        roi[:2] = width / 2 + cos * aside - sin * down, height / 2 + sin * aside + cos * down
    return roi


def tile_rois(width: int, height: int, smallest: int, settings: PipelineSettings) -> FloatArray:
    """Overlapping squares in which people of every size are seen whole: first one that holds the
    whole picture, then levels of smaller ones; each level covers the picture row by row.

    Args:
        smallest: least side in pixels: a smaller square would show no more detail.
        settings: sizes and overlap of tiles.

    Returns:
        (n, 4) float32 ROIs with rotation 0.
    """
    whole = letterbox_roi(width, height)
    longest = float(whole[2])
    finest = max(longest * settings.finest_tile, smallest)
    levels = max(0, math.ceil(math.log(longest / finest, settings.tile_step)))
    sides = [longest * (finest / longest) ** (level / levels) for level in range(1, levels + 1)]
    grids = [_covering(width, height, side, settings.tile_overlap) for side in sides]
    return np.concatenate([whole[None], *grids])


def _covering(width: int, height: int, side: float, overlap: float) -> FloatArray:
    x, y = np.meshgrid(_centres(width, side, overlap), _centres(height, side, overlap))
    rest = np.broadcast_to([side, 0], (x.size, 2))
    return np.column_stack([x.ravel(), y.ravel(), rest]).astype(np.float32)


def _centres(length: int, side: float, overlap: float) -> NDArray[np.float64]:
    """Places of the squares' centres along an edge of the picture."""
    if length <= side:
        return np.array([length / 2])
    count = 1 + math.ceil((length - side) / (side * (1 - overlap)))
    return np.linspace(side / 2, length - side / 2, count)


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


def rois_from_boxes(boxes: FloatArray, size: tuple[int, int], scale: float) -> FloatArray:
    """The smallest upright ROIs that hold a box each, times a scale.

    Args:
        boxes: (n, 4) x0, y0, x1, y1 in pixels.
        size: width and height of the crop; only their ratio counts.
        scale: of the ROI's edges.

    Returns:
        (n, 4) float32 ROIs: centre x, centre y, side of the longer edge, rotation 0.
    """
    edges = (boxes[:, 2:] - boxes[:, :2]) * (max(size) / np.array(size, np.float32))
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    side = edges.max(axis=1, keepdims=True, initial=0) * scale
    return np.hstack([centre, side, np.zeros_like(side)]).astype(np.float32)


def quarter_turned(
    roi: FloatArray, edges: FloatArray, size: tuple[int, int], turns: int
) -> FloatArray:
    """An ROI turned about its centre, as large as it must be to hold the same with the same margin.

    Args:
        roi: (4,) float32, upright or turned by quarter turns.
        edges: (2,) width and height of what it holds, along its own axes.
        size: width and height of the crop; only their ratio counts.
        turns: quarter turns, clockwise.

    Returns:
        (4,) float32 ROI, its rotation in (-pi, pi].
    """
    turned = roi.copy()
    turned[3] = _rotation(quarter_turns(roi) + turns)
    if turns % 2 and edges.any():
        crop = np.array(size, np.float32) / max(size)
        turned[2] *= (edges[::-1] / crop).max() / (edges / crop).max()
    return turned


def _rotation(turns: int) -> float:
    """Quarter turns in radians: 0, pi / 2, pi or -pi / 2."""
    return ((turns + 1) % 4 - 1) * math.pi / 2


def quarter_turns(roi: FloatArray) -> int:
    """The rotation of an ROI (4,) in whole quarter turns, clockwise."""
    return round(float(roi[3]) / (math.pi / 2))


def crop_to_picture(roi: FloatArray, size: tuple[float, float]) -> NDArray[np.float64]:
    """The affine map from the pixels of a crop to those of the picture.

    Args:
        roi: (4,) centre x, centre y, side of the crop's longer edge, rotation.
        size: width and height of the crop.

    Returns:
        (2, 3) float64 matrix, as `cv2.warpAffine` takes it with `WARP_INVERSE_MAP`.
    """
    x, y, side, rotation = (float(value) for value in roi)
    scale = side / max(size)
    cos, sin = np.cos(rotation) * scale, np.sin(rotation) * scale
    half_width, half_height = size[0] / 2, size[1] / 2
    return np.array(
        [
            [cos, -sin, x - (half_width * cos - half_height * sin)],
            [sin, cos, y - (half_width * sin + half_height * cos)],
        ]
    )


def composed(outer: NDArray[np.float64], inner: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 3) affine map: first `inner`, then `outer`, both (2, 3)."""
    both: NDArray[np.float64] = outer[:, :2] @ inner
    both[:, 2] += outer[:, 2]
    return both


def apply_affine(matrix: NDArray[np.float64], points: FloatArray) -> FloatArray:
    """Points (..., 2) float32 through a (2, 3) affine map."""
    return (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def box_iou(boxes: FloatArray, others: FloatArray) -> FloatArray:
    """Intersection over union of boxes with others.

    Args:
        boxes, others: (..., 4) x0, y0, x1, y1; the axes before the last are broadcast.

    Returns:
        (...) float32 in [0, 1]; 0 where both are empty.
    """
    common = box_intersection(boxes, others)
    own, areas = (_area(np.maximum(one[..., 2:] - one[..., :2], 0)) for one in (boxes, others))
    union = own + areas - common
    iou: FloatArray = np.where(union > 0, common / np.where(union > 0, union, 1), 0)
    return iou.astype(np.float32)


def box_intersection(boxes: FloatArray, others: FloatArray) -> FloatArray:
    """(...) area in square pixels that boxes (..., 4) have in common with others."""
    low = np.maximum(boxes[..., :2], others[..., :2])
    high = np.minimum(boxes[..., 2:], others[..., 2:])
    return _area(np.maximum(high - low, 0))


def _area(sides: FloatArray) -> FloatArray:
    # np.prod along an axis of two takes four times as long.
    area: FloatArray = sides[..., 0] * sides[..., 1]
    return area


def roi_iou(roi: FloatArray, rois: FloatArray) -> FloatArray:
    """Intersection over union of one ROI (4,) with many (n, 4), as upright squares: rotation is
    left out, as in MediaPipe's AssociationNormRectCalculator.

    Returns:
        (n,) float32 in [0, 1].
    """
    every = np.vstack([roi, rois])
    half = every[:, 2:3] / 2
    boxes = np.hstack([every[:, :2] - half, every[:, :2] + half]).astype(np.float32)
    return box_iou(boxes[0], boxes[1:])
