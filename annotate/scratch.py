"""Scratch folders beside a target, so that one rename publishes what was made in them."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# What is being made is done long before that.
LEFTOVER_AGE_S = 3600.0


@contextmanager
def scratch_in(parent: Path, prefix: str) -> Iterator[Path]:
    """An empty folder in `parent` that is gone afterwards; `parent` is made if it is missing.

    Folders of the same prefix that a killed process left behind are removed too.

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
