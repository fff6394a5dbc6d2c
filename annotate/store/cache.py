"""A cache of large files that can be had again: limited in size, shared by the processes of this
host.

A copy `x` has a lock file `x.lock`: processes that use the copy hold a shared lock, the process
that makes or deletes it an exclusive one. The system releases the locks of processes that die.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from annotate.domain.errors import StoreError
from annotate.domain.progress import ByteProgress

# Seconds between two looks whether another process has finished a copy.
POLL_S = 0.2
_LOCK, _PART = ".lock", ".part"


class Cache:
    """A folder of copies; the least recently used ones are deleted to make room for new ones.

    Only copies that are in use or being made may exceed the limit.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder = folder
        self._limit = limit_bytes

    @contextmanager
    def copy(
        self, name: str, size: int | None, fetch: Callable[[Path], None], progress: ByteProgress
    ) -> Iterator[Path]:
        """The copy with that name, which is kept while the block runs.

        Where it is missing, `fetch(path)` makes it; of several processes that need it one fetches
        it and the others wait.

        Args:
            size: expected length in bytes; None where only `fetch` can tell.
            progress: called while another process fetches it.

        Raises:
            StoreError: the folder cannot be written, or the copy does not have that size.
        """
        with self._errors():
            self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / name
        while True:
            with self._locked(path, exclusive=False) as held:
                if held and _is_whole(path, size):
                    os.utime(path)
                    yield path
                    return
            with self._locked(path, exclusive=True) as held:
                if held and not _is_whole(path, size):
                    self._make(path, size, fetch)
            if not held:
                progress(_size(_part(path)) or 0, size or 0)
                time.sleep(POLL_S)

    def _make(self, path: Path, size: int | None, fetch: Callable[[Path], None]) -> None:
        with self._errors():
            self._make_room(size or 0, path)
            fetch(_part(path))
            found = _size(_part(path))
            if size is not None and found != size:
                raise StoreError(
                    f"{path.name} in the store has {found} bytes, not {size}",
                    "Its upload was interrupted: submit the video again.",
                )
            if size is None:
                self._make_room(0, path, keep=_part(path))
            _part(path).replace(path)

    def _make_room(self, need: int, wanted: Path, keep: Path | None = None) -> None:
        """Deletes the least recently used copies that are not in use, until `need` bytes fit.

        Args:
            wanted: that is made by this process; what is there of it may go.
            keep: a file that is deleted in no case.
        """
        copies = [path for path in self._folder.iterdir() if path.suffix != _LOCK]
        known = []
        for path in copies:
            with suppress(FileNotFoundError):
                status = path.stat()
                known.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in known) + need
        for _, size, path in sorted(known):
            if total <= self._limit:
                return
            if path == keep:
                continue
            owner = path.with_suffix("") if path.suffix == _PART else path
            if owner == wanted:
                path.unlink(missing_ok=True)
                total -= size
                continue
            with self._locked(owner, exclusive=True) as held:
                if held:
                    path.unlink(missing_ok=True)
                    total -= size

    @contextmanager
    def _locked(self, path: Path, *, exclusive: bool) -> Iterator[bool]:
        """Tries to lock a copy while the block runs; yields whether it was locked."""
        # It loads Redis's client too, which a short job would wait for.
        import portalocker
        from portalocker import LockFlags

        kind = LockFlags.EXCLUSIVE if exclusive else LockFlags.SHARED
        with self._lock_file(path) as file:
            try:
                portalocker.lock(file, kind | LockFlags.NON_BLOCKING)
            except portalocker.AlreadyLocked:
                yield False
                return
            except portalocker.LockException as error:
                raise StoreError(
                    f"files in the cache {self._folder} cannot be locked: {error}",
                    "Name a folder on a disk of this host with ANNOTATE_CACHE.",
                ) from error
            try:
                yield True
            finally:
                portalocker.unlock(file)

    def _lock_file(self, path: Path) -> BinaryIO:
        with self._errors():
            return path.with_name(path.name + _LOCK).open("ab")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"cannot write to the cache {self._folder}: {error.strerror or error}",
                "Make room there, name another folder with ANNOTATE_CACHE, or lower "
                "ANNOTATE_CACHE_GB.",
            ) from error


def _part(path: Path) -> Path:
    return path.with_name(path.name + _PART)


def _is_whole(path: Path, size: int | None) -> bool:
    """Whether a copy is there with the size that it must have."""
    found = _size(path)
    return found is not None and size in (None, found)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
