"""How Matroska files are built (RFC 8794, RFC 9559): whether one is whole, and goes on to its end.

FFmpeg passes over all that it cannot read, up to the next cluster, without a word.
"""

from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from annotate.video.raw_file import raw_file

SEGMENT, CLUSTER, TRACKS = 0x18538067, 0x1F43B675, 0x1654AE6B
_BLOCK = 0xA3
# What may follow a packet: in its group of blocks or its cluster; and behind the clusters.
_IN_CLUSTER = frozenset([_BLOCK, 0xA0, 0xE7, 0xA7, 0xAB, 0xEC, 0xBF, 0x9B, 0xFB, 0x75A1, CLUSTER])
_BEHIND = frozenset([0x1C53BB6B, 0x1254C367, 0x1043A770, 0x1941A469, 0x114D9B74])
# Bytes in front of the data of a packet, from the place on that FFmpeg gives it.
_BLOCK_HEADER = 4
# The number of bytes in which the segment begins; those that tell of an element; and how many
# elements are looked at.
_HEAD_BYTES, _ELEMENT_BYTES, _MOST_ELEMENTS = 1024, 12, 10_000


def vint(data: bytes, at: int, *, marked: bool = False) -> tuple[int, int]:
    """A number of Matroska, with the mark of its length or without, and the length in bytes.

    Raises:
        IndexError, ValueError: there is none.
    """
    length = 9 - data[at].bit_length()
    if length > 8 or at + length > len(data):
        raise ValueError("not an element")
    value = int.from_bytes(data[at : at + length], "big")
    return (value if marked else value & ~(1 << 7 * length)), length


def is_cut_off(path: Path, size_bytes: int) -> bool:
    """Whether the segment is said to be longer than the file.

    Raises:
        HostError: the file cannot be read now.
    """
    with raw_file(path) as file:
        head = file.read(_HEAD_BYTES)
    name = SEGMENT.to_bytes(4, "big")
    at = head.find(name) + len(name)
    with suppress(IndexError, ValueError):
        size, length = vint(head, at)
        unknown = size == (1 << 7 * length) - 1
        return at >= len(name) and not unknown and at + length + size > size_bytes
    return False


def leads_nowhere(path: Path, place: int) -> bool:
    """Whether what follows a packet is not an element, before the clusters end.

    Args:
        place: of the packet, and the length of its data, together.

    Raises:
        HostError: the file cannot be read now.
    """
    with raw_file(path) as file:
        return _leads_nowhere(file, place + _BLOCK_HEADER)


def _leads_nowhere(file: BinaryIO, at: int) -> bool:
    end = file.seek(0, 2)
    for _ in range(_MOST_ELEMENTS):
        if not 0 <= at < end:
            return at > end
        file.seek(at)
        head = file.read(_ELEMENT_BYTES)
        try:
            kind, length = vint(head, 0, marked=True)
            size, more = vint(head, length)
            if kind == _BLOCK:
                vint(head, length + more)  # the number of its track
        except (IndexError, ValueError):
            return True
        if kind not in _IN_CLUSTER:
            return kind not in _BEHIND
        at += length + more + (0 if kind == CLUSTER else size)
    return False
