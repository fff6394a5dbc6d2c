"""Videos whose stored pictures are not what is displayed, or not all of them."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from tests.made_videos import FPS, AnyPacket, picture

Paint = Callable[[int, int, int], NDArray[np.uint8]]


def film(
    path: Path,
    sizes: list[tuple[int, int]],
    *,
    frames: int = 12,
    aspect: Fraction | Sequence[Fraction] | None = None,
    matrix: list[int] | None = None,
    paint: Paint = picture,
) -> Path:
    """A video whose frames have each of the sizes in turn; each size begins with a keyframe.

    Args:
        sizes: width and height of the stored pictures, with `frames` frames each.
        aspect: shape of the pixels, for all sizes or one for each.
        matrix: display matrix: how the picture is mirrored and turned.
        paint: the stored picture of a number, a width and a height.
    """
    with av.open(str(path), "w") as container:
        first = container.add_stream("libx264", rate=FPS)
        assert isinstance(first, VideoStream)
        first.width, first.height = sizes[0]
        first.options = {"crf": "10"}
        shapes = aspect if isinstance(aspect, Sequence) else [aspect] * len(sizes)
        if matrix is not None:
            first.set_display_matrix(matrix)
        for part, size in enumerate(sizes):
            encoder = first.codec_context if part == 0 else _encoder(size)
            if shapes[part] is not None:
                encoder.sample_aspect_ratio = shapes[part]
            for number in range(part * frames, (part + 1) * frames):
                frame = VideoFrame.from_ndarray(paint(number, *size), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, FPS)
                _mux(container, first, encoder.encode(frame))
            _mux(container, first, encoder.encode(None))
    return path


def _encoder(size: tuple[int, int]) -> "av.VideoCodecContext":
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = *size, "yuv420p"
    context.time_base, context.framerate = Fraction(1, FPS), Fraction(FPS)
    context.options = {"crf": "10"}
    return context


def _mux(
    container: av.container.OutputContainer, stream: VideoStream, packets: list[AnyPacket]
) -> None:
    for packet in packets:
        packet.stream = stream
        container.mux(packet)


def two_streams(
    path: Path,
    sizes: list[tuple[int, int]],
    frames: list[int],
    default: int,
    paint: Paint = picture,
) -> Path:
    """A file whose two video streams have these sizes and numbers of frames; one is marked as
    default.
    """
    with av.open(str(path), "w") as container:
        streams: list[VideoStream] = []
        for number, (width, height) in enumerate(sizes):
            stream = container.add_stream("libx264", rate=FPS)
            assert isinstance(stream, VideoStream)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.disposition = Disposition.default if number == default else Disposition(0)
            streams.append(stream)
        for stream, size, count in zip(streams, sizes, frames, strict=True):
            for number in range(count):
                frame = av.VideoFrame.from_ndarray(paint(number, *size), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, FPS)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def with_cover(path: Path, cover: NDArray[np.uint8], frames: int, paint: Paint = picture) -> Path:
    """An MP4 whose first stream is a cover (H, W, 3), larger than the pictures of the video."""
    height, width = cover.shape[:2]
    with av.open(str(path), "w") as container:
        first = container.add_stream("mjpeg", rate=1)
        video = container.add_stream("libx264", rate=FPS)
        assert isinstance(first, VideoStream)
        assert isinstance(video, VideoStream)
        first.width, first.height, first.pix_fmt = width, height, "yuvj420p"
        first.disposition = Disposition.attached_pic
        video.width, video.height = width // 2, height // 2
        container.mux(first.encode(VideoFrame.from_ndarray(cover, format="rgb24")))
        container.mux(first.encode(None))
        for number in range(frames):
            drawn = paint(number, video.width, video.height)
            frame = VideoFrame.from_ndarray(drawn, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path
