"""Makes the faces of people unrecognisable."""

import cv2
import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.render.overlay import Picture

# Nose, eyes and ears; shoulders; of COCO's keypoints.
_FACE, _SHOULDERS = slice(0, 5), slice(5, 7)
# The radius of what is blurred: so many times the distance of the farthest of nose, eyes and ears
# from their middle;
_SPREAD = 1.8
# but at least these fractions of the distance of the shoulders and, for people in profile, of the
# pose's longer side, and so many pixels.
_PER_SHOULDERS, _PER_SIDE, _LEAST_PX = 0.6, 0.08, 4.0
# A head becomes this many pixels wide.
_PIXELS = 6


def blur_faces(rgb: Picture, keypoints: FloatArray) -> Picture:
    """A copy of the picture in which each head is a few blurred pixels.

    Visibility does not count: a head that the model takes to be turned away is blurred too.

    Args:
        rgb: (H, W, 3) uint8.
        keypoints: (P, 17, 2) pixels: COCO's.
    """
    blurred = rgb.copy()
    height, width = rgb.shape[:2]
    for points in keypoints.astype(np.float64):
        centre = points[_FACE].mean(axis=0)
        radius = _radius(points, centre)
        if not np.isfinite([*centre, radius]).all():
            continue
        low = np.floor(centre - radius).clip(0, [width, height]).astype(int)
        high = np.ceil(centre + radius).clip(0, [width, height]).astype(int)
        if (high - low).min() > 0:
            part = blurred[low[1] : high[1], low[0] : high[0]]
            _blur_disc(part, centre - low, radius)
    return blurred


def blur_all(rgb: Picture) -> Picture:
    """The whole picture, so that no face in it can be recognised."""
    return _coarse(rgb, 24)


def _radius(points: np.ndarray, centre: np.ndarray) -> float:
    """Pixels about the middle of the face that hold the head."""
    spread = np.linalg.norm(points[_FACE] - centre, axis=1).max()
    shoulders = float(np.linalg.norm(np.diff(points[_SHOULDERS], axis=0)))
    side = float(np.ptp(points, axis=0).max())
    return float(max(_SPREAD * spread, _PER_SHOULDERS * shoulders, _PER_SIDE * side, _LEAST_PX))


def _blur_disc(part: Picture, centre: np.ndarray, radius: float) -> None:
    """Blurs a disc in a part of a picture, in place."""
    rows, columns = np.ogrid[: part.shape[0], : part.shape[1]]
    inside = (columns - centre[0]) ** 2 + (rows - centre[1]) ** 2 <= radius**2
    part[inside] = _coarse(part, _PIXELS)[inside]


def _coarse(rgb: Picture, pixels: int) -> Picture:
    """The picture at a resolution of so many pixels across, at its old size."""
    height, width = rgb.shape[:2]
    small = cv2.resize(rgb, (pixels, pixels), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
