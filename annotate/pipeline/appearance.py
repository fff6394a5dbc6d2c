"""What somebody wears: the colours of trunk and thighs, by which the merge tells people apart."""

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.skeleton import Skeleton

COLOURS = 6  # red, green, blue of the trunk, then of the thighs

_CORNERS = (5, 6, 11, 12, 13, 14)  # of COCO's keypoints: shoulders, hips, knees, left and right
# Where colours are taken, well inside the body, as shares of the corners: from shoulders to hips
# and from one side to the other, and from hips to knees.
_TRUNK = np.array(
    [
        [(1 - down) * (1 - across), (1 - down) * across, down * (1 - across), down * across]
        for down in (0.15, 0.35, 0.55, 0.75)
        for across in (0.3, 0.5, 0.7)
    ]
)
_THIGHS = np.array(
    [
        [(1 - along) * left, (1 - along) * (1 - left), along * left, along * (1 - left)]
        for left in (1, 0)
        for along in (0.25, 0.5, 0.75)
    ]
)


def appearance(rgb: NDArray[np.uint8], landmarks: FloatArray, skeleton: Skeleton) -> FloatArray:
    """What one person looks like: the colours of trunk and thighs.

    Args:
        rgb: (H, W, 3) uint8.
        landmarks: (m, 5) float32: x and y in pixels; the rest is not looked at.
        skeleton: that they belong to.

    Returns:
        (6,) float32 in [0, 255]: medians over a few pixels; outside the picture, those of its edge.
        Where the skeleton has no knees, the thighs are as the trunk.
    """
    places = [skeleton.coco17[corner] for corner in _CORNERS]
    corners = landmarks[[place for place in places if place is not None], :2].astype(np.float64)
    points = _TRUNK @ corners[:4]
    if len(corners) == len(_CORNERS):
        points = np.concatenate([points, _THIGHS @ corners[2:]])
    height, width = rgb.shape[:2]
    x, y = np.rint(points).clip(0, [width - 1, height - 1]).astype(np.int64).T
    pixels = rgb[y, x]
    trunk, thighs = _median(pixels[: len(_TRUNK)]), pixels[len(_TRUNK) :]
    return np.concatenate([trunk, _median(thighs) if len(thighs) else trunk])


def _median(pixels: NDArray[np.uint8]) -> FloatArray:
    """(3,) float32 of an even number of pixels (n, 3), as `np.median` in a tenth of its time."""
    middle = len(pixels) // 2
    ordered = np.sort(pixels, axis=0)
    median: FloatArray = ordered[middle - 1 : middle + 1].mean(axis=0, dtype=np.float32)
    return median
