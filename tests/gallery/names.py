"""Names of files that break programs."""

import os
from pathlib import Path


def renamed(path: Path, name: str | bytes) -> Path:
    """The file under another name in its folder."""
    target = path.parent / os.fsdecode(name)
    path.rename(target)
    return target


def linked(path: Path) -> Path:
    """A symbolic link to the file."""
    link = path.with_name(f"link{path.suffix}")
    link.symlink_to(path)
    return link
