"""The kind `movenet`: the one person whose centre the crop shows best.

Source of the formulas: the last nodes of the graph that Google publishes as MoveNet SinglePose.
"""

from collections.abc import Sequence

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.domain.landmark_kinds import MoveNet
from annotate.domain.model_spec import LandmarkSpec
from annotate.numeric.activation import LOGIT_LIMIT, sigmoid
from annotate.pipeline.landmarks import COLUMNS, CropPose


class MoveNetDecoder:
    """Keypoints from heat maps, near the places that the best centre gives."""

    def __init__(self, spec: LandmarkSpec, kind: MoveNet) -> None:
        self._size = spec.size
        self._kind = kind

    def decode(self, outputs: Sequence[FloatArray]) -> CropPose:
        """The pose in a crop, from the outputs heat map, centre, regression and offset.

        The visibility of a landmark is its score in the heat map, the score of the pose that of
        its centre.
        """
        heatmap, centre, regression, offset = (one[0] for one in outputs)
        count, rows, columns = heatmap.shape
        middle = np.array([[rows / 2, columns / 2]], np.float32)
        at = best_cells(centre, middle, self._kind.bias)
        row, column = at[0]
        expected = at + regression[:, row, column].reshape(count, 2)
        cells = best_cells(heatmap, expected, self._kind.bias)
        keypoint = np.arange(count)
        offsets = offset.reshape(count, 2, rows, columns)[keypoint, :, cells[:, 0], cells[:, 1]]
        landmarks = np.ones((count, len(COLUMNS)), np.float32)
        scale = np.array(self._size) / [columns, rows]
        landmarks[:, :2] = (cells + offsets)[:, ::-1] * scale + self._kind.shift_px
        landmarks[:, 2] = 0
        landmarks[:, 3] = sigmoid(heatmap[keypoint, cells[:, 0], cells[:, 1]])
        world = np.zeros((count, 0), np.float32)
        return CropPose(landmarks, world, float(sigmoid(centre[0, row, column])))


def best_cells(logits: FloatArray, expected: FloatArray, bias: float) -> np.ndarray:
    """Of each map the cell whose score, divided by its distance from where it is expected, is best.

    Args:
        logits: (k, h, w) float32 scores before the sigmoid.
        expected: (k, 2) row and column.
        bias: added to the distance, in cells.

    Returns:
        (k, 2) int64 row and column.
    """
    count, rows, columns = logits.shape
    down = np.arange(rows, dtype=np.float32) - expected[:, :1].astype(np.float32)
    right = np.arange(columns, dtype=np.float32) - expected[:, 1:].astype(np.float32)
    distance = np.sqrt(np.square(down)[:, :, None] + np.square(right)[:, None, :])
    # The reciprocal of a sigmoid times a distance is least where their quotient is greatest.
    worse = (1 + np.exp(-logits.clip(-LOGIT_LIMIT))) * (distance + np.float32(bias))
    best = worse.reshape(count, -1).argmin(axis=1)
    return np.stack(np.divmod(best, columns), axis=1)
