"""What a detector finds in one run, whatever its kind."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.numeric.geometry import apply_affine


@dataclass(frozen=True, eq=False)
class Detections:
    """People that the first stage found, in descending order of score.

    Attributes:
        score: (n,) float32 in [0, 1].
        box: (n, 4) float32: x0, y0, x1, y1 as fractions of the longer side of the input.
        points: (n, k, 2) float32: the alignment points, likewise; k is 0 where there are none.
    """

    score: FloatArray
    box: FloatArray
    points: FloatArray

    def __len__(self) -> int:
        return len(self.score)

    def take(self, rows: IntArray) -> "Detections":
        """The detections at `rows`, in that order."""
        return Detections(self.score[rows], self.box[rows], self.points[rows])

    def placed(self, matrix: NDArray[np.float64]) -> "Detections":
        """The detections with box and points through a (2, 3) affine map, which may turn them by
        quarter turns.
        """
        corners = np.sort(apply_affine(matrix, self.box.reshape(-1, 2, 2)), axis=1)
        return Detections(self.score, corners.reshape(-1, 4), apply_affine(matrix, self.points))
