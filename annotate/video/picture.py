"""From a decoded frame to the picture that is displayed: orientation and RGB."""

from collections.abc import Mapping, Sequence
from typing import cast

import cv2
import numpy as np
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

# Clockwise degrees by the signs of a, b, c, d in x' = a x + c y, y' = b x + d y, y downward. Some
# programs write all zeros for the identity.
QUARTER_TURNS = {
    (1, 0, 0, 1): 0,
    (0, 0, 0, 0): 0,
    (0, 1, -1, 0): 90,
    (-1, 0, 0, -1): 180,
    (0, -1, 1, 0): 270,
}
# The pixel formats of hardware decoders, and the same values in planes. Swscale's RGB of the two
# differs slightly, so frames are brought into planes first.
PLANAR = {"nv12": "yuv420p", "p010le": "yuv420p10le"}
# The value of FFmpeg's AVColorSpace that means nothing.
RESERVED_SPACE = 3

_ROTATIONS = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


def clockwise_degrees(frame: VideoFrame) -> int | None:
    """Degrees 0, 90, 180 or 270 by which the frame is turned for display.

    None where it is displayed otherwise: mirrored, skewed or tilted.
    """
    try:
        # PyAV's type stub knows one kind of side data only.
        matrix = cast("Mapping[str, SideData]", frame.side_data)["DISPLAYMATRIX"]
    except KeyError:
        return 0
    except ValueError:
        # PyAV lists no side data where it does not know one kind, such as EXIF. It still gives
        # the angle, which tells everything but a mirror.
        return -frame.rotation % 360 if frame.rotation % 90 == 0 else None
    return turn(np.frombuffer(bytes(matrix), np.int32).tolist())


def turn(matrix: Sequence[int]) -> int | None:
    """Clockwise degrees of a display matrix, 3x3, row by row; None where it is not a quarter turn.

    Shift and scale are ignored: the frame is displayed whole, at its own resolution.
    """
    linear = np.array([matrix[0], matrix[1], matrix[3], matrix[4]], dtype=np.int64)
    small = np.abs(linear) * 100 < np.abs(linear).max()
    a, b, c, d = np.sign(np.where(small, 0, linear)).tolist()
    return QUARTER_TURNS.get((a, b, c, d))


class RgbConverter:
    """Converts decoded frames of one video to RGB; keeps swscale's tables between frames.

    The conversion is that of `cv2.VideoCapture`, bit for bit where the video has 8 bits and an
    even height: bicubic, and with the frame's own colour space and range (BT.601 and limited
    where it names none).
    """

    def __init__(self, width: int, height: int, rotation: int) -> None:
        """Takes `width` and `height` of the displayed frame in pixels, `rotation` in clockwise
        degrees.
        """
        self._stored = (width, height) if rotation % 180 == 0 else (height, width)
        self._rotation = rotation
        self._reformatter = VideoReformatter()

    def rgb(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """(height, width, 3) uint8; a frame of another size is scaled to it.

        Raises:
            av.FFmpegError: the frame's colours are in a space that swscale does not know.
        """
        if planar := PLANAR.get(frame.format.name):
            frame = self._reformatter.reformat(frame, format=planar, threads=1)
        converted = self._reformatter.reformat(
            frame,
            *self._stored,
            "rgb24",
            # Swscale refuses the reserved value; players read it as "not given".
            src_colorspace=Colorspace.ITU601 if frame.colorspace == RESERVED_SPACE else None,
            interpolation=Interpolation.BICUBIC,
            threads=1,
        )
        rgb = np.asarray(converted.to_ndarray(), dtype=np.uint8)
        return rotated(rgb, self._rotation)


def rotated(rgb: NDArray[np.uint8], clockwise: int) -> NDArray[np.uint8]:
    """`rgb` (H, W, 3) turned by a multiple of 90 degrees."""
    way = _ROTATIONS.get(clockwise % 360)
    return rgb if way is None else cast(NDArray[np.uint8], cv2.rotate(rgb, way))
