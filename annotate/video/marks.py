"""Which packets the container knows to lack data."""

from collections import deque
from collections.abc import Iterator
from itertools import chain, pairwise, repeat
from typing import TypeAlias

from annotate.video.file import Packets, VideoFile, VideoPacket
from annotate.video.packets import LONGER_STEP
from annotate.video.raw_file import raw_file
from annotate.video.transport import TransportStream

# Packets with whether data is lost in them or right after them.
MarkedPackets: TypeAlias = Iterator[tuple[VideoPacket, bool]]
# The number of packets up to the gap that one is marked for, where FFmpeg's parser cuts the stream
# into frames: it runs ahead.
MARKS_AHEAD = 2
# Where a keyframe follows a gap at the end of a frame, recordings were joined, unless the two are
# further apart than the usual step, and by so many seconds or less.
MAX_LOST_S = 1.0


def marked(video: VideoFile, packets: Packets) -> MarkedPackets:
    """Each of the packets of `video`, with whether data is lost in it or right after it."""
    if video.container.format.name == "mpegts":
        return _of_transport_stream(video, packets)
    return _as_ffmpeg_marks(packets)


def _of_transport_stream(video: VideoFile, packets: Packets) -> MarkedPackets:
    with raw_file(video.path) as file:
        transport = TransportStream(file, video.stream.id)
        step: int | None = None
        packet = next(packets, None)
        while packet is not None:
            following = next(packets, None)
            end = None if following is None else following.pos
            lost = packet.is_corrupt
            if packet.pos is not None and packet.pos != end:
                loss = transport.loss(packet.pos, end)
                joined = following is not None and _is_joined(packet, following, step)
                lost = loss == "inside" or (loss == "behind" and not joined)
            yield packet, lost
            step, packet = _step(packet, following), following


def _step(packet: VideoPacket, following: VideoPacket | None) -> int | None:
    """The time between two packets in the order of decoding, where it is known."""
    if following is None or packet.dts is None or following.dts is None:
        return None
    return following.dts - packet.dts


def _is_joined(packet: VideoPacket, following: VideoPacket, usual: int | None) -> bool:
    """Whether the gap between two packets is one between recordings, where nothing is lost.

    Args:
        usual: the step before these two.
    """
    step, base = _step(packet, following), packet.time_base
    if not following.is_keyframe:
        return False
    if step is None or usual is None or base is None:
        return True
    return not LONGER_STEP * usual < step <= MAX_LOST_S / base


def _as_ffmpeg_marks(packets: Packets) -> MarkedPackets:
    ahead: deque[VideoPacket] = deque()
    lost = False
    for packet in chain(packets, repeat(None, MARKS_AHEAD)):
        if packet is not None:
            ahead.append(packet)
        if ahead and (packet is None or len(ahead) > MARKS_AHEAD):
            oldest = ahead.popleft()
            here, later = _lost(oldest, *ahead) if oldest.is_corrupt else (False, False)
            yield oldest, here or lost
            lost = later


def _lost(packet: VideoPacket, *ahead: VideoPacket) -> tuple[bool, bool]:
    """Whether data is lost in a marked packet, and in the next one.

    Where a keyframe follows the gap, recordings were joined and nothing is lost. The gap may lie
    before or after the next packet: there, where the time of decoding leaps.
    """
    dts = [one.dts for one in (packet, *ahead)]
    steps = [b - a if a is not None and b is not None else 0 for a, b in pairwise(dts)]
    first, second = [*steps, 0, 0][:2]
    next_is_key = [one.is_keyframe for one in ahead]
    if any(next_is_key[:1]):
        joined = first < 0 or first > second > 0 or (next_is_key[1:] == [True] and second > first)
        return False, not joined
    return not any(next_is_key), False
