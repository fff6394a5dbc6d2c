"""Files of this host: opening those that are files, temporary folders beside a target, digests."""

import errno
import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

# Seconds after which a temporary folder was left by a killed process.
LEFTOVER_AGE_S = 3600.0
_BLOCK = 2**20


@contextmanager
def open_file(path: Path) -> Iterator[BinaryIO]:
    """A file, open for reading. A pipe is not waited for, and no device is read.

    Raises:
        OSError: it cannot be opened, or is no file.
    """
    with open(path, "rb", opener=_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "not a file")
        yield file


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


@contextmanager
def scratch_in(parent: Path, prefix: str) -> Iterator[Path]:
    """An empty folder in `parent` that is deleted afterwards; `parent` is made if it is missing.

    Folders with the same prefix that killed processes left are deleted too.

    Raises:
        OSError: `parent` cannot be written.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for folder in parent.glob(f"{prefix}*"):
        with suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > LEFTOVER_AGE_S:
                shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as scratch:
        yield Path(scratch)


def sha256_of(file: Path, progress: Callable[[int], None] | None = None) -> str:
    """Lower-case hex SHA-256 of a file's content.

    Args:
        progress: called with the number of bytes read so far.

    Raises:
        OSError: it cannot be read to its end, or is no file.
    """
    digest = hashlib.sha256()
    with open_file(file) as opened:
        while block := opened.read(_BLOCK):
            digest.update(block)
            if progress is not None:
                progress(opened.tell())
    return digest.hexdigest()
