"""How a frame is turned and mirrored for display, and how large it then is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import cv2
import numpy as np
from av.sidedata.sidedata import SideData, SideDataContainer
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from annotate.domain.video import SQUARE

# The widest and the narrowest pixels that are believed: those of a quarter of a frame's lines are
# four times as wide. Beyond that the numbers are damaged, and pixels are taken as square.
MAX_PIXEL_ASPECT = 8

_ROTATIONS = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


@dataclass(frozen=True)
class Orientation:
    """From the stored frame to the displayed one.

    Attributes:
        rotation: clockwise degrees: 0, 90, 180 or 270.
        mirrored: left and right are swapped after the rotation.
    """

    rotation: int = 0
    mirrored: bool = False

    def to_shown(self, width: int, height: int) -> NDArray[np.float64]:
        """(2, 3) float64 from the pixels of the picture that `oriented` gives to those of the one
        that it takes, which has this size.
        """
        right, bottom = width - 1, height - 1
        turned = {
            0: [[1, 0, 0], [0, 1, 0]],
            90: [[0, 1, 0], [-1, 0, bottom]],
            180: [[-1, 0, right], [0, -1, bottom]],
            270: [[0, -1, right], [1, 0, 0]],
        }
        matrix = np.array(turned[self.rotation % 360], np.float64)
        if self.mirrored:
            last = right if self.rotation % 180 == 0 else bottom
            matrix[:, 2] += last * matrix[:, 0]
            matrix[:, 0] *= -1
        return matrix


# As `frame.side_data`. That would refer to the frame, and the frame to it: the memory of such a
# cycle is not free before Python looks for cycles, which may be hundreds of frames later. The type
# stub does not know how it is made.
_side_data = cast("Callable[[VideoFrame], Mapping[str, SideData]]", SideDataContainer)

# By the signs of a, b, c, d in x' = a x + c y, y' = b x + d y, y downward. Some programs write all
# zeros for the identity.
_BY_SIGNS = {
    (1, 0, 0, 1): Orientation(0),
    (0, 0, 0, 0): Orientation(0),
    (0, 1, -1, 0): Orientation(90),
    (-1, 0, 0, -1): Orientation(180),
    (0, -1, 1, 0): Orientation(270),
    (-1, 0, 0, 1): Orientation(0, mirrored=True),
    (0, 1, 1, 0): Orientation(90, mirrored=True),
    (1, 0, 0, -1): Orientation(180, mirrored=True),
    (0, -1, -1, 0): Orientation(270, mirrored=True),
}


def orientation_of(frame: VideoFrame) -> Orientation | None:
    """How the frame is displayed; None where it is to be skewed or tilted."""
    try:
        matrix = _side_data(frame)["DISPLAYMATRIX"]
    except KeyError:
        return Orientation()
    except ValueError:
        # PyAV lists no side data where it does not know one kind, such as EXIF. It still gives
        # the angle, which tells everything but a mirror.
        return Orientation(-frame.rotation % 360) if frame.rotation % 90 == 0 else None
    return orientation(np.frombuffer(bytes(matrix), np.int32).tolist())


def orientation(matrix: Sequence[int]) -> Orientation | None:
    """Of a display matrix, 3x3, row by row; None where it is neither quarter turn nor mirror.

    Shift and scale are ignored: the frame is displayed whole, at its own resolution.
    """
    linear = np.array([matrix[0], matrix[1], matrix[3], matrix[4]], dtype=np.int64)
    small = np.abs(linear) * 100 < np.abs(linear).max()
    a, b, c, d = np.sign(np.where(small, 0, linear)).tolist()
    return _BY_SIGNS.get((a, b, c, d))


def oriented(rgb: NDArray[np.uint8], rotation: int, *, mirrored: bool = False) -> NDArray[np.uint8]:
    """`rgb` (H, W, 3), turned clockwise by a multiple of 90 degrees, then mirrored."""
    way = _ROTATIONS.get(rotation % 360)
    turned = rgb if way is None else cast(NDArray[np.uint8], cv2.rotate(rgb, way))
    return cast(NDArray[np.uint8], cv2.flip(turned, 1)) if mirrored else turned


def usable_aspect(aspect: Fraction | None) -> Fraction:
    """The shape of pixels that a file claims, or square where that is none."""
    if aspect is None or aspect <= 0:
        return SQUARE
    return aspect if SQUARE / MAX_PIXEL_ASPECT <= aspect <= MAX_PIXEL_ASPECT else SQUARE


def displayed_size(width: int, height: int, aspect: Fraction, rotation: int) -> tuple[int, int]:
    """Width and height of the displayed picture in square pixels.

    Players differ where pixels are narrow: some shrink the width, as here, others enlarge the
    height. The stored height is kept, so no line is scaled; the width is rounded half up.

    Args:
        width, height: of the stored frame.
        aspect: width of a pixel divided by its height.
        rotation: clockwise degrees.

    >>> displayed_size(720, 576, Fraction(64, 45), 0)
    (1024, 576)
    """
    scaled = max(1, int(width * aspect + Fraction(1, 2)))
    return (scaled, height) if rotation % 180 == 0 else (height, scaled)
