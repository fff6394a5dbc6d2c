"""The kind `heatmap`: each keypoint is in the likeliest cell of its heat map.

Source of the formulas: `get_final_preds` of HRNet (Sun et al. 2019). Cell n is centred on pixel n
times the cell's side, and so are the labels that these models are trained with.
"""

from collections.abc import Sequence

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.domain.landmark_kinds import HeatMap
from annotate.domain.model_spec import LandmarkSpec
from annotate.pipeline.decoders.keypoints import keypoint_pose
from annotate.pipeline.landmarks import CropPose


class HeatMapDecoder:
    """Keypoints from plain heat maps."""

    def __init__(self, spec: LandmarkSpec, kind: HeatMap) -> None:
        self._size = spec.size
        self._kind = kind

    def decode(self, outputs: Sequence[FloatArray]) -> CropPose:
        """The pose in a crop, from the heat maps."""
        maps = outputs[0][0]
        count, rows, columns = maps.shape
        row, column = np.divmod(maps.reshape(count, -1).argmax(axis=1), columns)
        keypoint = np.arange(count)
        x = self._refined(maps[keypoint, row], column) * (self._size[0] / columns)
        y = self._refined(maps[keypoint, :, column], row) * (self._size[1] / rows)
        xy = np.stack([x, y], axis=1).astype(np.float32)
        confidence = maps[keypoint, row, column]
        return keypoint_pose(xy, confidence, self._kind.min_confidence)

    def _refined(self, values: FloatArray, cell: np.ndarray) -> FloatArray:
        """(k,) cells, moved towards the greater of their two neighbours; one at an edge stays.

        Args:
            values: (k, n) float32 of the cells along an axis.
            cell: (k,) int64 place of the greatest value.
        """
        keypoint = np.arange(len(cell))
        inner = cell.clip(1, values.shape[1] - 2)
        lean = np.sign(values[keypoint, inner + 1] - values[keypoint, inner - 1])
        moved: FloatArray = cell + self._kind.shift * lean * (inner == cell)
        return moved
