"""Poses that are no person of their own: of one person twice the better one stands, and a hand or a
foot that was taken for a person is none.
"""

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.skeleton import COCO_SIGMAS, Skeleton
from annotate.numeric.similarity import AREA_OF_BOX, oks

SAME_POSE_OKS = 0.5
# A pose about a joint of another one that is so much larger is a part of that one.
PART_SIZE = 0.2


def distinct_poses(landmarks: FloatArray, score: FloatArray, skeleton: Skeleton) -> IntArray:
    """Non-maximum suppression by object keypoint similarity, and of parts.

    Args:
        landmarks: (n, L, 5) float32: x, y, z, visibility, presence.
        score: (n,) float32; with the mean visibility it tells which of two poses is the better.
        skeleton: that they belong to.

    Returns:
        (k,) int64 rows of the poses that stand, increasing.
    """
    if len(landmarks) < 2:
        return np.arange(len(landmarks))
    places = [place for place in skeleton.coco17 if place is not None]
    sigmas = COCO_SIGMAS[[place is not None for place in skeleton.coco17]]
    points = landmarks[:, places, :2]
    area = np.prod(np.ptp(points, axis=1), axis=1) * AREA_OF_BOX
    alike = oks(points, points, np.ones(points.shape[:2], np.bool_), area, sigmas)
    kept: list[int] = []
    for row in np.argsort(-score * landmarks[:, :, 3].mean(axis=1), kind="stable"):
        # Of the two areas the smaller counts: a small pose is not the large one that it lies in.
        if (np.minimum(alike[row, kept], alike[kept, row]) <= SAME_POSE_OKS).all():
            kept.append(int(row))
    rows = np.sort(np.array(kept, np.int64))
    return rows[~_parts(points[rows])]


def _parts(points: FloatArray) -> NDArray[np.bool_]:
    """(n,) bool: which of the poses (n, K, 2) lie about a joint of a far larger one."""
    size = np.ptp(points, axis=1).max(axis=1)
    centre = points.mean(axis=1)
    apart = np.linalg.norm(points[None] - centre[:, None, None], axis=3).min(axis=2)
    small = size[:, None] < PART_SIZE * size[None]
    part: NDArray[np.bool_] = (small & (apart < size[:, None] / 2)).any(axis=1)
    return part
