"""Where a store's bytes live: keys like `jobs/x.json`, in a folder or in a bucket.

A store needs a few verbs only. A write is atomic: a reader sees the whole object or none, whenever
the writer is killed.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import BinaryIO

from annotate.domain.errors import StoreError

# bytes done, bytes in all
Progress = Callable[[int, int], None]
BLOCK = 8 * 2**20
S3_SCHEME = "s3://"


@dataclass(frozen=True)
class Entry:
    """What stands somewhere below a key.

    Attributes:
        key: of the object, or of what a killed writer left of one.
        size: in bytes.
        modified_s: Unix time of the last change, by the store's clock.
        left: a writer that was killed left it; no reader sees it.
    """

    key: str
    size: int
    modified_s: float
    left: bool = False


class Files(ABC):
    """The objects of a store.

    Every method raises StoreError where the store cannot be read or written.
    """

    @abstractmethod
    def __str__(self) -> str:
        """Where it is, as the user names it; holds no password."""

    @abstractmethod
    def read(self, key: str) -> bytes | None:
        """The bytes at `key`, or None where nothing stands."""

    @abstractmethod
    def reader(self, key: str) -> AbstractContextManager[BinaryIO]:
        """The object at `key`, open for reading in any order."""

    @abstractmethod
    def writer(self, key: str, *, durable: bool = True) -> AbstractContextManager[BinaryIO]:
        """A file that becomes the object at `key` when the block ends well, and never if not."""

    @abstractmethod
    def size(self, key: str) -> int | None:
        """Length in bytes of the object at `key`, or None where nothing stands."""

    @abstractmethod
    def names(self, key: str) -> list[str]:
        """Names of what is directly below `key`, sorted; empty where nothing stands."""

    @abstractmethod
    def walk(self, key: str) -> list[Entry]:
        """Everything below `key`, at any depth."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Removes the object at `key`, if it stands."""

    @abstractmethod
    def upload(self, path: Path, key: str, progress: Progress) -> None:
        """Copies a file of this host to `key`.

        Only an object of the file's length is a whole copy: an upload to a bucket that is
        interrupted may leave a shorter one.
        """

    @abstractmethod
    def download(self, key: str, path: Path, progress: Progress) -> None:
        """Copies the object at `key` to a file of this host."""

    @abstractmethod
    def path(self, key: str) -> Path | None:
        """The file that is the object at `key`, or None where this host sees no such file."""

    def write(self, key: str, data: bytes, *, durable: bool = True) -> None:
        """Makes `data` the object at `key`."""
        with self.writer(key, durable=durable) as file:
            file.write(data)

    def exists(self, key: str) -> bool:
        """Whether an object stands at `key`."""
        return self.size(key) is not None


def checked_key(key: str) -> str:
    """`key`, if it cannot name anything outside the store on any system.

    Raises:
        StoreError: it can.
    """
    for name in key.split("/"):
        drive = PureWindowsPath(name).drive
        if name in ("", ".", "..") or "\\" in name or "\0" in name or drive:
            raise StoreError(
                f"{key!r} is no name of an object in a store",
                "Somebody may be tampering with the queue or the store.",
            )
    return key
