"""From a decoded frame to the picture that is displayed: square pixels, upright, RGB."""

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from annotate.domain.picture import Picture
from annotate.domain.video import NO_CROP, Crop, Display, Hdr
from annotate.numeric.fitting import fit
from annotate.numeric.plane_picture import PlanePicture
from annotate.numeric.rgb_picture import RgbPicture
from annotate.video.orientation import Orientation, displayed_size, orientation_of, oriented
from annotate.video.planes import Placement, PlaneReader
from annotate.video.tone_map import tone_mapped

# The pixel formats of hardware decoders, and the same values in planes. Swscale's RGB of the two
# differs slightly, so frames are brought into planes first.
PLANAR = {"nv12": "yuv420p", "p010le": "yuv420p10le"}
# How HDR videos code light, by FFmpeg's AVColorTransferCharacteristic; and the value of its
# AVColorPrimaries that stands for those of standard video.
HDR: Mapping[int, Hdr] = MappingProxyType({16: "pq", 18: "hlg"})
BT709 = 1
# The value of FFmpeg's AVColorSpace that means nothing.
RESERVED_SPACE = 3
# A filter of single frames needs a time base, in seconds, and does not use it.
_ANY_TIME_BASE = Fraction(1, 1000)


def first_field(frame: VideoFrame) -> VideoFrame:
    """The earlier of the two moments of an interlaced frame; its other lines are interpolated.

    FFmpeg's `estdif` looks at this frame alone, so that the answer does not depend on where
    decoding began. Filters that look at the frames before and after it (`bwdif`, `yadif`) keep more
    detail in what stands still.
    """
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=_ANY_TIME_BASE,
    )
    single, sink = graph.add("estdif", "mode=frame:deint=all"), graph.add("buffersink")
    source.link_to(single)
    single.link_to(sink)
    graph.configure()
    graph.push(frame)
    graph.push(None)
    shown = graph.pull()
    if not isinstance(shown, VideoFrame):
        raise TypeError("the filter gives no picture")
    return shown


class RgbConverter:
    """Makes pictures of the decoded frames of one video; keeps swscale's tables between frames.

    The conversion to RGB is that of `cv2.VideoCapture`, bit for bit where the video has 8 bits, an
    even height and square pixels: bicubic, and with the frame's own colour space and range (BT.601
    and limited where it names none). Pictures that are scaled are so bilinearly, as players do:
    bicubic edges overshoot, and fewer people are found. HDR is tone-mapped.
    """

    def __init__(
        self, display: Display, *, deinterlace: bool = False, planes: bool = False
    ) -> None:
        """Converts frames to a displayed size.

        Args:
            display: of the video.
            deinterlace: of frames that hold two moments, only the first one is shown.
            planes: pictures are sampled from the planes of frames that have such, unconverted.
        """
        self._display = display
        self._deinterlace = deinterlace
        self._planes = PlaneReader() if planes else None
        self._usual = Orientation(display.rotation, display.mirrored)
        self._reformatter = VideoReformatter()

    def picture(self, frame: VideoFrame, aspect: Fraction | None = None) -> Picture:
        """The displayed picture of the video; arguments and errors as in `rgb`.

        HDR, and frames of another size than the video, are always converted.
        """
        found = self._sampled(frame, aspect)
        return RgbPicture(self.rgb(frame, aspect)) if found is None else found

    def rgb(self, frame: VideoFrame, aspect: Fraction | None = None) -> NDArray[np.uint8]:
        """(height, width, 3) uint8: the displayed picture of the video.

        A frame of another size, or displayed in another orientation than the first one, is fitted
        into it.

        Args:
            frame: as decoded.
            aspect: shape of its pixels, where it is not that of the video.

        Raises:
            av.FFmpegError: the frame's colours are in a space that swscale does not know.
        """
        way = orientation_of(frame) or self._usual
        displayed = self._display.width, self._display.height
        own = self._own_size(frame, way, aspect)
        if own == displayed:
            return self._converted(frame, displayed, way)
        place = fit(own, displayed)
        picture = np.zeros((displayed[1], displayed[0], 3), np.uint8)
        rows = slice(place.top, place.top + place.height)
        columns = slice(place.left, place.left + place.width)
        picture[rows, columns] = self._converted(frame, (place.width, place.height), way)
        return picture

    def own_size(self, frame: VideoFrame, aspect: Fraction | None = None) -> tuple[int, int] | None:
        """As in `domain.video.Frame`; arguments as in `rgb`."""
        own = self._own_size(frame, orientation_of(frame) or self._usual, aspect)
        return None if own == (self._display.width, self._display.height) else own

    def _own_size(
        self, frame: VideoFrame, way: Orientation, aspect: Fraction | None
    ) -> tuple[int, int]:
        left, top, right, bottom = self._crop(frame)
        width, height = frame.width - left - right, frame.height - top - bottom
        return displayed_size(width, height, aspect or self._display.pixel_aspect, way.rotation)

    def _crop(self, frame: VideoFrame) -> Crop:
        """What is cut off the frame; nothing where nothing of it would be left."""
        crop = self._display.crop
        fits = crop.left + crop.right < frame.width and crop.top + crop.bottom < frame.height
        return crop if fits else NO_CROP

    def _converted(
        self, frame: VideoFrame, size: tuple[int, int], way: Orientation
    ) -> NDArray[np.uint8]:
        """The frame as RGB, scaled so that it has this size (width, height) when it is upright."""
        hdr, wide_primaries = HDR.get(frame.color_trc), frame.color_primaries != BT709
        stored, scaled, (x, y), shown = self._placement(frame, size, way)
        frame = self._planar(frame)
        converted = self._reformatter.reformat(
            frame,
            *scaled,
            "rgb24" if hdr is None else "rgb48le",
            # Swscale refuses the reserved value; players read it as "not given".
            src_colorspace=Colorspace.ITU601 if frame.colorspace == RESERVED_SPACE else None,
            interpolation=Interpolation.BICUBIC if stored == scaled else Interpolation.BILINEAR,
            threads=1,
        )
        if hdr is None:
            rgb = np.asarray(converted.to_ndarray(), dtype=np.uint8)
        else:
            deep = np.asarray(converted.to_ndarray(), dtype=np.uint16)
            rgb = tone_mapped(deep, hdr, wide_primaries=wide_primaries)
        if scaled != shown:
            rgb = rgb[y : y + shown[1], x : x + shown[0]]
        return oriented(rgb, way.rotation, mirrored=way.mirrored)

    def _sampled(self, frame: VideoFrame, aspect: Fraction | None) -> PlanePicture | None:
        """The displayed picture, where it is to be sampled from the frame's planes and can be."""
        if self._planes is None:
            return None
        way = orientation_of(frame) or self._usual
        displayed = self._display.width, self._display.height
        if self._own_size(frame, way, aspect) != displayed or frame.color_trc in HDR:
            return None
        colours = int(frame.colorspace), int(frame.color_range)
        placement = self._placement(frame, displayed, way)
        return self._planes.picture(self._planar(frame), placement, way, colours)

    def _placement(self, frame: VideoFrame, size: tuple[int, int], way: Orientation) -> Placement:
        """Arguments as in `_converted`."""
        left, top, right, bottom = self._crop(frame)
        stored = frame.width, frame.height
        shown = size if way.rotation % 180 == 0 else size[::-1]
        kept = frame.width - left - right, frame.height - top - bottom
        # The whole frame is scaled, so that what is cut off changes no pixel beside it.
        scaled = round(shown[0] * stored[0] / kept[0]), round(shown[1] * stored[1] / kept[1])
        x = min(round(left * scaled[0] / stored[0]), scaled[0] - shown[0])
        y = min(round(top * scaled[1] / stored[1]), scaled[1] - shown[1])
        return Placement(stored, scaled, (x, y), shown)

    def _planar(self, frame: VideoFrame) -> VideoFrame:
        """The frame in planes; of two moments, only the first one where frames are deinterlaced."""
        mixed = self._deinterlace and frame.interlaced_frame
        if planar := PLANAR.get(frame.format.name):
            frame = self._reformatter.reformat(frame, format=planar, threads=1)
        return first_field(frame) if mixed else frame
