"""Exact frames of any chunk: the same, bit for bit, as in one decode of the whole video.

Decoding starts at the last keyframe at or before the wanted frame. Frames displayed before that
keyframe lack their references (open GOP) and are dropped. From the keyframe on, the pts must
follow the index without a gap. Where they do not, decoding starts again at the keyframe before,
and at last at the file's beginning, which is the decode of the whole video.
"""

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from annotate.domain.arrays import IntArray
from annotate.domain.errors import ChangedError, VideoError
from annotate.domain.video import Chunk, Frame, VideoIndex
from annotate.video.file import Packets, VideoFile, fingerprint
from annotate.video.picture import RgbConverter

# The number of frames by which a seek aims before the keyframe, tried in turn. Containers without
# an index seek by the time of decoding, which is earlier than the time of display, and so land
# after the keyframe.
SEEK_MARGINS = (0, 16, 128, 1024)
# Codecs whose decoders obey, packet by packet, what is to be skipped; AV1's decoder runs ahead.
SKIPPING_CODECS = frozenset({"h264", "hevc", "mpeg2video", "mpeg4"})
NOT_INDEXED = "The file has changed since it was submitted: submit it again."
DAMAGED = (
    "Copy the file again from its source, or convert it: `ffmpeg -i FILE -c:v libx264 -crf 16 "
    "NEW.mp4`, and submit it again."
)


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
        path: of the video.
        index: what `probe` found at `path`.
        chunk: positions among the `asked` frames.
        asked: (M,) int64, increasing: indices of the frames that the job annotates; by default all.
        threads: of the decoder.
        device: that decodes, from `hardware_device`; by default the CPU.

    Raises:
        ChangedError: the file is not the one of the index.
        VideoError: a frame of the chunk is damaged.
        HostError: the file cannot be read now.
        ValueError: the chunk reaches beyond the video.
    """
    counted = np.arange(len(index)) if asked is None else asked
    if chunk.stop > len(counted):
        raise ValueError(f"{chunk} reaches beyond {len(counted)} frames")
    video = VideoFile(path, index.stream, threads=threads, device=device)
    if video.size_bytes != index.size_bytes:
        raise ChangedError(f"{path} is not the file that was submitted", NOT_INDEXED)
    with video:
        yield from _decode(video, index, counted[chunk.start : chunk.stop], asked is None)


def _decode(
    video: VideoFile, index: VideoIndex, wanted: IntArray, all_frames: bool
) -> Iterator[Frame]:
    """The frames `wanted`, from the nearest keyframe from which they come as the index has them."""
    broken_at = -1
    for attempt, start in enumerate(_starts(index, int(wanted[0]))):
        if attempt:
            video.rewind()
        try:
            for frame in _decode_from(video, index, start, wanted, all_frames):
                yield frame
                wanted = wanted[1:]
        except _BrokenError as broken:
            broken_at = max(broken_at, broken.frame)
        else:
            return
    if fingerprint(video.path) != index.fingerprint:
        raise ChangedError(f"{video.path} is not the file that was submitted", NOT_INDEXED)
    raise VideoError(
        f"{video.path} is damaged at frame {broken_at} ({index.time_s[broken_at]:.3f} s)", DAMAGED
    )


def _starts(index: VideoIndex, frame: int) -> list[int]:
    """Where to start decoding for `frame`, in order of preference; 0 is the file's beginning."""
    before = index.keyframes[index.keyframes <= frame]
    return [*dict.fromkeys([*before[:-3:-1].tolist(), 0])]


def _decode_from(
    video: VideoFile, index: VideoIndex, start: int, wanted: IntArray, all_frames: bool
) -> Iterator[Frame]:
    """The frames `wanted`, decoding from keyframe `start` on, or raises `_BrokenError`.

    Unless the job wants `all_frames`, frames that no other one is predicted from are skipped.
    """
    converter = RgbConverter(index.display)
    at, wanted_set = start - 1, frozenset(wanted.tolist())
    skipping = not all_frames and len(index.keyframes) > 0 and index.codec in SKIPPING_CODECS
    packets = _packets_from(video, index, start)
    if skipping:
        packets = _skipping(video, packets, frozenset(index.pts[wanted].tolist()))
    frames = video.frames(packets)
    for at, frame in _numbered(frames, index, start, wanted_set if skipping else None):
        if at in wanted_set:
            try:
                rgb = converter.rgb(frame)
            except av.FFmpegError as error:
                raise _BrokenError(at) from error
            yield Frame(at, int(index.pts[at]), rgb, converter.own_size(frame))
        if at == wanted[-1]:
            return
    raise _BrokenError(at + 1)


def _skipping(video: VideoFile, packets: Packets, wanted: frozenset[int]) -> Packets:
    """The same packets; the decoder skips frames that have none of the `wanted` pts and that no
    other frame needs.
    """
    context = video.stream.codec_context
    for packet in packets:
        context.skip_frame = "DEFAULT" if packet.pts in wanted else "NONREF"
        yield packet
    context.skip_frame = "DEFAULT"


def _numbered(
    frames: Iterator[VideoFrame], index: VideoIndex, start: int, needed: frozenset[int] | None
) -> Iterator[tuple[int, VideoFrame]]:
    """Each frame from keyframe `start` on with its index, or raises `_BrokenError`.

    Frames that are not `needed` may be missing; None: all frames are needed.
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
        # Containers mark frames as keyframes that are not. Started there, the decoder gives
        # frames that are nearly right, or leaves the first ones out (H.264 intra refresh).
        if frame.pts > index.pts[at] or (at == start > 0 and not frame.key_frame):
            raise _BrokenError(at)
        yield at, frame
        at += 1


def _packets_from(video: VideoFile, index: VideoIndex, start: int) -> Packets:
    """The packets from keyframe `start` on, in decoding order, or raises `_BrokenError`."""
    if start == 0:
        return video.packets()
    packets = _packets_by_seeking(video, index, start)
    if packets is None:
        # The container does not seek. Packets that are read and not decoded cost little.
        video.rewind()
        packets = _from_key(video.packets(), index.pts[start])
    if packets is None:
        raise _BrokenError(start)
    return packets


def _packets_by_seeking(video: VideoFile, index: VideoIndex, start: int) -> Packets | None:
    """The packets from keyframe `start` on; None where seeking does not lead there."""
    for margin in SEEK_MARGINS:
        with suppress(av.FFmpegError):
            video.seek(int(index.pts[max(0, start - margin)]))
            packets = _from_key(video.packets(), index.pts[start])
            if packets is not None:
                return packets
    return None


def _from_key(packets: Packets, pts: int) -> Packets | None:
    """The packets from the keyframe at `pts` on; None where they begin after it."""
    for packet in packets:
        if packet.pts is None or not packet.is_keyframe:
            continue
        if packet.pts == pts:
            return chain([packet], packets)
        if packet.pts > pts:
            return None
    return None
