"""Where a store's bytes live: keys like `jobs/x.json` in a folder.

The store needs six verbs only, so that a bucket can stand in for the folder. A write is atomic: a
reader sees the whole object or none, whenever the writer is killed.
"""

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from annotate.errors import StoreError

_TEMPORARY = ".tmp-"


class Files:
    """The objects of a store that is a folder, local or shared."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __str__(self) -> str:
        return str(self.root)

    def read(self, key: str) -> bytes | None:
        """The bytes at `key`, or None where nothing stands."""
        with self._errors("read", key):
            try:
                return self._path(key).read_bytes()
            except FileNotFoundError:
                return None

    @contextmanager
    def reader(self, key: str) -> Iterator[BinaryIO]:
        """The object at `key`, open for reading in any order."""
        with self._errors("read", key), self._path(key).open("rb") as file:
            yield file

    @contextmanager
    def writer(self, key: str, *, durable: bool = True) -> Iterator[BinaryIO]:
        """A file that becomes the object at `key` when the block ends well, and never if not."""
        final = self._path(key)
        temporary = final.with_name(f"{final.name}{_TEMPORARY}{uuid.uuid4().hex}")
        with self._errors("write", key):
            final.parent.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("wb") as file:
                    yield file
                    if durable:
                        # Without it, a power cut can leave a renamed file with nothing in it.
                        file.flush()
                        os.fsync(file.fileno())
                temporary.replace(final)
            finally:
                temporary.unlink(missing_ok=True)

    def write(self, key: str, data: bytes, *, durable: bool = True) -> None:
        """Makes `data` the object at `key`."""
        with self.writer(key, durable=durable) as file:
            file.write(data)

    def exists(self, key: str) -> bool:
        """Whether an object stands at `key`."""
        with self._errors("read", key):
            return self._path(key).exists()

    def names(self, key: str) -> list[str]:
        """Names of the objects directly below `key`, sorted; empty where nothing stands."""
        with self._errors("list", key):
            try:
                names = [path.name for path in self._path(key).iterdir()]
            except FileNotFoundError:
                return []
        return sorted(name for name in names if _TEMPORARY not in name)

    def delete(self, key: str) -> None:
        """Removes the object at `key`, if it stands."""
        with self._errors("delete", key):
            self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.root / key

    @contextmanager
    def _errors(self, verb: str, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"cannot {verb} {key} in the store {self.root}: {error.strerror or error}",
                _HINTS.get(error.errno or 0, "Check the store's folder, or name another: --store."),
            ) from error


_HINTS = {
    errno.ENOSPC: "The disk is full. Make room and run the same command again: it goes on.",
    errno.EACCES: "You may not write there. Name another store with --store or ANNOTATE_STORE.",
    errno.EROFS: "The disk is read-only. Name another store with --store or ANNOTATE_STORE.",
}
