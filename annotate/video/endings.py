"""How files end: whether frames follow the last packet that could be read.

FFmpeg ends without a word where it can read no further, be the file cut off or damaged there.
"""

import re
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from annotate.video.file import VideoFile
from annotate.video.matroska import is_cut_off, leads_nowhere
from annotate.video.raw_file import holds, raw_file

# Where a PNG has, behind this name, how many pictures it has: in so many first bytes.
_FRAME_COUNT, _HEAD_BYTES = re.compile(rb"acTL(.{4})", re.DOTALL), 4096
# Kinds of FLV's tags (sound, picture, data); bytes of a tag's header, and of the tag's size that
# follows it.
_TAGS, _TAG_HEADER, _TAG_SIZE = (8, 9, 18), 11, 4
# Boxes of MP4: a fragment, the end of the index that follows the last one, and none at all.
_FRAGMENT, _INDEX_END, _NO_BOX = b"moof", b"mfro", b"\0\0\0\0"
# Boxes, tags or blocks of a file that are looked at: more than a day of honest ones.
_MOST_BOXES = 10**7
# Of GIF: what begins an extension, a picture, and the end; the bytes of the file's header, and of a
# picture's, of which the last one tells of its colours.
_EXTENSION, _PICTURE, _END = 0x21, 0x2C, 0x3B
_GIF_HEADER, _PICTURE_HEADER, _OWN_COLOURS = 13, 10, 0x80


class ReadPart(NamedTuple):
    """What could be read of a file.

    Attributes:
        packets: how many of the stream.
        place: of the last one in the file, in bytes.
        size: of the last one, in bytes.
        last_dts: the latest time of decoding, `NO_PTS` where none is known.
    """

    packets: int
    place: int
    size: int
    last_dts: int


def unread_frames(video: VideoFile, read: ReadPart) -> int:
    """How many frames follow the last packet that could be read, about, as far as the container
    tells; 0 where the file is whole, or the container tells nothing.

    Raises:
        HostError: the file cannot be read now.
    """
    kind = video.container.format.name
    if "mp4" in kind:
        unread = len(video.stream.index_entries) - read.packets - video.empty
        if unread > 0:
            return unread
    if kind == "apng":
        return max(0, _declared_pictures(video.path) - read.packets)
    whole = _whole_part(video.path, kind, video.size_bytes, read)
    if whole is None:
        return 0
    # The packets that follow are as long as those before them.
    return max(1, round((video.size_bytes - whole) / max(1, whole) * read.packets))


def _whole_part(path: Path, kind: str, size_bytes: int, read: ReadPart) -> int | None:
    """The number of bytes up to which the file is whole, if frames follow; None if not, or if the
    format does not tell.
    """
    end = read.place + read.size
    if "mp4" in kind:
        return _behind_fragments(path, size_bytes)
    if "matroska" in kind:
        return end if is_cut_off(path, size_bytes) or leads_nowhere(path, end) else None
    if kind == "flv":
        return None if _are_tags(path, read.place, size_bytes) else end
    return _behind_pictures(path) if kind == "gif" else None


def _behind_fragments(path: Path, size_bytes: int) -> int | None:
    """The place in a fragmented MP4 file up to which its boxes are whole, where a fragment begins
    at it or behind it, or their index does: FFmpeg reads no further. None where there is no such
    place.
    """
    with raw_file(path) as file:
        damage = _first_broken_box(file, size_bytes)
        if damage is not None and holds(file, damage, _FRAGMENT, _INDEX_END):
            return damage
    return None


def _first_broken_box(file: BinaryIO, size_bytes: int) -> int | None:
    """Where the first box is that is none, or goes beyond the file's end; None where all are whole,
    or no fragment comes before it.
    """
    at, fragmented = 0, False
    for _ in range(_MOST_BOXES):
        if at >= size_bytes:
            break
        file.seek(at)
        head = file.read(16)
        kind, size = head[4:8], int.from_bytes(head[:4], "big")
        fragmented = fragmented or kind == _FRAGMENT
        size = int.from_bytes(head[8:], "big") if size == 1 else size
        if size == 0 and kind != _NO_BOX:  # it goes to the end
            return None
        if size < 8 or at + size > size_bytes:
            return at if fragmented else None
        at += size
    return None


def _declared_pictures(path: Path) -> int:
    with raw_file(path) as file:
        found = _FRAME_COUNT.search(file.read(_HEAD_BYTES))
    return int.from_bytes(found[1], "big") if found else 0


def _are_tags(path: Path, place: int, size_bytes: int) -> bool:
    """Whether an FLV file holds tags from a place on, up to its end."""
    with raw_file(path) as file:
        for _ in range(_MOST_BOXES):
            if place >= size_bytes:
                break
            file.seek(place)
            head = file.read(_TAG_HEADER)
            if len(head) < _TAG_HEADER or head[0] not in _TAGS:
                return False
            place += _TAG_HEADER + int.from_bytes(head[1:4], "big") + _TAG_SIZE
    return place <= size_bytes + _TAG_SIZE


def _behind_pictures(path: Path) -> int | None:
    """The place up to which the blocks of a GIF are whole; None where they are so to the end."""
    with raw_file(path) as file:
        last = _GIF_HEADER
        with suppress(IndexError):
            file.seek(_GIF_HEADER + _colours(file.read(_GIF_HEADER)[10]))
            for _ in range(_MOST_BOXES):
                kind = file.read(1)[0]
                if kind == _END:
                    return None
                last = file.tell() - 1
                if kind not in (_PICTURE, _EXTENSION):
                    break
                _pass_block(file, kind)
            else:
                return None
    return last


def _pass_block(file: BinaryIO, kind: int) -> None:
    """Goes on behind an extension or a picture whose first byte was read.

    Raises:
        IndexError: the file ends before.
    """
    if kind == _PICTURE:
        flags = file.read(_PICTURE_HEADER - 1)[_PICTURE_HEADER - 2]
        file.seek(_colours(flags), 1)
    file.read(1)[0]
    while size := file.read(1)[0]:
        file.seek(size, 1)


def _colours(flags: int) -> int:
    """The number of bytes of the table of colours that the flags tell of."""
    return 3 << (flags & 7) + 1 if flags & _OWN_COLOURS else 0
