"""What a transport stream (ISO/IEC 13818-1) lacks: FFmpeg marks a frame near the gap, or none where
the head of a frame was overwritten; the packets of the file tell which frame it was.
"""

from dataclasses import dataclass
from typing import BinaryIO, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

# Bytes of a packet, and the one that it begins with.
PACKET, SYNC = 188, 0x47
# Bytes from packet to packet: plain, with a time code (M2TS), with error correction.
STRIDES = (188, 192, 204)
# Bytes of one frame that are looked at, at most.
MOST_BYTES = 2**25
# Bits of a packet's header: a damaged packet, the beginning of a frame, an adaptation field, data;
# and, in the adaptation field, that the counter begins anew.
_ERROR, _BEGINS, _FIELD, _DATA, _ANEW = 0x80, 0x40, 0x20, 0x10, 0x80
_MAY_BE_BAD = _ERROR | _BEGINS

# Where data of a frame is lost: nowhere, in it, or between its last packet and the next frame.
Loss: TypeAlias = Literal["none", "inside", "behind"]


@dataclass(frozen=True)
class TransportStream:
    """The packets of one elementary stream.

    Attributes:
        file: open for reading bytes.
        pid: of the stream.
    """

    file: BinaryIO
    pid: int

    def loss(self, begin: int, end: int | None) -> Loss:
        """Where data is lost of the frame whose packets are in `[begin, end)`.

        Args:
            begin: place of its first packet.
            end: of the first packet of the next frame; None for the last one.
        """
        self.file.seek(begin)
        # M2TS has its time code in front of a packet.
        size = MOST_BYTES if end is None else min(end - begin, MOST_BYTES) + max(STRIDES)
        packets = _packets(self.file.read(size))
        first, second, last = packets[:, 1], packets[:, 2], 0 if end is None else 1
        own = packets[(second == self.pid & 0xFF) & (first & 0x1F == self.pid >> 8)]
        # The last one is the next frame's.
        if any(_is_bad(packet) for packet in own[: len(own) - last] if packet[1] & _MAY_BE_BAD):
            return "inside"
        if ((own[1:, 3] - own[:-1, 3]) & 0xF == 1).all() or not (breaks := _breaks(own)).any():
            return "none"
        if not last or breaks[:-1].any():
            return "inside"
        return "none" if _begins_anew(packets) else "behind"


def passes_over(file: BinaryIO, begin: int, end: int) -> bool:
    """Whether bytes between two packets of a file belong to none."""
    file.seek(begin)
    data = file.read(min(end - begin, MOST_BYTES) + PACKET)
    packets = len(_packets(data))
    return not any(len(data) - PACKET == (packets - 1) * stride for stride in STRIDES)


def _packets(data: bytes) -> NDArray[np.uint8]:
    """(n, 188): the packets in `data`, which begins with one; other bytes are passed over."""
    count = len(data) // PACKET
    plain = np.frombuffer(data, np.uint8, count * PACKET).reshape(count, PACKET)
    return plain if (plain[:, 0] == SYNC).all() else _packets_apart(data)


def _packets_apart(data: bytes) -> NDArray[np.uint8]:
    """The same where other bytes are between them."""
    found: list[NDArray[np.uint8]] = []
    at = 0
    while at >= 0 and at + PACKET <= len(data):
        stride = next((one for one in STRIDES if data[at + one : at + one + 1] == b"\x47"), PACKET)
        count = (len(data) - at - PACKET) // stride + 1
        heads = np.frombuffer(data, np.uint8)[at : at + (count - 1) * stride + 1 : stride]
        wrong = np.flatnonzero(heads != SYNC)
        count = int(wrong[0]) if len(wrong) else count
        rows = np.lib.stride_tricks.as_strided(
            np.frombuffer(data, np.uint8, offset=at), (count, PACKET), (stride, 1), writeable=False
        )
        found.append(rows)
        at += count * stride
        if len(wrong):
            at = _next_sync(data, at)
    return np.concatenate(found) if found else np.empty((0, PACKET), np.uint8)


def _next_sync(data: bytes, at: int) -> int:
    """Where the next packet begins that another one follows; -1 where none does."""
    while (at := data.find(b"\x47", at)) >= 0:
        if any(data[at + one : at + one + 1] in (b"\x47", b"") for one in STRIDES):
            return at
        at += 1
    return -1


def _breaks(packets: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(n - 1,): whether packets are lost between two that follow each other."""
    has_data = (packets[1:, 3] & _DATA) != 0
    expected = (packets[:-1, 3] + has_data) & 0xF
    has_field = ((packets[1:, 3] & _FIELD) != 0) & (packets[1:, 4] > 0)
    anew = has_field & ((packets[1:, 5] & _ANEW) != 0)
    broken: NDArray[np.bool_] = ((packets[1:, 3] & 0xF) != expected) & ~anew
    return broken


def _begins_anew(packets: NDArray[np.uint8]) -> bool:
    """Whether another recording begins with the last packet: its counter is 0, and so is that of
    the program table (the stream 0) in front of it.
    """
    tables = packets[(packets[:, 2] == 0) & (packets[:, 1] & 0x1F == 0)]
    return len(tables) > 0 and not (packets[-1, 3] & 0xF or tables[-1, 3] & 0xF)


def _is_bad(packet: NDArray[np.uint8]) -> bool:
    """Whether the packet is marked as damaged, or is to begin a frame and does not."""
    if packet[1] & _ERROR:
        return True
    if not packet[1] & _BEGINS or not packet[3] & _DATA:
        return False
    at = 4 + (1 + int(packet[4]) if packet[3] & _FIELD else 0)
    return at + 3 <= PACKET and packet[at : at + 3].tobytes() != b"\0\0\1"
