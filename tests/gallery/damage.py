"""Damage to video files."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

# Bytes of a packet of MPEG-TS, and of a sector.
TS_PACKET, SECTOR = 188, 2048
SEED = 17
# Bytes of FLV before the first tag, and of a tag beside its data; milliseconds of two frames.
FLV_HEADER, FLV_TAG, FLV_STEP_MS = 13, 15, 80


def cut_off(path: Path, *, share: float) -> None:
    """Keeps the first part of the file."""
    _change(path, lambda data: data[: int(len(data) * share)])


def without_moov(path: Path) -> None:
    """Renames the box that describes everything. FFmpeg finds it in a box named `free`."""
    _change(path, lambda data: data.replace(b"moov", b"junk"))


def zeros_at_the_end(path: Path) -> None:
    """As a file system leaves it after a power cut."""
    _change(path, lambda data: data + bytes(4096))


def zero_packet(path: Path, *, number: int) -> None:
    """Overwrites the bytes of one packet, counted in the file's order, with zeros."""
    with av.open(str(path)) as container:
        packets = [one for one in container.demux(video=0) if one.size]
        packet = packets[number]
        data = bytes(packet)
    old = path.read_bytes()
    at = old.index(data)
    path.write_bytes(old[:at] + bytes(len(data)) + old[at + len(data) :])


def lost_sector(path: Path) -> None:
    """Overwrites a sector in the middle with zeros, as a bad disk or a copy that failed does."""

    def change(data: bytes) -> bytes:
        at = len(data) // 2 // SECTOR * SECTOR
        return data[:at] + bytes(SECTOR) + data[at + SECTOR :]

    _change(path, change)


def without_ts_packet(path: Path) -> None:
    """Drops one transport packet of the picture, as a bad reception does."""
    data = path.read_bytes()
    packets = [data[at : at + TS_PACKET] for at in range(0, len(data), TS_PACKET)]
    picture = [
        place
        for place, one in enumerate(packets)
        if (one[1] & 0x1F) << 8 | one[2] == 0x100 and not one[1] & 0x40
    ]
    del packets[picture[len(picture) // 2]]
    path.write_bytes(b"".join(packets))


def garbage_amid(path: Path) -> None:
    """Puts 999 random bytes into the middle."""
    garbage = np.random.default_rng(SEED).bytes(999)
    _change(path, lambda data: data[: len(data) // 2] + garbage + data[len(data) // 2 :])


def repeat_times(path: Path) -> None:
    """Gives every two frames of an FLV file one time stamp."""
    data = bytearray(path.read_bytes())
    at = FLV_HEADER
    while at < len(data):
        size = int.from_bytes(data[at + 1 : at + 4], "big")
        ms = int.from_bytes(data[at + 4 : at + 7], "big")
        data[at + 4 : at + 7] = (ms // FLV_STEP_MS * FLV_STEP_MS).to_bytes(3, "big")
        at += FLV_TAG + size
    path.write_bytes(data)


def flip_bytes(path: Path) -> None:
    """Replaces 20 bytes behind the first tenth."""
    rng = np.random.default_rng(SEED)

    def flipped(data: bytes) -> bytes:
        changed = bytearray(data)
        for place in rng.integers(len(data) // 10, len(data), 20):
            changed[place] ^= 0xFF
        return bytes(changed)

    _change(path, flipped)


def _change(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))
