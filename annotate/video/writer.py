"""Writes video files from frames: for the demo, the overlay and the tests."""

import errno
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from annotate.domain.errors import OutputError, VideoError
from annotate.video.orientation import oriented
from annotate.video.sound import Sound

# The number of time units in a second where frames have explicit times. It divides evenly by 24,
# 25, 30, 50, 60 and 30000/1001 frames per second. MPEG-4 allows at most 65535.
TICKS_PER_SECOND = 60000
# What the system answers where a file cannot be written, whatever the frames are.
_TROUBLE = frozenset(
    [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM]
)
# The most time units that MP4 holds between frames that follow each other in any order, and the
# number of frames by which encoders reorder at most.
_MOST_TICKS, _REORDERED = 2**31 - 1, 16
# The fewest time units a second that FFmpeg gives MP4 by itself.
_FFMPEG_TICKS = 10_000


@dataclass(frozen=True)
class Encoding:
    """How frames become a video.

    Attributes:
        codec: FFmpeg's name of the encoder.
        fps: frames per second where the frames are written without times.
        time_base: seconds per unit of the frames' times, where they have any.
        pix_fmt: FFmpeg's name of the stored pixel format.
        gop: largest number of frames from one keyframe to the next; None: the encoder's default.
        options: of the encoder, such as `{"preset": "fast", "crf": "18"}`.
        rotation: clockwise degrees 0, 90, 180 or 270. Frames are stored turned back by them, and
            players turn them for display, as in videos of telephones.
    """

    codec: str = "libx264"
    fps: Fraction = Fraction(30)
    time_base: Fraction = Fraction(1, TICKS_PER_SECOND)
    pix_fmt: str = "yuv420p"
    gop: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    rotation: int = 0


def roomy_time_base(finest: Fraction, times_s: NDArray[np.float64]) -> Fraction:
    """The given time base, or a coarser one where MP4 could not hold the longest step otherwise.

    Args:
        finest: seconds per unit.
        times_s: (N,) float64, of all frames.

    >>> roomy_time_base(Fraction(1, 10_000), np.array([0, 86_400, 172_800]))
    Fraction(1, 1553)
    """
    longest_s = float(np.diff(times_s).max(initial=0.0))
    if longest_s * _REORDERED <= _MOST_TICKS * finest:
        return finest
    return Fraction(1, max(1, int(_MOST_TICKS / _REORDERED / longest_s)))


class VideoWriter:
    """Writes a video, whole or not at all: the file gets its name when the `with` block succeeds.

    The same frames and encoding give the same bytes.

        with VideoWriter(path, Encoding(fps=Fraction(25))) as video:
            video.write(rgb)

    Raises:
        VideoError: the encoder rejects the frames, or the name.
        OutputError: the disk is full, or the file may not be written.
    """

    def __init__(
        self, path: Path, encoding: Encoding | None = None, sound: Sound | None = None
    ) -> None:
        """The suffix of `path` chooses the container.

        Args:
            path: of the file.
            encoding: by default H.264.
            sound: open, to be copied; its times are those of the frames.
        """
        self._path = path
        self._part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
        self._encoding = encoding or Encoding()
        self._sound = sound
        self._timed: bool | None = None
        self._count = 0

    def __enter__(self) -> Self:
        with self._reported():
            base, options = self._encoding.time_base, {}
            if self._path.suffix == ".mp4" and base.denominator < _FFMPEG_TICKS:
                options["video_track_timescale"] = str(base.denominator)
            self._container = av.open(str(self._part), "w", container_options=options)
        return self

    def write(self, rgb: NDArray[np.uint8], time_s: float | None = None) -> None:
        """Adds a frame, (H, W, 3) uint8 RGB as displayed; all frames have one size.

        `time_s` is its time in seconds from the video's start, rising from frame to frame. Give
        it for every frame (variable frame rate) or for none.
        """
        if self._timed is None:
            self._timed = time_s is not None
            with self._reported():
                self._stream = self._add_stream(rgb)
        if self._timed is not (time_s is not None):
            raise ValueError("give a time for every frame of a video or for none")
        frame = VideoFrame.from_ndarray(oriented(rgb, -self._encoding.rotation), format="rgb24")
        frame.time_base = self._time_base
        frame.pts = self._count if time_s is None else round(time_s / self._time_base)
        self._count += 1
        with self._reported():
            self._container.mux(self._stream.encode(frame))
            self._copy_sound(float(frame.pts * frame.time_base))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            with suppress(av.FFmpegError):
                self._container.close()
            self._part.unlink(missing_ok=True)

    def _finish(self) -> None:
        if not self._count:
            raise VideoError(f"{self._path} would have no frame", "Write at least one.")
        with self._reported():
            self._container.mux(self._stream.encode(None))
            self._copy_sound(math.inf)
            self._container.close()
            self._part.replace(self._path)

    def _add_stream(self, rgb: NDArray[np.uint8]) -> VideoStream:
        encoding = self._encoding
        stream = self._container.add_stream(
            encoding.codec, rate=encoding.fps, options=dict(encoding.options)
        )
        if not isinstance(stream, VideoStream):
            raise TypeError(f"{encoding.codec} does not encode video")
        height, width = rgb.shape[:2] if encoding.rotation % 180 == 0 else rgb.shape[1::-1]
        stream.width, stream.height, stream.pix_fmt = width, height, encoding.pix_fmt
        if encoding.rotation:
            stream.set_display_rotation(-encoding.rotation)
        context = stream.codec_context
        if encoding.gop is not None:
            context.gop_size = encoding.gop
        context.time_base = self._time_base
        # With several threads, encoders do not give the same bytes every time.
        context.thread_count = 1
        if self._sound:
            self._sound.add_streams(self._container)
        return stream

    def _copy_sound(self, until_s: float) -> None:
        for packet in self._sound.until(until_s) if self._sound else ():
            self._container.mux(packet)

    @property
    def _time_base(self) -> Fraction:
        return self._encoding.time_base if self._timed else 1 / self._encoding.fps

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, OSError, ValueError, TypeError) as error:
            if getattr(error, "errno", None) in _TROUBLE:
                raise OutputError(
                    f"{self._path} cannot be written: {error}",
                    "Make room, or name another place, and run the same command again.",
                ) from error
            raise VideoError(
                f"{self._path} cannot be written: {error}",
                "Check the folder, the space left, and the ending of the name (.mp4, .mkv).",
            ) from error
