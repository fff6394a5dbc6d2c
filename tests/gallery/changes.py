"""What happens to a file while it is annotated."""

import os
from pathlib import Path

from tests.made_videos import FPS, Layout

# Bytes that a recorder adds.
MORE = 4096


def grow(path: Path) -> None:
    """A recorder writes on."""
    with path.open("ab") as file:
        file.write(bytes(MORE))


def shrink(path: Path) -> None:
    """Something cuts it off."""
    os.truncate(path, path.stat().st_size // 2)


def replace(path: Path) -> None:
    """Another video gets its name."""
    other = Layout(path.suffix, frames=FPS).make(path.with_name(f"other{path.suffix}"))
    other.path.replace(path)


def vanish(path: Path) -> None:
    """Somebody removes it."""
    path.unlink()
