"""Removes poses that are not a person of their own: duplicates, and body parts taken for people."""

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.domain.skeleton import AREA_OF_BOX, COCO_SIGMAS, Skeleton
from annotate.numeric.similarity import oks


def distinct_poses(
    landmarks: FloatArray, score: FloatArray, skeleton: Skeleton, settings: PipelineSettings
) -> IntArray:
    """Non-maximum suppression by object keypoint similarity, and of body parts.

    Args:
        landmarks: (n, L, 5) float32: x, y, z, visibility, presence.
        score: (n,) float32; times the mean visibility, it says which of two poses is better.
        skeleton: of the landmarks.

    Returns:
        (k,) int64 rows of the poses that remain, increasing.
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
        # The smaller of the two areas counts: a small pose is not the large one around it.
        similarity = np.minimum(alike[row, kept], alike[kept, row])
        if (similarity <= settings.same_pose_oks).all():
            kept.append(int(row))
    rows = np.sort(np.array(kept, np.int64))
    return rows[~_parts(points[rows], settings.part_size)]


def _parts(points: FloatArray, part_size: float) -> NDArray[np.bool_]:
    """(n,) bool: which of the poses (n, K, 2) are around a joint of a far larger one."""
    size = np.ptp(points, axis=1).max(axis=1)
    centre = points.mean(axis=1)
    apart = np.linalg.norm(points[None] - centre[:, None, None], axis=3).min(axis=2)
    small = size[:, None] < part_size * size[None]
    part: NDArray[np.bool_] = (small & (apart < size[:, None] / 2)).any(axis=1)
    return part
