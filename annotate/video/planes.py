"""From decoded frames to pictures that are sampled from their planes, where that is possible."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from numpy.typing import NDArray

from annotate.numeric.geometry import composed
from annotate.numeric.plane_picture import ColourCode, Plane, PlaneLayout, PlanePicture
from annotate.video.orientation import Orientation


class _Format(NamedTuple):
    """Of a pixel format: as in `PlaneLayout` and `ColourCode`."""

    steps: tuple[int, int]
    bits: int = 8
    full: bool = False


_FORMATS: Mapping[str, _Format] = MappingProxyType(
    {
        "yuv420p": _Format((2, 2)),
        "yuv422p": _Format((2, 1)),
        "yuv444p": _Format((1, 1)),
        "yuvj420p": _Format((2, 2), full=True),
        "yuvj422p": _Format((2, 1), full=True),
        "yuvj444p": _Format((1, 1), full=True),
        "yuv420p10le": _Format((2, 2), 10),
        "yuv422p10le": _Format((2, 1), 10),
        "yuv444p10le": _Format((1, 1), 10),
    }
)
_BT601, _BT709, _BT2020 = (0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593)
# Shares of red and blue in the luma, by FFmpeg's AVColorSpace. Where a frame names none, or the
# reserved value, it is BT.601, as for swscale.
_SHARES: Mapping[int, tuple[float, float]] = MappingProxyType(
    {1: _BT709, 2: _BT601, 3: _BT601, 5: _BT601, 6: _BT601, 9: _BT2020}
)
# FFmpeg's AVColorRange of codes that use all values.
_FULL_RANGE = 2


class Placement(NamedTuple):
    """Where the shown part of a stored frame lies; all (width, height) or (x, y) in pixels.

    Attributes:
        stored: size of the whole frame.
        scaled: size of the whole frame when its pixels are square.
        offset: of the shown part in the scaled frame.
        shown: size of the shown part in the scaled frame, before it is turned.
    """

    stored: tuple[int, int]
    scaled: tuple[int, int]
    offset: tuple[int, int]
    shown: tuple[int, int]

    def to_stored(self, way: Orientation) -> NDArray[np.float64]:
        """(2, 3) float64 from the pixels of the displayed picture to those of the stored frame."""
        scale = np.array(self.stored) / self.scaled
        # The middles of pixels lie half a pixel from their edges.
        shift = (np.array(self.offset) + 0.5) * scale - 0.5
        return composed(np.column_stack([np.diag(scale), shift]), way.to_shown(*self.shown))


class PlaneReader:
    """Makes pictures of the planes of a video's frames, which are not copied."""

    def __init__(self) -> None:
        self._layouts: dict[tuple[object, ...], PlaneLayout | None] = {}

    def picture(
        self, frame: VideoFrame, placement: Placement, way: Orientation, colours: tuple[int, int]
    ) -> PlanePicture | None:
        """The displayed picture of a frame.

        Args:
            frame: as decoded.
            placement: of its shown part.
            way: how that is turned and mirrored.
            colours: its AVColorSpace and AVColorRange of FFmpeg.

        Returns:
            None where the frame has other planes than Y, U and V of 8 or 10 bits, or where these
            code colours in a way that is not known here.
        """
        kind = (frame.format.name, placement, way, colours)
        if kind not in self._layouts:
            self._layouts[kind] = _layout(*kind)
        layout, planes = self._layouts[kind], frame.planes
        if layout is None or any(plane.line_size <= 0 for plane in planes):
            return None
        return PlanePicture([_pixels(plane, layout.code.bits) for plane in planes], layout)


def _layout(
    pixel_format: str, placement: Placement, way: Orientation, colours: tuple[int, int]
) -> PlaneLayout | None:
    space, colour_range = colours
    known, shares = _FORMATS.get(pixel_format), _SHARES.get(space)
    if known is None or shares is None:
        return None
    code = ColourCode(*shares, full=known.full or colour_range == _FULL_RANGE, bits=known.bits)
    size = placement.shown if way.rotation % 180 == 0 else placement.shown[::-1]
    return PlaneLayout(size, placement.to_stored(way), known.steps, code)


def _pixels(plane: VideoPlane, bits: int) -> Plane:
    """(height, width): the values of a plane, in its own memory."""
    dtype = np.dtype(np.uint8 if bits == 8 else "<u2")
    values: Plane = np.frombuffer(memoryview(plane), dtype)
    rows = values.reshape(plane.height, plane.line_size // dtype.itemsize)
    return rows[:, : plane.width]
