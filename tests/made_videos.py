"""Small videos of every layout, in which each picture carries its own number.

The number is painted as black and white squares, so it can be read from the pixels of a frame,
whatever codec, container and time stamps have made of it.
"""

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from annotate.video.file import VideoPacket
from tests.made_sound import add_sound
from tests.scheduling import kept_ordinary

# A packet that was made, not read, belongs to no stream yet.
AnyPacket: TypeAlias = "VideoPacket | Packet[Stream]"

FRAMES, FPS = 50, 25
BITS, SQUARE = 6, 16
# Options of MP4 for copy protection.
ENCRYPTED: Mapping[str, str] = {
    "encryption_scheme": "cenc-aes-ctr",
    "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb",
    "encryption_kid": "a7e61c373e219033c21091fa607bf3b8",
}
SHOW_FIRST_REFERENCE = b"\x88"  # a whole VP9 frame: "show again what reference 0 holds"


def picture(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """(height, width, 3) moving colours; on top the number's bits, and below their opposites."""
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([x * 2 + number * 5, y * 2 + number * 3, x + y + number * 7], axis=-1) % 256
    for bit in range(BITS):
        columns = slice(bit * SQUARE, (bit + 1) * SQUARE)
        rgb[:SQUARE, columns] = 255 * (number >> bit & 1)
        rgb[SQUARE : 2 * SQUARE, columns] = 255 * (~number >> bit & 1)
    return rgb.astype(np.uint8)


def number_of(rgb: NDArray[np.uint8]) -> int:
    """The number that `picture` painted, read from the middle of the squares."""
    middles = slice(SQUARE // 2, BITS * SQUARE, SQUARE)
    bits, opposites = rgb[SQUARE // 2, middles, 1], rgb[SQUARE + SQUARE // 2, middles, 1]
    return sum(1 << bit for bit in range(BITS) if bits[bit] > opposites[bit])


@dataclass(frozen=True)
class Made:
    """A video and the truth about it; None where only a decoder can tell which frames are left."""

    path: Path
    numbers: Sequence[int] | None
    times_s: Sequence[float] | None


@dataclass(frozen=True)
class Layout:
    """How to make one kind of video.

    Attributes:
        suffix: ending of the file, which tells the container.
        codec, pix_fmt, gop, b_frames, options: of the encoder.
        muxer, container_options: of the container.
        size: width and height of the displayed picture in pixels.
        rotation: clockwise degrees by which the stored picture is to be turned for display.
        fps: frames per second.
        times: when a picture is shown, in units of 1 / fps s, by its number.
        sound_s: seconds of a sound track that goes with it; 0 for none.
        sound_codec: FFmpeg's name of its encoder.
        sound_format: of the samples that it encodes; empty: the encoder's usual one.
        loudness: of a hum, from 0 to 1; 0 is silence.
        rework: what is done to the finished file; it returns the numbers that are then shown.
        paint: the picture of a number, a width and a height.
    """

    suffix: str
    codec: str = "libx264"
    options: Mapping[str, str] = field(default_factory=dict)
    pix_fmt: str = "yuv420p"
    gop: int = 12
    b_frames: int | None = None
    muxer: str | None = None
    container_options: Mapping[str, str] = field(default_factory=dict)
    size: tuple[int, int] = (160, 120)
    rotation: int = 0
    frames: int = FRAMES
    fps: int | Fraction = FPS
    times: Callable[[int], int] = int
    sound_s: float = 0.0
    sound_codec: str = "aac"
    sound_format: str = ""
    loudness: float = 0.0
    rework: Callable[[Path], Sequence[int] | None] | None = None
    paint: Callable[[int, int, int], NDArray[np.uint8]] = picture

    def make(self, path: Path) -> Made:
        """Writes the video to `path`."""
        options = dict(self.container_options)
        with (
            kept_ordinary(),
            av.open(str(path), "w", format=self.muxer, options=options) as container,
        ):
            stream = self._add_stream(container)
            if self.sound_s:
                sound = self.sound_codec, self.sound_format
                add_sound(container, self.sound_s, sound, self.loudness)
            for number in range(self.frames):
                displayed = self.paint(number, *self.size)
                stored = np.ascontiguousarray(np.rot90(displayed, self.rotation // 90))
                frame = av.VideoFrame.from_ndarray(stored, format="rgb24")
                frame.pts, frame.time_base = self.times(number), 1 / Fraction(self.fps)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        if self.rework is None:
            ticks = [self.times(number) for number in range(self.frames)]
            return Made(path, range(self.frames), [(t - ticks[0]) / float(self.fps) for t in ticks])
        numbers = self.rework(path)
        times_s = (
            None if numbers is None else [place / float(self.fps) for place in range(len(numbers))]
        )
        return Made(path, numbers, times_s)

    def _add_stream(self, container: OutputContainer) -> VideoStream:
        stream = container.add_stream(self.codec, rate=self.fps, options=dict(self.options))
        assert isinstance(stream, VideoStream)
        sideways = self.rotation % 180 != 0
        stream.width, stream.height = self.size[::-1] if sideways else self.size
        stream.pix_fmt = self.pix_fmt
        if self.rotation:
            stream.set_display_rotation(-self.rotation)
        context = stream.codec_context
        context.time_base, context.gop_size = 1 / Fraction(self.fps), self.gop
        context.thread_count = 1
        if self.b_frames is not None:
            context.max_b_frames = self.b_frames
        return stream


def repacked(path: Path, change: Callable[[VideoPacket], Iterable[AnyPacket]]) -> None:
    """Writes the file again, each packet replaced by those that `change` makes of it."""
    old = path.with_stem(path.stem + "-old")
    path.rename(old)
    with av.open(str(old)) as source, av.open(str(path), "w") as target:
        template = source.streams.video[0]
        stream = target.add_stream_from_template(template)
        for packet in source.demux(template):
            for new in change(packet) if packet.size else ():
                new.stream = stream
                target.mux(new)


def every_packet_marked_as_keyframe(path: Path) -> Sequence[int]:
    def marked(packet: VideoPacket) -> Iterable[AnyPacket]:
        packet.is_keyframe = True
        return [packet]

    repacked(path, marked)
    return range(FRAMES)


def vp9_keyframes_hidden(path: Path) -> Sequence[int]:
    """Every keyframe becomes a hidden frame and a command to show it, in one packet."""

    def hidden(packet: VideoPacket) -> Iterable[AnyPacket]:
        data = bytes(packet)
        if packet.is_keyframe:
            frame = bytes([data[0] & ~0b10]) + data[1:]
            sizes = len(frame).to_bytes(2, "little") + (1).to_bytes(2, "little")
            mark = bytes([0b110_01_001])  # an index of two frames with sizes of two bytes
            data = frame + SHOW_FIRST_REFERENCE + mark + sizes + mark
        new = av.Packet(data)
        new.pts, new.dts, new.time_base = packet.pts, packet.dts, packet.time_base
        new.is_keyframe = packet.is_keyframe
        return [new]

    repacked(path, hidden)
    return range(FRAMES)


def without_front(path: Path) -> Sequence[int]:
    """As a receiver that was switched on late records it: the third keyframe is the first."""
    data = path.read_bytes()
    path.write_bytes(data[len(data) // 3 // 188 * 188 :])
    return range(24, FRAMES)


def without_back(path: Path) -> None:
    """As a recorder leaves it whose battery ran out."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 7 // 10])


def with_edit_list(*edits: tuple[int, int]) -> Callable[[Path], Sequence[int]]:
    """Shows only pictures `[start, stop)` of each edit, one edit after the other (MP4)."""

    def rework(path: Path) -> Sequence[int]:
        data = path.read_bytes()
        movie_scale = struct.unpack_from(">I", data, data.index(b"mvhd") + 16)[0]
        media_scale = struct.unpack_from(">I", data, data.index(b"mdhd") + 16)[0]
        # The list that the encoder's reordering needs begins at the time of picture 0.
        old = data.index(b"elst")
        first = struct.unpack_from(">i", data, old + 16)[0]
        entries = b"".join(
            struct.pack(
                ">IiI",
                (stop - start) * movie_scale // FPS,
                first + start * media_scale // FPS,
                0x10000,
            )
            for start, stop in edits
        )
        payload = struct.pack(">II", 0, len(edits)) + entries
        path.write_bytes(_with_box(data, [b"moov", b"trak", b"edts", b"elst"], payload))
        return [number for start, stop in edits for number in range(start, stop)]

    return rework


def _with_box(data: bytes, names: list[bytes], payload: bytes) -> bytes:
    """`data`, boxes of an MP4 file, with other content in the box that `names` lead to.

    The media data must come first, so that nothing points behind the change.
    """
    out, at = b"", 0
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        content = data[at + 8 : at + size]
        if names and name == names[0]:
            content = _with_box(content, names[1:], payload) if len(names) > 1 else payload
        out += struct.pack(">I4s", len(content) + 8, name) + content
        at += size
    return out


def _x264(**parameters: str | int) -> dict[str, str]:
    text = ":".join(f"{name.replace('_', '-')}={value}" for name, value in parameters.items())
    return {"preset": "veryfast", "x264-params": text}


def _x265(**parameters: str | int) -> dict[str, str]:
    names = {"log_level": "none", "pools": "none", "frame_threads": 1, **parameters}
    text = ":".join(f"{name.replace('_', '-')}={value}" for name, value in names.items())
    return {"preset": "ultrafast", "x265-params": text}


hevc = partial(Layout, codec="libx265", options=_x265(open_gop=1, bframes=3))
vp9 = partial(Layout, codec="libvpx-vp9", options={"cpu-used": "8", "deadline": "realtime"})
av1 = partial(Layout, codec="libsvtav1", options={"preset": "12"})
mpeg2 = partial(Layout, codec="mpeg2video", b_frames=2)
mpeg4 = partial(Layout, codec="mpeg4", b_frames=2)
h264 = partial(Layout, options=_x264(bframes=3))
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}

LAYOUTS: Mapping[str, Layout] = {
    "H.264 with B-frames in MP4": h264(".mp4"),
    "H.264 without B-frames": Layout(".mp4", options=_x264(bframes=0)),
    "H.264 with open GOPs": Layout(".mp4", options=_x264(open_gop=1, bframes=3)),
    "H.264 with one keyframe in the whole file": h264(".mp4", gop=1000),
    "H.264 with keyframes only": Layout(".mp4", gop=1),
    "H.264 refreshed bit by bit": Layout(".mp4", options=_x264(intra_refresh=1, bframes=0)),
    "H.264 in 4:4:4 with odd sides": Layout(".mp4", pix_fmt="yuv444p", size=(161, 121)),
    "H.264 with a sound track": h264(".mp4", sound_s=FRAMES / FPS),
    "H.264 of a single frame": Layout(".mp4", frames=1),
    "H.264 with variable frame rate": Layout(".mp4", times=lambda n: n + n // 7 + 5 * (n // 20)),
    "H.264 in fragmented MP4": h264(".mp4", container_options=FRAGMENTS),
    "H.264 in MKV": h264(".mkv"),
    "H.264 in MKV without an index": h264(".mkv", container_options={"live": "1"}),
    "H.264 in FLV": h264(".flv"),
    "H.264 in AVI, times out of order": h264(".avi"),
    "H.264 in MPEG-TS with a late start": h264(
        ".ts", container_options={"output_ts_offset": "1000"}
    ),
    "H.264 in MPEG-TS without its front": Layout(".ts", rework=without_front),
    "H.264 in MP4 without its back": h264(
        ".mp4", container_options={"movflags": "faststart"}, rework=without_back
    ),
    "displayed turned by 90 degrees": Layout(".mp4", rotation=90),
    "displayed turned by 180 degrees": Layout(".mp4", rotation=180),
    "displayed turned by 270 degrees": Layout(".mp4", rotation=270, size=(122, 150)),
    "displayed turned, in MKV": Layout(".mkv", rotation=90),
    "edit list that begins amid a GOP": h264(".mp4", rework=with_edit_list((17, 45))),
    # A hidden keyframe before the second part gets the time of picture 24, a keyframe of the first.
    "edit list that shows a part twice": Layout(
        ".mp4", options=_x264(bframes=0), rework=with_edit_list((0, 30), (18, 50))
    ),
    "edit list that leaves out the middle": h264(".mp4", rework=with_edit_list((3, 15), (30, 50))),
    "HEVC with open GOPs in MP4": hevc(".mp4"),
    "HEVC with open GOPs in MPEG-TS": hevc(".ts"),
    "HEVC with leading pictures that can be decoded": Layout(
        ".mp4", codec="libx265", options=_x265(open_gop=0, radl=2, bframes=4, min_keyint=12)
    ),
    "HEVC with 10 bits in MKV": hevc(".mkv", pix_fmt="yuv420p10le"),
    "HEVC with open GOPs without its front": hevc(".ts", rework=without_front),
    "HEVC in MPEG-TS without its back": hevc(".ts", rework=without_back),
    "VP8 in WebM": Layout(".webm", codec="libvpx", options={"cpu-used": "8"}),
    "VP9 in WebM": vp9(".webm"),
    "VP9 with hidden frames": vp9(".webm", rework=vp9_keyframes_hidden),
    "VP9 with odd sides": vp9(".webm", size=(161, 121)),
    "AV1 in MP4": av1(".mp4"),
    "AV1 in MKV": av1(".mkv"),
    "MPEG-4 with B-frames in AVI": mpeg4(".avi"),
    "MPEG-4 with B-frames in MP4": mpeg4(".mp4"),
    "MPEG-4, every packet marked as keyframe": mpeg4(
        ".mp4", rework=every_packet_marked_as_keyframe
    ),
    "HEVC, every packet marked as keyframe": hevc(".mkv", rework=every_packet_marked_as_keyframe),
    "MPEG-2 with open GOPs in MPEG-TS": mpeg2(".ts"),
    "MPEG-2 with open GOPs in a program stream": mpeg2(".mpg", muxer="mpeg"),
    "MPEG-2 in MKV": mpeg2(".mkv"),
    "MPEG-2 in MXF": mpeg2(".mxf"),
    "Motion JPEG in AVI": Layout(".avi", codec="mjpeg", pix_fmt="yuvj420p"),
    "ProRes in MOV": Layout(".mov", codec="prores_ks", pix_fmt="yuv422p10le"),
    "WMV in ASF": Layout(".wmv", codec="wmv2"),
}


def make_video(name: str, folder: Path) -> Made:
    """The layout of that name, as a file in `folder`."""
    layout = LAYOUTS[name]
    return layout.make(folder / f"video{layout.suffix}")
