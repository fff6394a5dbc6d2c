"""Paints other people black in the crop of a person who overlaps them.

A landmark model looks for one person, and shows the clearest one of the crop. So that it shows the
person that the crop is for, the others are covered: their boxes, as far as they lie outside the
person's own one, and the bodies of those in front whose poses are known.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.numeric.geometry import apply_affine, crop_to_picture

_FAR = 1 << 14
_HEAD = slice(0, 5)
_TRUNK = [5, 6, 12, 11]
_LIMBS = ((5, 7), (7, 9), (6, 8), (8, 10), (11, 13), (13, 15), (12, 14), (14, 16))


class Occluders(NamedTuple):
    """What a crop must not show; all in pixels of the picture.

    Attributes:
        own: (4,) float32 x0, y0, x1, y1: the box of the person that the crop is for.
        boxes: (n, 4) float32: those of the people who overlap it.
        bodies: of those in front whose poses are known, (17, 3) float32 each: x, y and visibility
            of COCO's keypoints.
        margin: the crop is black outside `own` times this.
    """

    own: FloatArray
    boxes: FloatArray
    bodies: Sequence[FloatArray]
    margin: float


def hide(
    pixels: NDArray[np.uint8], roi: FloatArray, others: Occluders, settings: PipelineSettings
) -> None:
    """Paints in place.

    Args:
        pixels: (height, width, 3) uint8, the crop of `roi` (4,).
    """
    height, width = pixels.shape[:2]
    pixels[~_shown(roi, others, (width, height), settings)] = 0


def hidden(
    points: FloatArray,
    roi: FloatArray,
    others: Occluders,
    size: tuple[int, int],
    settings: PipelineSettings,
) -> NDArray[np.bool_]:
    """(n,) bool: the points that a crop does not show, since they are painted over.

    Args:
        points: (n, 2) float32 pixels of the picture.
        roi: (4,) float32 of the crop, which is
        size: wide and high, in pixels.
    """
    shown = _shown(roi, others, size, settings)
    x, y = _pixels(apply_affine(_to_crop(roi, size), points)).T
    inside = (x >= 0) & (y >= 0) & (x < size[0]) & (y < size[1])
    painted = np.zeros(len(points), np.bool_)
    painted[inside] = ~shown[y[inside], x[inside]]
    return painted


def _shown(
    roi: FloatArray, others: Occluders, size: tuple[int, int], settings: PipelineSettings
) -> NDArray[np.bool_]:
    """(height, width) bool: what is not painted over in the crop of `roi`, `size` wide and high."""
    width, height = size
    to_crop = _to_crop(roi, size)
    shown = np.zeros((height, width), np.uint8)
    _fill(shown, to_crop, grown(others.own, others.margin), 1)
    for box in others.boxes:
        _fill(shown, to_crop, box, 0)
    # Inside the own box only bodies are covered.
    _fill(shown, to_crop, others.own, 1)
    scale = max(width, height) / float(roi[2])
    for body in others.bodies:
        _paint_body(shown, to_crop, body, scale, settings)
    return shown.astype(np.bool_)


def _to_crop(roi: FloatArray, size: tuple[int, int]) -> NDArray[np.float64]:
    """(2, 3) affine map from pixels of the picture to those of the crop of `roi`."""
    return np.asarray(cv2.invertAffineTransform(crop_to_picture(roi, size)), np.float64)


def grown(box: FloatArray, factor: float) -> FloatArray:
    """(4,) box about the same centre, with sides `factor` times as long."""
    margin = (box[2:] - box[:2]) * (factor - 1) / 2
    larger: FloatArray = box + np.concatenate([-margin, margin])
    return larger


def _fill(shown: NDArray[np.uint8], to_crop: NDArray[np.float64], box: FloatArray, v: int) -> None:
    x0, y0, x1, y1 = (float(edge) for edge in box)
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
    cv2.fillConvexPoly(shown, _pixels(apply_affine(to_crop, corners)), v)


def _paint_body(
    shown: NDArray[np.uint8],
    to_crop: NDArray[np.float64],
    body: FloatArray,
    scale: float,
    settings: PipelineSettings,
) -> None:
    sure = body[:, 2] > settings.painted_visibility
    if not sure.any():
        return
    points = _pixels(apply_affine(to_crop, body[:, :2]))
    longer = float(np.ptp(body[sure, :2], axis=0).max()) * scale
    if sure[_TRUNK].all():
        cv2.fillConvexPoly(shown, points[_TRUNK], 0)
    thickness = max(1, round(settings.limb_width * longer))
    for a, b in _LIMBS:
        if sure[a] and sure[b]:
            cv2.line(shown, points[a].tolist(), points[b].tolist(), 0, thickness)
    if sure[_HEAD].any():
        middle = points[_HEAD][sure[_HEAD]].mean(axis=0)
        radius = max(1, round(settings.head_radius * longer))
        cv2.circle(shown, np.rint(middle).astype(int).tolist(), radius, 0, cv2.FILLED)


def _pixels(points: FloatArray) -> NDArray[np.int32]:
    """Whole pixels; far outside the crop, where OpenCV's integers would overflow, its border."""
    whole: NDArray[np.int32] = np.rint(points.clip(-_FAR, _FAR)).astype(np.int32)
    return whole
