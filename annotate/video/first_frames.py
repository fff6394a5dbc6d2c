"""What decoding tells of a video: its first frames while packets are read, or all of them."""

from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from annotate.domain.errors import VideoError
from annotate.video.file import MAX_PIXELS, VideoFile, VideoPacket
from annotate.video.packets import MAX_REORDERED, NO_PTS, DecodedFrames
from annotate.video.picture import RgbConverter, clockwise_degrees
from annotate.video.progress import ReadProgress

# The number of frames from the first keyframe on that are decoded to see whether packets and
# decoder agree: also more than the usual distance of hidden reference frames.
CHECKED_FRAMES = 2 * MAX_REORDERED


class FirstFrames:
    """Decodes the first packets of a video while all of them are read."""

    def __init__(self, video: VideoFile) -> None:
        self._video = video
        self._record = _Record(video.path)
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
            return self._record.found(self._video, whole=False)
        for frame in self._video.decoded(None):
            self._add(frame)
        return self._record.found(self._video, whole=not self._enough)

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
    record = _Record(video.path)
    read.add_pass()
    video.rewind()
    for frame in video.frames(read.count(video.packets())):
        record.add(frame)
    return record.found(video, whole=True)


class _Record:
    """Frames as rows of `DecodedFrames`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[tuple[int, bool]] = []
        self._picture = (0, 0, 0)

    def add(self, frame: VideoFrame) -> None:
        if not self._rows:
            self._picture = _displayed(self._path, frame)
        self._rows.append((NO_PTS if frame.pts is None else frame.pts, frame.key_frame))

    def count_from(self, pts: int) -> int:
        """How many of the frames are displayed at `pts` or later."""
        return sum(row_pts >= pts for row_pts, _ in self._rows)

    def found(self, video: VideoFile, *, whole: bool) -> DecodedFrames:
        if not self._rows:
            raise VideoError(
                f"no frame of {self._path} can be decoded",
                f"Check that it plays, and that its frames have at most {MAX_PIXELS} pixels.",
            )
        table = np.array(self._rows, dtype=np.int64)
        return DecodedFrames(
            table[:, 0], table[:, 1] == 1, whole, video.undecodable, *self._picture
        )


def _displayed(path: Path, frame: VideoFrame) -> tuple[int, int, int]:
    """Width, height and clockwise rotation of the displayed picture.

    Raises:
        VideoError: it is displayed mirrored or tilted, or its colours cannot be made RGB.
    """
    rotation = clockwise_degrees(frame)
    if rotation is None:
        raise VideoError(
            f"{path} is to be displayed mirrored or tilted, which is not supported",
            "Convert it: `ffmpeg -i FILE -c:v libx264 -crf 16 NEW.mp4`.",
        )
    sides = (frame.width, frame.height) if rotation % 180 == 0 else (frame.height, frame.width)
    try:
        RgbConverter(*sides, rotation).rgb(frame)
    except av.FFmpegError as error:
        raise VideoError(
            f"{path} has colours that cannot be made RGB "
            f"({frame.format.name}, colour space {frame.colorspace})",
            "Convert it: `ffmpeg -i FILE -vf format=yuv420p -c:v libx264 -crf 16 NEW.mp4`.",
        ) from error
    return *sides, rotation
