"""What decoding tells of a video: its first frames while packets are read, or all of them."""

from dataclasses import replace

import av
import numpy as np
from av.video.frame import VideoFrame

from annotate.domain.errors import VideoError
from annotate.domain.video import Display
from annotate.video.file import MAX_PIXELS, VideoFile, VideoPacket
from annotate.video.orientation import displayed_size, orientation_of
from annotate.video.packets import MAX_REORDERED, NO_PTS, DecodedFrames
from annotate.video.picture import HDR, RgbConverter
from annotate.video.progress import ReadProgress

# The number of frames from the first keyframe on that are decoded to see whether packets and
# decoder agree: also more than the usual distance of hidden reference frames.
CHECKED_FRAMES = 2 * MAX_REORDERED


class FirstFrames:
    """Decodes the first packets of a video while all of them are read."""

    def __init__(self, video: VideoFile) -> None:
        self._video = video
        self._record = _Record(video)
        self._first_key: int | None = None
        self._enough = False
        self._untimed = False

    def take(self, packet: VideoPacket) -> None:
        """Decodes the next packet, as long as more frames are needed.

        Raises:
            VideoError: the picture cannot be displayed as it is.
        """
        if self._enough:
            return
        if packet.is_keyframe and self._first_key is None:
            self._first_key = packet.pts
            self._untimed = self._enough = packet.pts is None
        for frame in self._video.decoded(packet):
            self._add(frame)

    def end(self) -> DecodedFrames | None:
        """What the decoder tells, after the last packet.

        None where the first keyframe has no time: then packets do not tell frames.

        Raises:
            VideoError: the video has no frame, or the picture cannot be displayed as it is.
        """
        if self._untimed:
            return None
        if self._enough:
            return self._record.found(whole=False)
        for frame in self._video.decoded(None):
            self._add(frame)
        return self._record.found(whole=not self._enough)

    def _add(self, frame: VideoFrame) -> None:
        if not self._enough:
            self._record.add(frame)
            key = self._first_key
            self._enough = key is not None and self._record.count_from(key) >= CHECKED_FRAMES


def decode_all(video: VideoFile, read: ReadProgress) -> DecodedFrames:
    """What the decoder tells of all frames.

    Raises:
        VideoError: the video has no frame, or the picture cannot be displayed as it is.
    """
    record = _Record(video)
    read.add_pass()
    video.rewind()
    for frame in video.frames(read.count(video.packets())):
        record.add(frame)
    return record.found(whole=True)


class _Record:
    """Frames as rows of `DecodedFrames`."""

    def __init__(self, video: VideoFile) -> None:
        self._video = video
        self._rows: list[tuple[int, bool]] = []
        self._display: Display | None = None
        self._interlaced = False

    def add(self, frame: VideoFrame) -> None:
        if self._display is None:
            self._display = _displayed(self._video, frame)
        self._interlaced = self._interlaced or frame.interlaced_frame
        self._rows.append((NO_PTS if frame.pts is None else frame.pts, frame.key_frame))

    def count_from(self, pts: int) -> int:
        """How many of the frames are displayed at `pts` or later."""
        return sum(row_pts >= pts for row_pts, _ in self._rows)

    def found(self, *, whole: bool) -> DecodedFrames:
        if self._display is None:
            raise VideoError(
                f"no frame of {self._video.path} can be decoded",
                f"Check that it plays, and that its frames have at most {MAX_PIXELS} pixels.",
            )
        table = np.array(self._rows, dtype=np.int64)
        undecodable = self._video.undecodable
        display = replace(self._display, interlaced=self._interlaced)
        return DecodedFrames(table[:, 0], table[:, 1] == 1, whole, undecodable, display)


def _displayed(video: VideoFile, frame: VideoFrame) -> Display:
    """How the frame is displayed.

    Raises:
        VideoError: it is displayed tilted or too large, or its colours cannot be made RGB.
    """
    way = orientation_of(frame)
    if way is None:
        raise VideoError(
            f"{video.path} is to be displayed tilted, which is not supported",
            "Convert it: `ffmpeg -i FILE -c:v libx264 -crf 16 NEW.mp4`.",
        )
    aspect = video.pixel_aspect
    width, height = displayed_size(frame.width, frame.height, aspect, way.rotation)
    if width * height > MAX_PIXELS:
        raise VideoError(
            f"{video.path} is displayed at {width}x{height}, over {MAX_PIXELS} pixels",
            "Scale it down: `ffmpeg -i FILE -vf scale=3840:-2 -c:v libx264 -crf 16 NEW.mp4`.",
        )
    hdr = HDR.get(frame.color_trc)
    display = Display(width, height, way.rotation, way.mirrored, aspect, hdr)
    try:
        RgbConverter(display).rgb(frame)
    except av.FFmpegError as error:
        raise VideoError(
            f"{video.path} has colours that cannot be made RGB "
            f"({frame.format.name}, colour space {frame.colorspace})",
            "Convert it: `ffmpeg -i FILE -vf format=yuv420p -c:v libx264 -crf 16 NEW.mp4`.",
        ) from error
    return display
