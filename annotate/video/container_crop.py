"""Which part of the stored frame a container says is displayed: Matroska's PixelCrop (RFC 9559) and
the clean aperture of QuickTime and MP4 (ISO/IEC 14496-12, `clap`).

FFmpeg's libraries hand them on as side data of the stream, which PyAV does not show; so they are
read from the file here. Whatever is damaged in it crops nothing.
"""

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import BinaryIO

from annotate.domain.video import NO_CROP, Crop
from annotate.video.matroska import CLUSTER, SEGMENT, TRACKS, vint
from annotate.video.raw_file import raw_file

# What is looked at at most: elements before the tracks, and bytes of one that is read whole.
_MOST_ELEMENTS, _MOST_BYTES = 10_000, 2**24
# Ids of Matroska's elements.
_TRACK = 0xAE
_TRACK_TYPE, _VIDEO_TYPE, _VIDEO = 0x83, 1, 0xE0
_CROPS = {"left": 0x54CC, "top": 0x54BB, "right": 0x54DD, "bottom": 0x54AA}
# Bytes before the boxes in a sample description and in the entry of a video.
_DESCRIPTION_HEADER, _ENTRY_HEADER = 8, 78
# Where a track header has the track's id, by its version.
_ID_AT = {0: 12, 1: 20}

_Span = tuple[int, int]


def matroska_crop(path: Path, number: int) -> Crop:
    """The crop of the video track of that number, counted from 0 in the order of the file.

    Raises:
        HostError: the file cannot be read now.
    """
    with raw_file(path) as file, suppress(ValueError, IndexError):
        videos = [track for track in _tracks(file) if _number(track, _TRACK_TYPE) == _VIDEO_TYPE]
        video = _child(videos[number], _VIDEO)
        return Crop(**{side: _number(video, one) for side, one in _CROPS.items()})
    return NO_CROP


def _tracks(file: BinaryIO) -> list[bytes]:
    """The entries of all tracks."""
    end = file.seek(0, 2)
    at = 0
    for _ in range(_MOST_ELEMENTS):
        file.seek(at)
        head = file.read(12)
        kind, length = vint(head, 0, marked=True)
        size, more = vint(head, length)
        begin = at + length + more
        if kind == SEGMENT:
            at = begin
            continue
        if kind == TRACKS and size <= _MOST_BYTES:
            file.seek(begin)
            return [data for one, data in _elements(file.read(size)) if one == _TRACK]
        at = begin + size
        if kind == CLUSTER or at >= end:
            break
    return []


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Ids and contents of the elements in `data`."""
    at = 0
    while at < len(data):
        kind, length = vint(data, at, marked=True)
        size, more = vint(data, at + length)
        at += length + more
        yield kind, data[at : at + size]
        at += size


def _child(data: bytes, kind: int) -> bytes:
    return next((content for one, content in _elements(data) if one == kind), b"")


def _number(data: bytes, kind: int) -> int:
    return int.from_bytes(_child(data, kind), "big")


def clean_aperture(path: Path, track_id: int, size: tuple[int, int]) -> Crop:
    """The clean aperture of a track of an MP4 or QuickTime file.

    Args:
        size: width and height of the stored frame in pixels.

    Raises:
        HostError: the file cannot be read now.
    """
    with raw_file(path) as file, suppress(ValueError, IndexError, ZeroDivisionError):
        whole = 0, file.seek(0, 2)
        for track in _boxes(file, _box(file, whole, b"moov"), b"trak"):
            if _track_id(file, track) == track_id:
                return _aperture(_read(file, _clap(file, track)), size)
    return NO_CROP


def _clap(file: BinaryIO, track: _Span) -> _Span:
    place = track
    for kind in (b"mdia", b"minf", b"stbl", b"stsd"):
        place = _box(file, place, kind)
    entry, end = next(_boxes(file, (place[0] + _DESCRIPTION_HEADER, place[1])))
    return _box(file, (entry + _ENTRY_HEADER, end), b"clap")


def _aperture(data: bytes, size: tuple[int, int]) -> Crop:
    """The crop of the content of a `clap` box: four fractions, of which offsets have signs."""
    words = [int.from_bytes(data[at : at + 4], "big", signed=at > 12) for at in range(0, 32, 4)]
    width, height, right_by, down_by = (Fraction(*words[at : at + 2]) for at in range(0, 8, 2))
    left, top = (size[0] - width) / 2 + right_by, (size[1] - height) / 2 + down_by
    right, bottom = size[0] - left - width, size[1] - top - height
    if min(width, height) < 1 or min(left, top, right, bottom) < 0:
        return NO_CROP
    return Crop(floor(left), floor(top), ceil(right), ceil(bottom))


def _track_id(file: BinaryIO, track: _Span) -> int:
    header = _read(file, _box(file, track, b"tkhd"))
    at = _ID_AT.get(header[0], 0)
    return int.from_bytes(header[at : at + 4], "big")


def _box(file: BinaryIO, inside: _Span, kind: bytes) -> _Span:
    """Where the content of the first box of that kind begins and ends.

    Raises:
        ValueError: there is none.
    """
    for found in _boxes(file, inside, kind):
        return found
    raise ValueError(f"no {kind!r}")


def _boxes(file: BinaryIO, inside: _Span, wanted: bytes | None = None) -> Iterator[_Span]:
    """Where the contents of the boxes of a kind, or of all, begin and end."""
    at, end = inside
    for _ in range(_MOST_ELEMENTS):
        if at + 8 > end:
            return
        file.seek(at)
        head = file.read(16)
        size, kind, begin = int.from_bytes(head[:4], "big"), head[4:8], at + 8
        if size == 1:
            size, begin = int.from_bytes(head[8:16], "big"), at + 16
        stop = end if size == 0 else at + size
        if not begin <= stop <= end:
            return
        if wanted in (None, kind):
            yield begin, stop
        at = stop


def _read(file: BinaryIO, place: _Span) -> bytes:
    file.seek(place[0])
    return file.read(min(place[1] - place[0], _MOST_BYTES))
