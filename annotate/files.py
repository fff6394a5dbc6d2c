"""Files of this host: temporary folders beside a target, and digests."""

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Seconds after which a temporary folder was left by a killed process.
LEFTOVER_AGE_S = 3600.0
_BLOCK = 2**20


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
        OSError: the file cannot be read to its end.
    """
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            digest.update(block)
            if progress is not None:
                progress(opened.tell())
    return digest.hexdigest()
