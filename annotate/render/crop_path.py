"""A window of constant size that follows a box through a video."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray

# The window is larger than the largest box by this fraction.
_MARGIN = 0.1


@dataclass(frozen=True, eq=False)
class CropPath:
    """Where the window is.

    Attributes:
        frames: (n,) int64, increasing.
        corner: (n, 2) int64: left and top pixel.
        width, height: in pixels.
    """

    frames: IntArray
    corner: IntArray
    width: int
    height: int

    def of(self, frame: int, picture: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        """The part (height, width, 3) of a frame's picture; None where the box is not in it."""
        place = int(np.searchsorted(self.frames, frame))
        if place == len(self.frames) or self.frames[place] != frame:
            return None
        left, top = self.corner[place].tolist()
        return picture[top : top + self.height, left : left + self.width]


def crop_path(frames: IntArray, boxes: FloatArray, size: tuple[int, int]) -> CropPath:
    """The window that holds every box, as far as the picture reaches.

    Args:
        frames: (n,) int64, increasing; at least one.
        boxes: (n, 4) float32 x, y, width, height in pixels.
        size: width and height of the picture in pixels.
    """
    largest = np.ceil(boxes[:, 2:].max(axis=0) * (1 + _MARGIN)).astype(int)
    width, height = np.minimum(np.maximum(largest, 2), size).tolist()
    centre = boxes[:, :2] + boxes[:, 2:] / 2
    corner = np.rint(centre - np.array([width, height]) / 2).astype(np.int64)
    corner = corner.clip(0, np.array(size) - [width, height])
    return CropPath(frames, corner, width, height)
