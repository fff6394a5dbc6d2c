"""Crops straight from the planes of a decoded frame: no other pixel is ever turned into RGB.

A crop shows 256 x 256 of the two million pixels of a large frame, so that converting the whole
frame first costs more than all other steps between the models. The answer is not that of an
`RgbPicture`, byte for byte: colour is interpolated, where swscale repeats it, and coordinates are
not rounded. Turning, mirroring and the shape of pixels are part of the one affine warp.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias, cast

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.domain.model_spec import Border
from annotate.domain.picture import Window
from annotate.numeric.geometry import composed
from annotate.numeric.rgb_picture import BORDERS

_GREY_CHROMA = 128
# From the pixels of a crop of half the resolution to those of the whole one.
_HALVED = np.array([[2, 0, 0.5], [0, 2, 0.5]])
_WARP = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP

Plane: TypeAlias = NDArray[np.uint8 | np.uint16]


class ColourCode(NamedTuple):
    """How the planes code colours.

    Attributes:
        kr, kb: shares of red and blue in the luma.
        full: codes use all values, else Y' is 16 to 235 and U and V are 16 to 240, in 8 bits.
        bits: of each value.
    """

    kr: float
    kb: float
    full: bool = False
    bits: int = 8

    @property
    def luma(self) -> tuple[int, int]:
        """The 8-bit code of black, and the number of steps to white."""
        return (0, 255) if self.full else (16, 219)

    @property
    def to_rgb(self) -> NDArray[np.float64]:
        """(3, 4) float64 affine map from 8-bit Y', U, V to R'G'B' in 0..255, by ITU-R BT.601."""
        kr, kb = self.kr, self.kb
        kg = 1 - kr - kb
        black, steps = self.luma
        luma, chroma = 255 / steps, 1 if self.full else 255 / 224
        red, blue = 2 * (1 - kr) * chroma, 2 * (1 - kb) * chroma
        matrix = np.array(
            [[luma, 0, red], [luma, -blue * kb / kg, -red * kr / kg], [luma, blue, 0]]
        )
        zero = matrix @ [black, _GREY_CHROMA, _GREY_CHROMA]
        return np.column_stack([matrix, -zero])


@dataclass(frozen=True, eq=False)
class PlaneLayout:
    """What the planes of all frames of a kind have in common.

    Attributes:
        size: width and height of the displayed picture.
        to_stored: (2, 3) float64 from its pixels to those of the Y plane.
        steps: pixels of the Y plane for each one of the others, across and down: 1 or 2. Each of
            the others lies in the middle of its pixels.
        code: how colours are coded.
    """

    size: tuple[int, int]
    to_stored: NDArray[np.float64]
    steps: tuple[int, int]
    code: ColourCode

    @cached_property
    def to_rgb(self) -> NDArray[np.float64]:
        """Of the `code`."""
        return self.code.to_rgb

    @cached_property
    def to_chroma(self) -> NDArray[np.float64]:
        """(2, 3) float64 from displayed pixels to those of the U and V planes."""
        step = np.array(self.steps)
        middle = np.column_stack([np.diag(1 / step), (1 / step - 1) / 2])
        return composed(middle, self.to_stored)


@dataclass(frozen=True, eq=False)
class PlanePicture:
    """A picture whose stored planes are known: a `Picture`.

    Attributes:
        planes: Y, U and V: each (rows, columns) uint8, or uint16 of more than 8 bits; rows may be
            apart in memory.
        layout: of the planes.
    """

    planes: Sequence[Plane]
    layout: PlaneLayout

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.layout.size

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """As in `Picture`: close to the exact RGB, not equal."""
        return self.crop(Window(np.eye(2, 3), self.size), "replicate")

    def crop(self, window: Window, border: Border, grey: int = 0) -> NDArray[np.uint8]:
        """As in `Picture`. Colour has half the resolution of the crop where that loses nothing."""
        layout = self.layout
        black, steps = layout.code.luma
        luma = composed(layout.to_stored, window.matrix)
        pixels = [self._warped(0, luma, window.size, border, black + grey * steps / 255)]
        chroma = composed(layout.to_chroma, window.matrix)
        halved = composed(chroma, _HALVED)
        # With less colour than there is, fewer people are found.
        if _pixels_a_step(halved) <= 1:
            pixels += self._halved_chroma(halved, window.size, border)
        else:
            pixels += [self._warped(n, chroma, window.size, border, _GREY_CHROMA) for n in (1, 2)]
        return cast(NDArray[np.uint8], cv2.transform(cv2.merge(pixels), layout.to_rgb))

    def _halved_chroma(
        self, matrix: NDArray[np.float64], size: tuple[int, int], border: Border
    ) -> list[MatLike]:
        """U and V of a crop, sampled at half its resolution: half the cost.

        Args:
            matrix: (2, 3) from the pixels of a crop of half the resolution to those of the planes.
            size: width and height of the whole crop.
            border: as in `Picture`.
        """
        width, height = size
        half = (width + 1) // 2, (height + 1) // 2
        found = []
        for place in (1, 2):
            taken = self._warped(place, matrix, half, border, _GREY_CHROMA)
            twice = cv2.resize(taken, (2 * half[0], 2 * half[1]), interpolation=cv2.INTER_LINEAR)
            found.append(twice[:height, :width])
        return found

    def _warped(
        self,
        place: int,
        matrix: NDArray[np.float64],
        size: tuple[int, int],
        border: Border,
        outside: float,
    ) -> MatLike:
        """The 8-bit values of a plane.

        Args:
            matrix: (2, 3) from the pixels of the result to those of the plane.
            size: width and height of the result.
            border: as in `Picture`.
            outside: its 8-bit value, where it is constant.
        """
        deep = 1 << self.layout.code.bits - 8
        taken = cv2.warpAffine(
            self.planes[place],
            matrix,
            size,
            flags=_WARP,
            borderMode=BORDERS[border],
            borderValue=(outside * deep,),
        )
        return taken if deep == 1 else cv2.convertScaleAbs(taken, alpha=1 / deep)

    def colours(self, points: IntArray) -> NDArray[np.uint8]:
        """As in `Picture`."""
        layout, (luma, *chroma) = self.layout, self.planes
        stored = points @ layout.to_stored[:, :2].T + layout.to_stored[:, 2]
        height, width = luma.shape
        x, y = np.rint(stored).clip(0, [width - 1, height - 1]).astype(np.int64).T
        across, down = layout.steps
        codes = [luma[y, x], *(plane[y // down, x // across] for plane in chroma)]
        eight_bits = np.stack(codes, axis=1) / (1 << layout.code.bits - 8)
        rgb = eight_bits @ layout.to_rgb[:, :3].T + layout.to_rgb[:, 3]
        return np.rint(rgb).clip(0, 255).astype(np.uint8)


def _pixels_a_step(matrix: NDArray[np.float64]) -> float:
    """How many pixels of a plane (2, 3) `matrix` goes for one of the crop."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
