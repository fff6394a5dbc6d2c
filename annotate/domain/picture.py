"""A displayed picture from which crops are taken, whatever holds its pixels."""

from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.domain.model_spec import Border

# (height, width, 2) int16 whole pixels and (height, width) uint16 index of the fraction, as
# `cv2.remap` takes them.
Maps: TypeAlias = tuple[NDArray[np.int16], NDArray[np.uint16]]


class Window(NamedTuple):
    """Where the pixels of a crop lie in the picture.

    Attributes:
        matrix: (2, 3) float64 from the pixels of the crop to those of the picture.
        size: width and height of the crop.
        maps: the same, in the fixed-point form that exact pictures use; None where it is not known
            yet.
    """

    matrix: NDArray[np.float64]
    size: tuple[int, int]
    maps: Maps | None = None


class Picture(Protocol):
    """What is displayed of one frame: upright, with square pixels.

    The numeric layer has two kinds: `RgbPicture` holds it as it is, `PlanePicture` as the decoder
    left it, so that only what a crop shows is turned, scaled and converted to RGB.
    """

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """(height, width, 3) uint8: all of it."""

    def crop(self, window: Window, border: Border, grey: int = 0) -> NDArray[np.uint8]:
        """The pixels at `window`, bilinearly interpolated.

        Args:
            border, grey: what the crop holds outside the picture, as `ModelSpec` says.

        Returns:
            (height, width, 3) uint8 RGB of the window's size, for the caller to change.
        """

    def colours(self, points: IntArray) -> NDArray[np.uint8]:
        """(n, 3) uint8 RGB of the pixels at points (n, 2): x and y, within the picture."""
