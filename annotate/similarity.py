"""How alike two poses are. Arrays in, arrays out."""

import numpy as np

from annotate.domain import FloatArray
from annotate.skeletons import COCO_SIGMAS

# Share of a person's bounding box that the body covers, where no mask is known; with it, OKS from
# boxes agrees with OKS from COCO's masks on average.
AREA_OF_BOX = 0.53


def oks(
    keypoints: FloatArray,
    others: FloatArray,
    counted: np.ndarray,
    area: FloatArray,
    sigmas: FloatArray = COCO_SIGMAS,
) -> FloatArray:
    """Object keypoint similarity of every pose with every other, as COCO's evaluation defines it.

    Args:
        keypoints: (n, K, 2) float32 pixels.
        others: (m, K, 2) float32 pixels.
        counted: (n, K) or (n, m, K) bool: the keypoints that count.
        area: (n,) float32 square pixels of the persons in `keypoints`.
        sigmas: (K,) float32.

    Returns:
        (n, m) float32 in [0, 1]; 0 where no keypoint counts.
    """
    apart = ((keypoints[:, None] - others[None]) ** 2).sum(axis=3)
    scale = 2 * (2 * sigmas) ** 2 * np.maximum(area, 1)[:, None]
    alike = np.exp(-apart / scale[:, None])
    weight = np.broadcast_to(counted if counted.ndim == 3 else counted[:, None], alike.shape)
    total = weight.sum(axis=2)
    mean: FloatArray = (alike * weight).sum(axis=2) / np.maximum(total, 1)
    return mean.astype(np.float32)
