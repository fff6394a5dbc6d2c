"""The shape of the pixels of each frame, where it may change amid a video: broadcasts switch
between 4:3 and 16:9, and their frames keep their size.
"""

from fractions import Fraction

from av.filter import Graph
from av.video.frame import VideoFrame

from annotate.video.file import BEGINS_ANYWHERE, VideoFile
from annotate.video.orientation import usable_aspect

# Formats that leave the shape of pixels to the stream. Others state one for the whole file.
STATES_NO_ASPECT = BEGINS_ANYWHERE | {"flv"}
# Square pixels make a measured picture that is so many pixels wide; and the greatest denominator of
# the shapes that recordings have.
_MEASURED, _DENOMINATOR = 4096, 99
# The side in pixels of the part of the frame that is measured, at most.
_PART = 16
# A filter of single frames needs a time base, in seconds, and does not use it.
_ANY_TIME_BASE = Fraction(1, 1000)


class PixelAspects:
    """Tells the shape of pixels of the frames of one video.

    Each frame is asked: one that is decoded behind a keyframe and displayed before it has the shape
    of the keyframe, so the frames between two keyframes need not have the same.
    """

    def __init__(self, video: VideoFile, usual: Fraction) -> None:
        self._varies = video.container.format.name in STATES_NO_ASPECT
        self._usual = usual
        self._graph: Graph | None = None
        self._shape: tuple[object, ...] = ()

    def of(self, frame: VideoFrame) -> Fraction:
        """Width of a pixel divided by its height."""
        if not self._varies:
            return self._usual
        aspect = self._measured(frame)
        return self._usual if abs(aspect - self._usual) * _MEASURED < 1 else aspect

    def _measured(self, frame: VideoFrame) -> Fraction:
        """What the decoder tells of a frame. PyAV does not show it; FFmpeg's filters see it."""
        shape = (frame.width, frame.height, frame.format.name)
        if self._graph is None or shape != self._shape:
            self._graph, self._shape = _measuring_graph(frame), shape
        self._graph.push(frame)
        width = getattr(self._graph.pull(), "width", _MEASURED)
        return usable_aspect(Fraction(width, _MEASURED).limit_denominator(_DENOMINATOR))


def _measuring_graph(frame: VideoFrame) -> Graph:
    """Filters whose pictures are `_MEASURED` times as wide as the pixels of the pushed frame."""
    graph = Graph()
    filters = [
        graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=_ANY_TIME_BASE
        ),
        graph.add("crop", rf"w=min(iw\,{_PART}):h=min(ih\,{_PART}):x=0:y=0"),
        graph.add("scale", f"w={_MEASURED}*sar:h=1:eval=frame:flags=neighbor"),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*filters)
    graph.configure()
    return graph
