"""The same frames in several codecs and sizes, for the cost of decoding them."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

FRAMES = 24


class Encoder(NamedTuple):
    """How FFmpeg encodes: the encoder's name, the container, the pixels, and two qualities."""

    name: str
    suffix: str
    pixels: str
    qualities: tuple[dict[str, str], dict[str, str]]


_X26 = {"preset": "fast", "x265-params": "log-level=none"}
_X26_QUALITIES = ({**_X26, "crf": "20"}, {**_X26, "crf": "32"})
_VP9 = {"deadline": "realtime", "cpu-used": "7", "b": "0"}
_Q = ({"qmin": "3", "qmax": "3"}, {"qmin": "12", "qmax": "12"})
_AV1 = {"preset": "10"}
# By FFmpeg's name of the codec.
ENCODERS = {
    "h264": Encoder("libx264", ".mp4", "yuv420p", _X26_QUALITIES),
    "hevc": Encoder("libx265", ".mp4", "yuv420p", _X26_QUALITIES),
    "vp9": Encoder(
        "libvpx-vp9", ".webm", "yuv420p", ({**_VP9, "crf": "25"}, {**_VP9, "crf": "40"})
    ),
    "av1": Encoder(
        "libsvtav1",
        ".mp4",
        "yuv420p",
        ({"preset": "10", "crf": "25"}, {"preset": "10", "crf": "45"}),
    ),
    "mpeg4": Encoder("mpeg4", ".mp4", "yuv420p", _Q),
    "mpeg2video": Encoder("mpeg2video", ".ts", "yuv420p", _Q),
    "mjpeg": Encoder("mjpeg", ".avi", "yuvj420p", _Q),
    "prores": Encoder("prores_ks", ".mov", "yuv422p10le", ({"profile": "3"}, {"profile": "0"})),
}
# Of the source's edges.
SCALES = (Fraction(1), Fraction(1, 2))


def encoded(source: Path, codec: str, folder: Path) -> Iterator[Path]:
    """The first frames of `source` in this codec, in each size and quality."""
    encoder = ENCODERS[codec]
    with av.open(str(source)) as container:
        frames = [frame for frame, _ in zip(container.decode(video=0), range(FRAMES), strict=False)]
    for scale in SCALES:
        for number, options in enumerate(encoder.qualities):
            path = folder / f"{codec}-{scale.denominator}-{number}{encoder.suffix}"
            _write(frames, scale, encoder, options, path)
            yield path


def _write(
    frames: list[VideoFrame], scale: Fraction, encoder: Encoder, options: dict[str, str], path: Path
) -> None:
    with av.open(str(path), "w") as out:
        stream = out.add_stream(encoder.name, rate=30, options=options)
        assert isinstance(stream, VideoStream)
        width, height = (int(edge * scale) // 2 * 2 for edge in (frames[0].width, frames[0].height))
        stream.width, stream.height, stream.pix_fmt = width, height, encoder.pixels
        for number, frame in enumerate(frames):
            small = frame.reformat(width, height, format=encoder.pixels)
            small.pts, small.time_base = number, Fraction(1, 30)
            out.mux(stream.encode(small))
        out.mux(stream.encode(None))
