"""Packets on their way into the decoder, and whether container or decoder find them damaged."""

from collections.abc import Iterator
from typing import NamedTuple

from av.video.frame import VideoFrame

from annotate.video.checksums import Checks
from annotate.video.file import VideoFile, VideoPacket
from annotate.video.holes import has_hole, is_zeros
from annotate.video.marks import MarkedPackets


class _Number(NamedTuple):
    """What a packet carries into its frames. PyAV tells objects apart by their identity, which
    numbers share.
    """

    value: int


def number_of(one: VideoPacket | VideoFrame) -> int:
    """The number of a packet in the order of decoding, or of the one that a frame came from."""
    return one.opaque.value if isinstance(one.opaque, _Number) else 0


class Fed(NamedTuple):
    """A packet that went into the decoder.

    Attributes:
        packet: None for the end.
        damaged: the decoder rejected it, or its data is lost in part.
        frames: that came out after it.
    """

    packet: VideoPacket | None
    damaged: bool
    frames: list[VideoFrame]


class Feed:
    """Decodes packets one by one.

    What precedes the first keyframe of a transport stream, or is displayed before it, lacks its
    references in sound recordings too, and does not count as damaged.
    """

    def __init__(
        self, video: VideoFile, needed: frozenset[int] | None = None, *, numbered: bool = False
    ) -> None:
        """Takes the packets of `video` from a keyframe, or from the beginning, on.

        Args:
            needed: pts of the frames that are needed: the decoder skips others that no frame is
                predicted from. None: all are.
            numbered: packets get numbers from 0 on, which `number_of` tells of their frames.
        """
        self._video = video
        self._needed = needed
        self._next = 0 if numbered else None
        # The first keyframe has come, and its time stamp.
        self._keyed = False
        self._key_pts: int | None = None
        self._codec = video.stream.codec.canonical_name
        self._setup = video.stream.codec_context.extradata or b""
        self._checks = Checks(video)

    def of(self, packets: MarkedPackets) -> Iterator[Fed]:
        """All packets, and the end."""
        for packet, corrupt in packets:
            yield self.take(packet, corrupt=corrupt)
        yield self.take(None)

    def take(self, packet: VideoPacket | None, *, corrupt: bool = False) -> Fed:
        """The next packet, or None for the end.

        Args:
            corrupt: the container marks it so.
        """
        if packet is not None and not self._keyed and packet.is_keyframe:
            self._keyed, self._key_pts = True, packet.pts
        if self._needed is not None:
            skipped = packet is not None and packet.pts not in self._needed
            self._video.stream.codec_context.skip_frame = "NONREF" if skipped else "DEFAULT"
        if packet is not None and self._next is not None:
            self._video.stream.codec_context.copy_opaque = True
            packet.opaque = _Number(self._next)
            self._next += 1
        before = self._video.rejected
        zeros = packet is not None and is_zeros(self._codec, memoryview(packet))
        self._video.rejected += zeros
        frames = [] if zeros else self._video.decoded(packet)
        rejected = self._must_show(packet) and self._video.rejected > before
        # What a mark of the container stands for may lie in the packets that follow.
        corrupt = (corrupt or (packet is not None and self.lacks_data(packet))) and self._keyed
        return Fed(packet, rejected or corrupt, frames)

    def lacks_data(self, packet: VideoPacket) -> bool:
        """Whether the packet, or a part of it, was overwritten, as far as the codec tells."""
        data = memoryview(packet)
        return (
            is_zeros(self._codec, data)
            or has_hole(self._codec, self._setup, data)
            or self._checks.fail(data)
        )

    def _must_show(self, packet: VideoPacket | None) -> bool:
        """Whether the packet is displayed from the first keyframe on: its references are there."""
        if packet is None or not self._keyed:
            return packet is None
        return packet.pts is None or self._key_pts is None or packet.pts >= self._key_pts
