"""How alike two poses are. Arrays in, arrays out."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.skeleton import COCO_SIGMAS


def oks(
    keypoints: FloatArray,
    others: FloatArray,
    counted: NDArray[np.bool_],
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
    counted = counted if counted.ndim == 3 else counted[:, None]
    return paired_oks(keypoints[:, None], others[None], counted, area[:, None], sigmas)


def paired_oks(
    keypoints: FloatArray,
    others: FloatArray,
    counted: NDArray[np.bool_],
    area: FloatArray,
    sigmas: FloatArray = COCO_SIGMAS,
) -> FloatArray:
    """Object keypoint similarity of each pose with its own other.

    Args:
        keypoints: (..., K, 2) float32 pixels; the axes before are broadcast.
        others: (..., K, 2) float32 pixels.
        counted: (..., K) bool: the keypoints that count.
        area: (...) float32 square pixels of the persons in `keypoints`.
        sigmas: (K,) float32.

    Returns:
        (...) float32 in [0, 1]; 0 where no keypoint counts.
    """
    apart = ((keypoints - others) ** 2).sum(axis=-1)
    scale = 2 * (2 * sigmas) ** 2 * np.maximum(area, 1)[..., None]
    alike = np.exp(-apart / scale)
    weight = np.broadcast_to(counted, alike.shape)
    mean: FloatArray = (alike * weight).sum(axis=-1) / np.maximum(weight.sum(axis=-1), 1)
    return mean.astype(np.float32)


def appearance_distance(appearance: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    """Root mean square difference of the colours of two people.

    Args:
        appearance, others: (..., 6) in [0, 255]; the axes before the last are broadcast.

    Returns:
        (...) in [0, 255], of the type of the arguments.
    """
    apart: NDArray[Any] = np.sqrt(((appearance - others) ** 2).mean(axis=-1))
    return apart
