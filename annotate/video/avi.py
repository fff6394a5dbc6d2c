"""The index of an AVI file, which lists every frame with its place.

FFmpeg counts the frames that it finds, so all that follow a lost one would get times too early.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from av.video.stream import VideoStream

if TYPE_CHECKING:
    from annotate.video.file import VideoPacket

# The number of bytes by which a packet's data begins after the place that the index gives.
HEADER_BYTES = 8


class ListedFrames:
    """Gives packets the times that the index has for their places."""

    def __init__(self, stream: VideoStream) -> None:
        """Takes the index of an open file, which grows while a file without one is read."""
        self._entries = stream.index_entries
        self._behind = 0

    def correct(self, packet: "VideoPacket") -> None:
        """Adds to the packet's times what was lost before it, where the index lists it."""
        if packet.dts is None or packet.pos is None:
            return
        begin = packet.pos - HEADER_BYTES
        if not self._is_at(packet.dts + self._behind, begin):
            time = self._time_of(begin)
            if time is None:
                return
            self._behind = time - packet.dts
        packet.dts += self._behind
        if packet.pts is not None:
            packet.pts += self._behind

    def _is_at(self, time: int, begin: int) -> bool:
        at = self._entries.search_timestamp(time, any_frame=True)
        if at < 0:
            return False
        entry = self._entries[at]
        return bool(entry.timestamp == time and entry.pos == begin)

    def _time_of(self, begin: int) -> int | None:
        """The time of the frame at a place; None where the index does not list it."""
        low, high = 0, len(self._entries)
        while low < high:
            middle = (low + high) // 2
            if self._entries[middle].pos < begin:
                low = middle + 1
            else:
                high = middle
        if low == len(self._entries) or self._entries[low].pos != begin:
            return None
        return int(self._entries[low].timestamp)


def leads_to(stream: VideoStream, packets: Sequence[tuple[int | None, int | None]]) -> bool:
    """Whether the index leads to these packets; each is given by its dts and its place."""
    places = {entry.timestamp: entry.pos for entry in stream.index_entries}
    return all(
        pos is None or dts not in places or pos == places[dts] + HEADER_BYTES
        for dts, pos in packets
    )
