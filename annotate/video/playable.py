"""Whether browsers play a video file as it is, and a copy that they play, with the same times."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.domain.video import NO_CROP, SQUARE, Chunk, DamagedFrame, VideoIndex
from annotate.video.decode import decode_with_damage
from annotate.video.file import VideoFile
from annotate.video.writer import Encoding, VideoWriter, roomy_time_base

# What all common browsers play: codecs, containers (FFmpeg's names) and pixel formats.
_CODECS = frozenset({"h264", "vp8", "vp9", "av1"})
_CONTAINERS = {"mov,mp4,m4a,3gp,3g2,mj2": "video/mp4", "matroska,webm": "video/webm"}
_PIX_FMTS = frozenset({"yuv420p", "yuvj420p"})
# The longest side in pixels of a copy: its picture is looked at on a screen.
_LONGEST_SIDE = 1920
# Small steps in a copy are quick: a keyframe every so many frames.
_GOP = 12
# Times of a copy's frames are at least so fine, in units a second.
_FINE = 90_000


def media_type(path: Path, index: VideoIndex) -> str | None:
    """The media type under which browsers play a file; None where they may not, or where they may
    show other frames at other times than the index has.

    Raises:
        VideoError: the file cannot be opened.
    """
    plain = (
        index.codec in _CODECS
        and len(index.keyframes)
        and not index.interpolated
        and not index.undecodable
        and index.assumed_fps is None
        and not index.mirrored
        and index.crop == NO_CROP
        and index.pixel_aspect == SQUARE
        and index.hdr is None
        and not index.interlaced
        and len(index.video_streams) <= 1
    )
    if not plain:
        return None
    with VideoFile(path, index.stream) as video:
        if video.stream.codec_context.pix_fmt not in _PIX_FMTS:
            return None
        return _CONTAINERS.get(video.container.format.name)


def write_copy(path: Path, index: VideoIndex, out: Path, progress: Callable[[float], None]) -> None:
    """Writes an H.264 copy of a video in which frame i is at `index.time_s[i]`.

    A damaged frame repeats the one before it.

    Raises:
        VideoError, HostError: the video cannot be read, or the copy cannot be written.
    """
    width, height = index.width, index.height
    share = min(1.0, _LONGEST_SIDE / max(width, height))
    # H.264 wants even sides.
    size = (max(2, round(width * share / 2) * 2), max(2, round(height * share / 2) * 2))
    shown = np.zeros((size[1], size[0], 3), np.uint8)
    base = roomy_time_base(_fine(index.time_base), index.time_s)
    encoding = Encoding(time_base=base, gop=_GOP, options={"preset": "veryfast", "crf": "20"})
    with VideoWriter(out, encoding) as writer:
        for frame in decode_with_damage(path, index, Chunk(0, len(index))):
            if not isinstance(frame, DamagedFrame):
                shown = _resized(frame.rgb, size)
            writer.write(shown, float(index.time_s[frame.index]))
            progress((frame.index + 1) / len(index))


def _resized(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    if (rgb.shape[1], rgb.shape[0]) == size:
        return rgb
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _fine(time_base: Fraction) -> Fraction:
    """A time base in which all times of the given one can be said."""
    return time_base / max(1, round(time_base * _FINE))
