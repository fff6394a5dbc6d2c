"""Reads the bytes of a file that FFmpeg tells too little of."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from annotate.domain.errors import unreadable

# Bytes that are looked through at a time.
_BLOCK_BYTES = 2**20


@contextmanager
def raw_file(path: Path) -> Iterator[BinaryIO]:
    """A file of a video, open for reading.

    Raises:
        HostError: it cannot be opened or read now, also within the block.
    """
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise unreadable(path, error) from error


def holds(file: BinaryIO, at: int, *names: bytes) -> bool:
    """Whether one of the names stands anywhere from a place on. Memory is bounded."""
    file.seek(at)
    kept = max(map(len, names)) - 1
    end = b""
    while block := file.read(_BLOCK_BYTES):
        if any(name in end + block for name in names):
            return True
        end = (end + block)[-kept:]
    return False
