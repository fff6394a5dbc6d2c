"""What somebody wears: the colours of trunk and thighs, by which the merge tells people apart."""

import numpy as np
from numpy.typing import NDArray

from annotate.domain import FloatArray
from annotate.skeletons import Skeleton

COLOURS = 6  # red, green, blue of the trunk, then of the thighs

_SHOULDERS, _HIPS, _KNEES = (5, 6), (11, 12), (13, 14)  # of COCO's keypoints
# Where colours are taken, well inside the body: from shoulders to hips and from one side to the
# other, and from hips to knees.
_DOWN, _ACROSS = (
    share.reshape(-1, 1)
    for share in np.meshgrid([0.15, 0.35, 0.55, 0.75], [0.3, 0.5, 0.7], indexing="ij")
)
_ALONG = np.array([[0.25], [0.5], [0.75]])


def clothes(rgb: NDArray[np.uint8], landmarks: FloatArray, skeleton: Skeleton) -> FloatArray:
    """The colours of one person's clothes.

    Args:
        rgb: (H, W, 3) uint8.
        landmarks: (m, 5) float32: x and y in pixels; the rest is not looked at.
        skeleton: that they belong to.

    Returns:
        (6,) float32 in [0, 255]: medians over a few pixels. Where the skeleton has no knees, the
        thighs are as the trunk.
    """

    def sides(keypoints: tuple[int, int]) -> list[NDArray[np.float64]]:
        places = [skeleton.coco17[one] for one in keypoints]
        return [landmarks[place, :2].astype(np.float64) for place in places if place is not None]

    shoulders, hips, knees = sides(_SHOULDERS), sides(_HIPS), sides(_KNEES)
    left, right = (_between(a, b, _DOWN) for a, b in zip(shoulders, hips, strict=True))
    trunk = _colour(rgb, _between(left, right, _ACROSS))
    if not knees:
        return np.concatenate([trunk, trunk])
    thighs = [_between(a, b, _ALONG) for a, b in zip(hips, knees, strict=True)]
    return np.concatenate([trunk, _colour(rgb, np.concatenate(thighs))])


def _between(
    a: NDArray[np.float64], b: NDArray[np.float64], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    return a + (b - a) * share


def _colour(rgb: NDArray[np.uint8], points: NDArray[np.float64]) -> FloatArray:
    """(3,) float32: median of the pixels at `points` (n, 2); outside, the nearest of the edge."""
    height, width = rgb.shape[:2]
    x, y = np.rint(points).clip(0, [width - 1, height - 1]).astype(np.int64).T
    colour: FloatArray = np.median(rgb[y, x], axis=0).astype(np.float32)
    return colour
