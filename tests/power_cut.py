"""A power cut at any sync of a store's files: what a disk may then hold, and what it may have lost.

A durable write has two moments: the sync of its temporary file, and the rename that follows. What
was never synced may be lost whole; a disk that promises more than it does loses what was synced.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import pytest

from tests.faults import KilledError

# What the cut leaves: a temporary file whose tail never reached the disk; a whole one without its
# name; the renamed file whole, without its content, with its first half, with zeros for its second
# half; the renamed file without the one renamed before it.
Cut = Literal[
    "before the sync",
    "before the rename",
    "after the rename",
    "renamed, empty",
    "renamed, half",
    "renamed, zeros",
    "one rename before it lost",
]
CUTS: tuple[Cut, ...] = get_args(Cut)


@dataclass
class PowerCut:
    """Counts the syncs of files below a folder, and strikes at one of them.

    Attributes:
        folder: of the store.
        cut: what is left.
        at: at which sync, from 0.
        files: the names that the synced files were given so far, in order.
    """

    folder: Path
    cut: Cut
    at: int
    files: list[Path] = field(default_factory=list)
    _synced: set[int] = field(default_factory=set)
    _older: set[int] = field(default_factory=set)
    struck: bool = False

    def begin(self) -> None:
        """Notes what is there before the command."""
        self._older = {path.stat().st_ino for path in self.folder.rglob("*")}

    def synced(self, path: Path) -> None:
        """A file is synced."""
        if self._is_it() and self.cut == "before the sync":
            os.truncate(path, path.stat().st_size // 2)
            self._strike()
        self._synced.add(path.stat().st_ino)
        if self._is_it() and self.cut == "before the rename":
            self._strike()

    def named(self, path: Path) -> None:
        """A file has its name."""
        if path.stat().st_ino not in self._synced:
            return
        self.files.append(path)
        if len(self.files) != self.at + 1:
            return
        size = path.stat().st_size
        if self.cut == "renamed, empty":
            os.truncate(path, 0)
        elif self.cut == "renamed, half":
            os.truncate(path, size // 2)
        elif self.cut == "renamed, zeros":
            os.truncate(path, size // 2)
            os.truncate(path, size)
        elif self.cut == "one rename before it lost" and self.at:
            self.files[self.at - 1].unlink(missing_ok=True)
        self._strike()

    def syncing(self, sync: Any) -> Any:
        """`os.fsync`, watched."""

        def call(descriptor: int) -> None:
            sync(descriptor)
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            if self._is_mine(path):
                self.synced(path)

        return call

    def naming(self, give: Any) -> Any:
        """`os.replace` or `os.link`, watched."""

        def call(source: Any, target: Any, **options: Any) -> None:
            if not self.struck:
                give(source, target, **options)
            if self._is_mine(target):
                self.named(Path(target))

        return call

    def removing(self, unlink: Any) -> Any:
        """`os.unlink`, which does nothing without power."""

        def call(path: Any, **options: Any) -> None:
            if not self.struck:
                unlink(path, **options)

        return call

    def _is_mine(self, path: Any) -> bool:
        return not self.struck and Path(path).is_relative_to(self.folder)

    def _is_it(self) -> bool:
        return len(self.files) == self.at

    def _strike(self) -> None:
        self.struck = True
        for path in self.folder.rglob("*"):
            known = self._synced | self._older
            if path.is_file() and path.stat().st_ino not in known and ".tmp-" not in path.name:
                os.truncate(path, 0)
        raise KilledError


@contextmanager
def power_cut(plan: PowerCut) -> Iterator[None]:
    """The power goes as planned; nothing of the program changes the disk afterwards."""
    plan.begin()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", plan.syncing(os.fsync))
        patch.setattr(os, "replace", plan.naming(os.replace))
        patch.setattr(os, "link", plan.naming(os.link))
        patch.setattr(os, "unlink", plan.removing(os.unlink))
        yield
