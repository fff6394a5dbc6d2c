"""Exact frames of any chunk: the same, bit for bit, as in one decode of the whole video.

Decoding starts at the last keyframe at or before the wanted frame. Pictures displayed before that
keyframe lack their references (open GOP) and are dropped. From the keyframe on, the pts must
follow the index without a gap. Where they do not, decoding starts again at the keyframe before,
and at last at the file's beginning, which is the decode of the whole.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from annotate.domain.arrays import IntArray
from annotate.domain.errors import VideoError
from annotate.domain.video import Chunk, Frame, VideoIndex
from annotate.video.opening import (
    Packets,
    check_file,
    decoded,
    fingerprint,
    opened,
    readable_packets,
)
from annotate.video.picture import RgbConverter

# Frames by which a seek aims before the keyframe, tried in turn. Containers without an index seek
# by decoding time, which is earlier than the time of display, and so land behind the keyframe.
AIMS = (0, 16, 128, 1024)
# Codecs whose decoders heed, packet by packet, what is to be left out; that of AV1 runs ahead.
SPARING = frozenset({"h264", "hevc", "mpeg2video", "mpeg4"})
NOT_INDEXED = "The file has changed since it was submitted: submit it again."
DAMAGED = (
    "Copy the file again from its source, or convert it: `ffmpeg -i FILE -c:v libx264 -crf 16 "
    "NEW.mp4`, and submit it again."
)


Opening: TypeAlias = Callable[[], AbstractContextManager[tuple[InputContainer, VideoStream]]]


class _BrokenError(Exception):
    """The frames no longer come as the index has them; `frame` is the first that does not."""

    def __init__(self, frame: int) -> None:
        super().__init__(frame)
        self.frame = frame


def decode(
    path: Path,
    index: VideoIndex,
    chunk: Chunk,
    *,
    asked: IntArray | None = None,
    threads: int = 1,
    device: str | None = None,
) -> Iterator[Frame]:
    """The frames of `chunk` in order. Others are decoded where needed, never converted.

    Args:
        index: what `probe` found at `path`.
        asked: (M,) int64, increasing: the frames that the chunk counts; by default all.
        threads: of the decoder.
        device: that decodes, from `hardware_device`; by default the CPU.

    Raises:
        VideoError: the file is not the one of the index, or a frame of the chunk is damaged.
        ValueError: the chunk reaches beyond the video.
    """
    opening = partial(opened, path, threads, device)
    counted = np.arange(len(index)) if asked is None else asked
    if chunk.stop > len(counted):
        raise ValueError(f"{chunk} reaches beyond {len(counted)} frames")
    if check_file(path) != index.size_bytes:
        raise VideoError(f"{path} is not the file that was submitted", NOT_INDEXED)
    wanted, failures = counted[chunk.start : chunk.stop], []
    for start in _starts(index, int(wanted[0])):
        try:
            for frame in _decode_from(index, start, wanted, asked is None, opening):
                yield frame
                wanted = wanted[1:]
        except _BrokenError as broken:
            failures.append(broken)
        else:
            return
    if fingerprint(path) != index.fingerprint:
        raise VideoError(f"{path} is not the file that was submitted", NOT_INDEXED)
    damaged = max(failure.frame for failure in failures)
    raise VideoError(
        f"{path} is damaged at frame {damaged} ({index.time_s[damaged]:.3f} s)", DAMAGED
    )


def _starts(index: VideoIndex, frame: int) -> list[int]:
    """Where to start decoding for `frame`, in order of preference; 0 is the file's beginning."""
    before = index.keyframes[index.keyframes <= frame]
    return [*dict.fromkeys([*before[:-3:-1].tolist(), 0])]


def _decode_from(
    index: VideoIndex, start: int, wanted: IntArray, every: bool, opening: Opening
) -> Iterator[Frame]:
    """The frames `wanted`, decoding from keyframe `start` on, or raises `_BrokenError`.

    Unless `every` frame is asked for, what no other frame is predicted from is not decoded.
    """
    converter = RgbConverter(index.width, index.height, index.rotation)
    at, wanted_set = start - 1, frozenset(wanted.tolist())
    skippable = not every and len(index.keyframes) > 0 and index.codec in SPARING
    with _opened_at(index, start, opening) as (stream, packets):
        if skippable:
            packets = _sparing(stream, packets, frozenset(index.pts[wanted].tolist()))
        frames = decoded(stream, packets)
        for at, frame in _placed(frames, index, start, wanted_set if skippable else None):
            if at in wanted_set:
                try:
                    rgb = converter.rgb(frame)
                except av.FFmpegError as error:
                    raise _BrokenError(at) from error
                yield Frame(at, int(index.pts[at]), rgb)
            if at == wanted[-1]:
                return
    raise _BrokenError(at + 1)


def _sparing(stream: VideoStream, packets: Packets, wanted: frozenset[int]) -> Packets:
    """The same packets; the decoder leaves pictures out that have none of the `wanted` pts and
    that no other picture needs.
    """
    context = stream.codec_context
    for packet in packets:
        context.skip_frame = "DEFAULT" if packet.pts in wanted else "NONREF"
        yield packet
    context.skip_frame = "DEFAULT"


def _placed(
    frames: Iterator[VideoFrame], index: VideoIndex, start: int, needed: frozenset[int] | None
) -> Iterator[tuple[int, VideoFrame]]:
    """Each frame from keyframe `start` on with its index, or raises `_BrokenError`.

    Frames that are not `needed` may be left out; by default all are.
    """
    if not len(index.keyframes):
        yield from enumerate(frames)
        return
    at = start
    for frame in frames:
        if frame.pts is None or frame.pts < index.pts[at]:
            continue
        while needed is not None and at not in needed and frame.pts > index.pts[at]:
            at += 1
        # Containers mark frames as keyframes that are none. Started there, the decoder gives
        # pictures that are nearly right, or leaves the first ones out (H.264 intra refresh).
        if frame.pts > index.pts[at] or (at == start > 0 and not frame.key_frame):
            raise _BrokenError(at)
        yield at, frame
        at += 1


@contextmanager
def _opened_at(
    index: VideoIndex, start: int, opening: Opening
) -> Iterator[tuple[VideoStream, Packets]]:
    """The stream and its packets from keyframe `start` on, in decoding order."""
    with opening() as (container, stream):
        found = _packets_from(container, stream, index, start)
        if found is not None:
            yield stream, found
            return
    # The container does not seek. Packets that are read and not decoded cost little.
    with opening() as (container, stream):
        found = _from_key(readable_packets(container, stream), index.pts[start])
        if found is None:
            raise _BrokenError(start)
        yield stream, found


def _packets_from(
    container: InputContainer, stream: VideoStream, index: VideoIndex, start: int
) -> "Packets | None":
    """The packets from keyframe `start` on, by seeking; None where that does not lead there."""
    if start == 0:
        return readable_packets(container, stream)
    for aim in AIMS:
        with suppress(av.FFmpegError):
            container.seek(int(index.pts[max(0, start - aim)]), stream=stream)
            packets = _from_key(readable_packets(container, stream), index.pts[start])
            if packets is not None:
                return packets
    return None


def _from_key(packets: Packets, pts: int) -> "Packets | None":
    """The packets from the keyframe at `pts` on; None where they begin behind it."""
    for packet in packets:
        if packet.pts is None or not packet.is_keyframe:
            continue
        if packet.pts == pts:
            return chain([packet], packets)
        if packet.pts > pts:
            return None
    return None
