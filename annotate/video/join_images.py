"""Joins images into one video file, whose frames are the images themselves.

JPEG, PNG and TIFF go into QuickTime as they are, byte by byte. Where a sequence has several
formats, or one that QuickTime lacks (WebP), they become PNG without loss. The same images and times
give the same bytes.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from itertools import chain
from pathlib import Path
from types import MappingProxyType

import av
import cv2
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from annotate.domain.errors import VideoError
from annotate.domain.images import ImageSequence, ticks_of
from annotate.domain.limits import DEFAULT_LIMITS
from annotate.video.file import check_file
from annotate.video.orientation import Orientation, orientation_of, oriented
from annotate.video.raw_file import raw_file

# Rises when the same images give other bytes.
JOIN_VERSION = 1
# The codec of a format of images that QuickTime can hold, by the first bytes of its files.
CODECS: Mapping[bytes, str] = MappingProxyType(
    {b"\xff\xd8\xff": "mjpeg", b"\x89PNG": "png", b"II*\0": "tiff", b"MM\0*": "tiff"}
)
# The number of bytes of pixels that an animated picture may take at a time, and how often it is
# decoded from its beginning: 8 GB of pixels, or 2 minutes at 1280 x 720 and 20 frames a second.
ANIMATION_BYTES, MAX_ANIMATION_PASSES = 2**27, 64
# The number of first bytes of a file that say whether it is animated.
HEAD_BYTES = 4096
# Where a WebP says what is in it, and the bit that says that it moves.
_FLAGS, _MOVES = 20, 2
_UNKNOWN_SIZE = (16, 16)
# Of an empty file: a video cannot hold frames without data.
_NO_DATA = b"\0"
_SAME_BYTES: Mapping[str, str] = MappingProxyType({"fflags": "+bitexact"})
_FORMATS = "jpeg_pipe,png_pipe,tiff_pipe,webp_pipe"
_NO_IMAGE = "Check that a viewer shows it, or that it was copied whole."

Report = Callable[[int], None]


def joined(images: ImageSequence, rate: Fraction, path: Path, report: Report) -> None:
    """Writes the video of the images to `path`.

    Args:
        rate: frames per second; an animated picture has its own times.
        report: called with the number of bytes read so far.

    Raises:
        VideoError: no image can be read, or an animated picture is too large.
        HostError: a file cannot be read now.
    """
    if images.animated:
        frames, unit = _of_animation(images.paths[0]), Fraction(1, 1000)
        codec = "png"
    else:
        codec = _codec(images.paths)
        frames, unit = _of_files(images, codec, report), 1 / rate
    if not _write(path, codec, unit, frames):
        raise VideoError(f"no frame of {images} can be read", _NO_IMAGE)


def is_animated(path: Path) -> bool:
    """Whether a WebP or a PNG has several frames."""
    head = _head(path)
    return _is_animated_webp(head) or (head.startswith(b"\x89PNG") and b"acTL" in head)


def is_animated_webp(path: Path) -> bool:
    """Whether a file is a WebP with several frames, which FFmpeg cannot read."""
    return _is_animated_webp(_head(path))


def _head(path: Path) -> bytes:
    with suppress(OSError):
        if path.is_file():  # a pipe would block
            with path.open("rb") as file:
                return file.read(HEAD_BYTES)
    return b""


def _is_animated_webp(head: bytes) -> bool:
    return head[8:16] == b"WEBPVP8X" and len(head) > _FLAGS and bool(head[_FLAGS] & _MOVES)


def _codec(paths: Sequence[Path]) -> str:
    """The codec that all images have, or PNG, which they then become."""
    found = {_codec_of(head) for path in paths if (head := _read(path, 4))}
    codec = found.pop() if len(found) == 1 else None
    return codec or "png"


def _codec_of(data: bytes) -> str | None:
    return next((codec for magic, codec in CODECS.items() if data.startswith(magic)), None)


def _read(path: Path, length: int = -1) -> bytes:
    check_file(path, may_be_empty=True)
    with raw_file(path) as file:
        return file.read(length)


def _of_files(images: ImageSequence, codec: str, report: Report) -> Iterator[tuple[int, bytes]]:
    """The time of each image, in frames, and its data."""
    done = 0
    for tick, path in zip(ticks_of(images.numbers), images.paths, strict=True):
        data = _read(path)
        done += len(data)
        # What cannot be decoded is kept: its frame is then damaged, and counted as such.
        yield tick, data if _codec_of(data) == codec else _as_png(data) or data or _NO_DATA
        report(done)


def _as_png(data: bytes) -> bytes | None:
    """The image of any format that FFmpeg reads as upright PNG; None where it cannot be decoded."""
    try:
        with _opened(data) as container:
            frame = next(container.decode(video=0))
            way = orientation_of(frame) or Orientation()
            rgb = frame.to_ndarray(format="rgb24")
    except (av.FFmpegError, StopIteration, IndexError, ValueError):
        return None
    return _png(oriented(np.asarray(rgb, np.uint8), way.rotation, mirrored=way.mirrored)[..., ::-1])


def _opened(data: bytes) -> InputContainer:
    """An image, and nothing that names other files."""
    return av.open(
        io.BytesIO(data),
        "r",
        options={"max_pixels": str(DEFAULT_LIMITS.pixels)},
        container_options={"format_whitelist": _FORMATS},
    )


def _png(bgr: NDArray[np.uint8]) -> bytes:
    fast = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    return cv2.imencode(".png", np.ascontiguousarray(bgr), fast)[1].tobytes()


def _of_animation(path: Path) -> Iterator[tuple[int, bytes]]:
    """The time of each frame, in milliseconds, and its picture as PNG."""
    data = _read(path)
    width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
    if width * height > DEFAULT_LIMITS.pixels:
        raise VideoError(f"{path} has over {DEFAULT_LIMITS.pixels} pixels", "Scale it down.")
    batch = max(1, ANIMATION_BYTES // (4 * width * height))
    buffer, time_ms = np.frombuffer(data, np.uint8), 0
    for number in range(MAX_ANIMATION_PASSES):
        ok, animation = cv2.imdecodeanimation(buffer, start=number * batch, count=batch)
        if not ok:
            return
        for frame, shown_ms in zip(animation.frames, animation.durations, strict=True):
            yield time_ms, _png(np.asarray(frame, np.uint8)[..., :3])
            time_ms += max(1, int(shown_ms))
        if len(animation.frames) < batch:
            return
    raise VideoError(
        f"{path} has more than {MAX_ANIMATION_PASSES * batch} frames of {width}x{height}",
        "Write its frames as images, and submit their folder: "
        "`magick FILE -coalesce FOLDER/%05d.png`.",
    )


def _write(path: Path, codec: str, unit: Fraction, frames: Iterator[tuple[int, bytes]]) -> bool:
    """Writes frames with times in a `unit` of seconds; returns whether there are any."""
    first = next(frames, None)
    if first is None:
        return False
    width, height = _size(first[1])
    with av.open(str(path), "w", format="mov", container_options=dict(_SAME_BYTES)) as container:
        stream = container.add_mux_stream(
            codec, rate=1 / unit, width=width, height=height, time_base=unit
        )
        for tick, data in chain([first], frames):
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, unit
            packet.pts = packet.dts = tick
            packet.duration, packet.is_keyframe = 1, True
            container.mux(packet)
    return True


def _size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels of an image, for the header; decoders look at each image."""
    with suppress(av.FFmpegError, IndexError), _opened(data) as container:
        stream = container.streams.video[0]
        if stream.width and stream.height:
            return stream.width, stream.height
    return _UNKNOWN_SIZE
