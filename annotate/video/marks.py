"""Which packets the container knows to lack data."""

from collections import deque
from collections.abc import Iterator
from itertools import chain, pairwise, repeat
from typing import TypeAlias

from annotate.video.file import Packets, VideoPacket

# Packets with whether data is lost in them or right after them.
MarkedPackets: TypeAlias = Iterator[tuple[VideoPacket, bool]]
# The number of packets up to the gap of MPEG-TS counters that one is marked for: the parser that
# cuts the stream into frames runs ahead.
MARKS_AHEAD = 2


def marked(packets: Packets) -> MarkedPackets:
    """Each packet with whether data is lost in it or right after it."""
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
