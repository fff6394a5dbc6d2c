"""What a video holds, from its packets: every frame's time, the keyframes, size and rotation.

Packets are believed as far as the decoder agrees: a few frames at the beginning are decoded and
compared, and the last ones where the file may be cut off. Where the two differ, or packets cannot
tell, the whole video is decoded once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.domain.errors import VideoError
from annotate.domain.video import VideoIndex
from annotate.video.meter import Meter
from annotate.video.opening import (
    MAX_PIXELS,
    NOT_A_VIDEO,
    check_file,
    decoded,
    fingerprint,
    opened,
    readable_packets,
)
from annotate.video.picture import RgbConverter, clockwise_degrees

# No codec lets a frame wait for more others.
MOST_REORDERED = 16
# Frames from the first keyframe on that are decoded to see whether packets and frames agree: more
# than the usual distance of hidden reference frames, too.
CHECKED_FRAMES = 2 * MOST_REORDERED
# Packets after the last keyframe that are decoded to see whether the file is cut off.
MOST_LAST = 512
MOST_SOUND_ALONE_S = 2.0
MAX_FRAMES = 2**24
NO_PTS = np.iinfo(np.int64).min


@dataclass(frozen=True, eq=False)
class _Packets:
    """What demuxing tells of n packets, in decoding order.

    Attributes:
        pts: (n,) int64, `NO_PTS` where a packet has none.
        key, shown: (n,) bool: is a keyframe; is to be displayed (an edit list may hide it).
        end: pts of the frames that the last keyframe and what follows it decode to; empty where
            the container confirms that nothing is cut off, or where that is too much to decode.
        codec, time_base, declared_frames, missing_s: as in `VideoIndex`.
    """

    pts: IntArray
    key: NDArray[np.bool_]
    shown: NDArray[np.bool_]
    end: IntArray
    codec: str
    time_base: Fraction
    declared_frames: int | None
    missing_s: float

    def frame_pts(self) -> IntArray:
        """The known pts of the packets that are to be displayed, each once, rising."""
        return np.unique(self.pts[self.shown & (self.pts != NO_PTS)])

    def first_key(self) -> int | None:
        """The pts of the first keyframe, shown or not; None where packets do not tell frames."""
        each_its_own = len(self.frame_pts()) == np.count_nonzero(self.shown)
        rising = (np.diff(self.pts[self.key & self.shown]) > 0).all()
        if NO_PTS in self.pts or not each_its_own or not rising or not self.key.any():
            return None
        return int(self.pts[self.key][0])


@dataclass(frozen=True, eq=False)
class _Beginning:
    """What decoding tells of the first n frames, in the order in which they come out.

    Attributes:
        pts: (n,) int64, `NO_PTS` where a frame has none.
        key: (n,) bool: the decoder takes it for a keyframe.
        whole: these are all frames of the video.
        width, height, rotation: as in `VideoIndex`.
    """

    pts: IntArray
    key: NDArray[np.bool_]
    whole: bool
    width: int
    height: int
    rotation: int


def probe(path: Path, progress: Callable[[int, int], None] | None = None) -> VideoIndex:
    """The index of the video at `path`.

    `progress` is called with the bytes done and the bytes in all; the latter grows by the file's
    length where the whole video has to be decoded.

    Raises:
        VideoError: there is no such file; it is no video; its frames cannot be decoded, are
            displayed mirrored or do not say when; or it changed meanwhile.
    """
    size = check_file(path)
    meter = Meter(size, progress)
    packets = _read_packets(path, meter)
    picture, pts, keyframes = _frames(path, packets, meter)
    digest = fingerprint(path, meter.at)
    meter.pass_done()
    if check_file(path) != size:
        raise VideoError(f"{path} changed while it was read", "Try again when it is complete.")
    return VideoIndex(
        fingerprint=digest,
        size_bytes=size,
        codec=packets.codec,
        width=picture.width,
        height=picture.height,
        rotation=picture.rotation,
        time_base=packets.time_base,
        pts=pts,
        keyframes=keyframes,
        declared_frames=packets.declared_frames,
        missing_s=packets.missing_s,
    )


def _read_packets(path: Path, meter: Meter) -> _Packets:
    rows: list[tuple[int, bool, bool]] = []
    last: list[Packet[VideoStream]] = []
    with opened(path) as (container, stream):
        for packet in meter.watched(readable_packets(container, stream)):
            pts = NO_PTS if packet.pts is None else packet.pts
            rows.append((pts, packet.is_keyframe, not packet.is_discard))
            if len(rows) > MAX_FRAMES:
                raise VideoError(f"{path} has over {MAX_FRAMES} frames", "Cut it into parts.")
            if packet.is_keyframe:
                last.clear()
            if len(last) < MOST_LAST:
                last.append(packet)
        if not rows:
            raise VideoError(f"{path} holds no frame", NOT_A_VIDEO)
        table = np.array(rows, dtype=np.int64)
        confirmed = stream.frames == len(rows) and not last[-1].is_corrupt
        return _Packets(
            pts=table[:, 0],
            key=table[:, 1] == 1,
            shown=table[:, 2] == 1,
            end=np.empty(0, np.int64) if confirmed else _end(stream, last),
            codec=stream.codec.canonical_name,
            # FFmpeg gives every stream a time base, though the type allows for none.
            time_base=Fraction(stream.time_base or 1),
            declared_frames=stream.frames or None,
            missing_s=_missing_s(container, stream, table[:, 0]),
        )


def _missing_s(container: InputContainer, stream: VideoStream, pts: NDArray[np.int64]) -> float:
    """As in `VideoIndex`. Only containers that are written once all is known are believed.

    Args:
        pts: (n,) of the packets that are there.
    """
    kind, rate = container.format.name, stream.average_rate
    if "mp4" in kind and rate:
        return max(0, stream.frames - len(pts)) / float(rate)
    if "matroska" in kind and container.duration is not None and stream.time_base is not None:
        missing = container.duration / av.time_base - float(pts.max() * stream.time_base)
        # Sound may be a little longer than the pictures.
        return missing if missing > MOST_SOUND_ALONE_S else 0.0
    return 0.0


def _end(stream: VideoStream, last: "list[Packet[VideoStream]]") -> IntArray:
    """The pts of the frames in the packets `last`, a keyframe and all that follows it."""
    key = last[0].pts if len(last) < MOST_LAST else None
    if key is None:
        return np.empty(0, np.int64)
    frames = decoded(stream, iter(last))
    pts = [frame.pts for frame in frames if frame.pts is not None and frame.pts >= key]
    return np.array(pts, dtype=np.int64)


def _frames(path: Path, packets: _Packets, meter: Meter) -> tuple[_Beginning, IntArray, IntArray]:
    """The picture, and pts and keyframes as in `VideoIndex`."""
    beginning = _decode_beginning(path, packets.first_key(), meter)
    pts = _agreed_pts(packets, beginning)
    if pts is None and not beginning.whole:
        beginning = _decode_beginning(path, None, meter)
        pts = _agreed_pts(packets, beginning)
    if pts is None:
        return beginning, _counted_pts(path, packets, beginning), np.empty(0, np.int64)
    return beginning, pts, _keyframes(pts, packets, beginning)


def _keyframes(pts: IntArray, packets: _Packets, beginning: _Beginning) -> IntArray:
    """As in `VideoIndex`. The file's beginning is always among them, whatever is there."""
    marked = np.intersect1d(pts, packets.pts[packets.key & packets.shown])
    seen = marked[marked <= beginning.pts[-1]]
    if not np.isin(seen, beginning.pts[beginning.key]).all():
        marked = marked[:0]
    return np.union1d([0], np.searchsorted(pts, marked)).astype(np.int64)


def _decode_beginning(path: Path, first_key: int | None, meter: Meter) -> _Beginning:
    """Decodes up to `CHECKED_FRAMES` frames from `first_key` on, or the whole video if None."""
    rows: list[tuple[int, bool]] = []
    left = CHECKED_FRAMES
    with opened(path) as (container, stream):
        packets = readable_packets(container, stream)
        if first_key is None:
            packets = meter.watched_once_more(packets)
        for frame in decoded(stream, packets):
            if not rows:
                width, height, rotation = _displayed(path, frame)
            pts = NO_PTS if frame.pts is None else frame.pts
            rows.append((pts, frame.key_frame))
            if first_key is not None and pts >= first_key:
                left -= 1
            if not left:
                break
    if not rows:
        raise VideoError(
            f"no frame of {path} can be decoded",
            f"Check that it plays, and that its frames have no more than {MAX_PIXELS} pixels.",
        )
    table = np.array(rows, dtype=np.int64)
    return _Beginning(table[:, 0], table[:, 1] == 1, left > 0, width, height, rotation)


def _displayed(path: Path, frame: VideoFrame) -> tuple[int, int, int]:
    """Width, height and clockwise rotation of the picture that is displayed.

    Raises:
        VideoError: it is displayed mirrored or tilted, or in colours that cannot be made RGB.
    """
    rotation = clockwise_degrees(frame)
    if rotation is None:
        raise VideoError(
            f"{path} asks to be displayed mirrored or tilted, which is not done here",
            "Make it so for good: `ffmpeg -i FILE -c:v libx264 -crf 16 NEW.mp4`.",
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


def _agreed_pts(packets: _Packets, beginning: _Beginning) -> IntArray | None:
    """(N,) pts of all frames; None where packets and decoder disagree, or times do not rise.

    What lies before the first keyframe (the rest of a cut recording), and the end of a file that
    may be cut off, are as the decoder says.
    """
    found = beginning.pts
    if NO_PTS in found or (np.diff(found) <= 0).any():
        return None
    first_key, told = packets.first_key(), packets.frame_pts()
    if beginning.whole or first_key is None:
        return found
    expected = told[(told >= first_key) & (told <= found[-1])]
    if not np.array_equal(found[found >= first_key], expected):
        return None
    pts = np.concatenate([found, told[told > found[-1]]])
    if len(packets.end):
        pts = pts[(pts < packets.end[0]) | np.isin(pts, packets.end)]
    return pts


def _counted_pts(path: Path, packets: _Packets, beginning: _Beginning) -> IntArray:
    """(N,) pts of a whole decode whose frames carry each other's time stamps.

    That is how a container looks which has times of decoding only: its packets' times in order
    are those of the frames, and none is further from its frame than decoding reorders.
    """
    told = packets.frame_pts()
    if len(told) == len(beginning.pts):
        places = np.searchsorted(told, beginning.pts)
        if np.abs(places - np.arange(len(places))).max() <= MOST_REORDERED:
            return told
    raise VideoError(
        f"{path} is damaged, or does not say when its frames are shown",
        "Give it new time stamps: `ffmpeg -i FILE -c:v libx264 -crf 16 NEW.mp4`.",
    )
