"""Ways to damage the bytes of a file."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

Mutation: TypeAlias = Callable[[bytes, np.random.Generator], bytes]

# The greatest number of bytes that are flipped, and of the bytes of a range.
MAX_FLIPPED, MAX_RANGE = 20, 2000
# A place lies so often within so many bytes of one end of the file, where containers have their
# headers and indexes.
AT_AN_END, END_BYTES = 0.3, 1500
# Packets of MPEG-TS; some ranges are whole packets.
TS_PACKET = 188


def _place(data: bytes, rng: np.random.Generator) -> int:
    if rng.random() < AT_AN_END:
        place = int(rng.integers(min(END_BYTES, len(data))))
        return place if rng.random() < 0.5 else len(data) - 1 - place
    return int(rng.integers(len(data)))


def _range(data: bytes, rng: np.random.Generator) -> tuple[int, int]:
    start, length = _place(data, rng), int(rng.integers(1, MAX_RANGE))
    if rng.random() < 0.5:
        start -= start % TS_PACKET
        length += -length % TS_PACKET
    return start, min(start + length, len(data))


def _flipped(data: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, MAX_FLIPPED + 1))):
        changed[_place(data, rng)] ^= int(rng.integers(1, 256))
    return bytes(changed)


def _cut_off(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: max(100, _place(data, rng))]


def _deleted(data: bytes, rng: np.random.Generator) -> bytes:
    start, stop = _range(data, rng)
    return data[:start] + data[stop:]


def _inserted(data: bytes, rng: np.random.Generator) -> bytes:
    start, stop = _range(data, rng)
    return data[:start] + rng.bytes(stop - start) + data[start:]


def _zeroed(data: bytes, rng: np.random.Generator) -> bytes:
    start, stop = _range(data, rng)
    return data[:start] + bytes(stop - start) + data[stop:]


def _repeated(data: bytes, rng: np.random.Generator) -> bytes:
    start, stop = _range(data, rng)
    return data[:stop] + data[start:stop] + data[stop:]


def _swapped(data: bytes, rng: np.random.Generator) -> bytes:
    (a, b), (c, d) = sorted((_range(data, rng), _range(data, rng)))
    c, d = max(b, c), max(b, d)
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


KINDS: Mapping[str, Mutation] = {
    "flipped bytes": _flipped,
    "cut off": _cut_off,
    "deleted": _deleted,
    "inserted": _inserted,
    "zeroed": _zeroed,
    "repeated": _repeated,
    "swapped": _swapped,
}


def mutated(data: bytes, kind: str, seed: int) -> bytes:
    """`data` with damage of that kind, the same for the same seed."""
    return KINDS[kind](data, np.random.default_rng(seed))
