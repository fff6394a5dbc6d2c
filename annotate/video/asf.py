"""How ASF files are built (Microsoft, Advanced Systems Format Specification, 2004): which frames
their data packets hold.

FFmpeg passes over data packets that it cannot read, without a word. Frames are numbered there, so
that lost ones can be counted.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from annotate.domain.arrays import IntArray
from annotate.video.raw_file import raw_file

_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
# Bytes of an object's identity, of what stands before the first data packet, of a header at most,
# and of what stands before a payload where its frame's time does.
_NAME_BYTES, _DATA_HEAD_BYTES, _MOST_HEADER_BYTES, _EXTRA_BYTES = 16, 50, 2**24, 8
# Places of fields in the file's properties: the preroll, and the size of data packets, twice. All
# have one size, in bytes; FFmpeg writes none that are smaller.
_PREROLL_AT, _SIZE_AT, _SIZE_AGAIN_AT = 80, 92, 96
_USUAL_SIZES = range(100, 2**20)
# Frames are numbered with 8 bits; and the smallest fraction of them that follow the number before,
# where a writer counts at all.
_NUMBERS, _COUNTING = 256, 0.5
# The numbers of bytes of a field, by its code of two bits.
_SIZES = (0, 1, 2, 4)


@dataclass(frozen=True, eq=False)
class AsfFrames:
    """The M frames of a stream that begin in readable data packets, in the order of the file.

    Attributes:
        time_ms: (M,) int64: of decoding, as FFmpeg gives it.
        number: (M,) int64: from 0 to 255, and again.
        place: (M,) int64: of the data packet in the file.
        unreadable: (U,) int64: places of data packets that cannot be read to their end.
    """

    time_ms: IntArray
    number: IntArray
    place: IntArray
    unreadable: IntArray

    def lost_ms(self, found_ms: IntArray) -> IntArray:
        """The times of decoding of the frames that were not found: their own, or spread evenly
        where no data packet tells them.

        Args:
            found_ms: (F,) int64: times of decoding of those that were.
        """
        lost = [np.setdiff1d(self.time_ms, found_ms)]
        counts = np.diff(self.number) % _NUMBERS == 1
        if np.count_nonzero(counts) < _COUNTING * len(counts):
            return lost[0]
        for at in np.flatnonzero(~counts).tolist():
            begin, end = self.time_ms[at : at + 2].tolist()
            between = np.count_nonzero((found_ms > begin) & (found_ms < end))
            count = int(self.number[at + 1] - self.number[at] - 1) % _NUMBERS - between
            if count > 0 and end > begin:
                lost.append(begin + np.arange(1, count + 1) * (end - begin) // (count + 1))
        return np.unique(np.concatenate(lost))

    def goes_on(self, time_ms: int) -> bool:
        """Whether data that cannot be read follows the frame at the time, the last known one."""
        begin = self.place[self.time_ms <= time_ms]
        return len(begin) > 0 and bool((self.unreadable >= begin.max()).any())


def asf_frames(path: Path, stream: int) -> AsfFrames:
    """The frames of the stream of that number; none where the file is built in another way.

    Raises:
        HostError: the file cannot be read now.
    """
    frames: list[tuple[int, int, int]] = []
    bad: list[int] = []
    with raw_file(path) as file:
        layout = _layout(file)
        for place in layout.places:
            file.seek(place)
            data = file.read(layout.size)
            begun, whole = _payloads(data)
            mine = (frame for frame in begun if frame.stream == stream)
            frames += [(one.time_ms - layout.preroll_ms, one.number, place) for one in mine]
            bad += [] if whole else [place]
            if len(data) < layout.size:
                break
    table = np.array(frames, np.int64).reshape(-1, 3)
    return AsfFrames(table[:, 0], table[:, 1], table[:, 2], np.array(bad, np.int64))


@dataclass(frozen=True)
class _Layout:
    """Where data packets begin, if the file goes on so long; their length in bytes; and what is
    added to all times.
    """

    places: range = range(0)
    size: int = 0
    preroll_ms: int = 0


def _layout(file: BinaryIO) -> _Layout:
    head = file.read(_NAME_BYTES + 8)
    begin = int.from_bytes(head[_NAME_BYTES:], "little")
    if not head.startswith(_HEADER) or begin > _MOST_HEADER_BYTES:
        return _Layout()
    header = file.read(begin - len(head))
    data = file.read(_DATA_HEAD_BYTES)
    properties = header[header.find(_FILE_PROPERTIES) :]
    size, same = (
        int.from_bytes(properties[at : at + 4], "little") for at in (_SIZE_AT, _SIZE_AGAIN_AT)
    )
    if not properties.startswith(_FILE_PROPERTIES) or not data.startswith(_DATA):
        return _Layout()
    if size != same or size not in _USUAL_SIZES:
        return _Layout()
    end = begin + int.from_bytes(data[_NAME_BYTES : _NAME_BYTES + 8], "little")
    preroll_ms = int.from_bytes(properties[_PREROLL_AT : _PREROLL_AT + 8], "little")
    return _Layout(range(begin + len(data), end, size), size, preroll_ms)


class _Frame(NamedTuple):
    """A frame that begins in a data packet."""

    stream: int
    number: int
    time_ms: int


def _payloads(data: bytes) -> tuple[list[_Frame], bool]:
    """The frames that begin in a data packet, and whether all of it could be read."""
    found: list[_Frame] = []
    with suppress(_UnreadableError):
        fields = _Fields(data)
        flags = fields.take(1)
        if flags & 0x80:  # error correction, of which no writer makes use
            if fields.take(flags & 0x0F):
                raise _UnreadableError
            flags = fields.take(1)
        kinds = fields.take(1)
        fields.take(_size(flags, 5))  # the length of the data packet
        fields.take(_size(flags, 1))  # its number
        fields.end -= fields.take(_size(flags, 3))  # padding
        fields.skip(6)  # times
        several = fields.take(1) if flags & 1 else 1
        for _ in range(several & 0x3F):
            length = _size(several, 6) if flags & 1 else None
            found += _frames(fields, kinds, length)
        return found, True
    return found, False


def _frames(fields: "_Fields", kinds: int, length: int | None) -> list[_Frame]:
    """The frames that begin in the next payload.

    Args:
        fields: of the data packet.
        kinds: the sizes of the payload's fields.
        length: number of bytes in which its length is; None: it fills the data packet.
    """
    stream = fields.take(_size(kinds, 6)) & 0x7F
    number = fields.take(_size(kinds, 4))
    offset = fields.take(_size(kinds, 2))
    extra = fields.take(_size(kinds, 0))
    if extra >= _EXTRA_BYTES:
        fields.skip(4)  # the size of the frame
        time_ms = fields.take(4)
        fields.skip(extra - _EXTRA_BYTES)
    else:
        time_ms = offset
        fields.skip(extra)
    size = fields.end - fields.at if length is None else fields.take(length)
    if not stream or not size:
        raise _UnreadableError
    fields.skip(size)
    # Where `extra` is 1, the payload has several short frames, of sound.
    return [] if offset and extra != 1 else [_Frame(stream, number, time_ms)]


class _UnreadableError(Exception):
    """A data packet is not what it should be."""


class _Fields:
    """Takes the fields of a data packet, one after the other."""

    def __init__(self, data: bytes) -> None:
        self.at, self.end = 0, len(data)
        self._data = data

    def take(self, size: int) -> int:
        """The next number, of so many bytes."""
        self.skip(size)
        return int.from_bytes(self._data[self.at - size : self.at], "little")

    def skip(self, size: int) -> None:
        """Passes over so many bytes."""
        self.at += size
        if self.at > self.end:
            raise _UnreadableError


def _size(flags: int, bit: int) -> int:
    """The number of bytes of a field, whose code begins at the bit."""
    return _SIZES[flags >> bit & 3]
