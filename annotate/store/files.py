"""Objects of a store by key, such as `jobs/x.json`, in a folder or in a bucket.

A write is atomic: a reader sees the whole object or none, whenever the writer is killed.
"""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import BinaryIO

from annotate.domain.errors import StoreError
from annotate.domain.progress import ByteProgress
from annotate.store.claims import create_by_claim
from annotate.store.damage import ASIDE

# Bytes that are read or written at a time.
BLOCK = 8 * 2**20


@dataclass(frozen=True)
class Entry:
    """An object, or what a killed writer left of one.

    Attributes:
        key: of the object.
        size: in bytes.
        modified_s: Unix time of the last change, by the store's clock.
        left: whether it is a temporary file of a writer, or a hidden one of another program; no
            reader sees it.
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
        """The store's location as the user gives it; without passwords."""

    @abstractmethod
    def read(self, key: str) -> bytes | None:
        """The bytes at `key`, or None where there is no object."""

    @abstractmethod
    def reader(self, key: str) -> AbstractContextManager[BinaryIO]:
        """The object at `key`, open for reading in any order."""

    @abstractmethod
    def writer(self, key: str, *, durable: bool = True) -> AbstractContextManager[BinaryIO]:
        """A file that becomes the object at `key` if the block ends without an error.

        Args:
            durable: whether the object must survive a power cut.
        """

    @abstractmethod
    def size(self, key: str) -> int | None:
        """Length in bytes of the object at `key`, or None where there is no object."""

    @abstractmethod
    def names(self, key: str) -> list[str]:
        """Names of the objects and folders directly below `key`, sorted."""

    @abstractmethod
    def walk(self, key: str) -> list[Entry]:
        """All objects below `key`, at any depth."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Deletes the object at `key`, if there is one."""

    @abstractmethod
    def move(self, key: str, to: str) -> None:
        """Makes the object at `key` the one at `to`; a folder in its place is moved too."""

    @abstractmethod
    def upload(self, path: Path, key: str, progress: ByteProgress) -> None:
        """Copies a file of this host to `key`.

        An upload to a bucket that is interrupted may leave an object that is shorter than the file.
        """

    @abstractmethod
    def download(self, key: str, path: Path, progress: ByteProgress) -> None:
        """Copies the object at `key` to a file of this host."""

    @abstractmethod
    def path(self, key: str) -> Path | None:
        """The file of this host that is the object at `key`, or None in a bucket."""

    def write(self, key: str, data: bytes, *, durable: bool = True) -> None:
        """Makes `data` the object at `key`."""
        with self.writer(key, durable=durable) as file:
            file.write(data)

    @abstractmethod
    def write_first(self, key: str, data: bytes) -> bytes:
        """Makes `data` the object at `key` unless one is there; returns the bytes of the object,
        the same for all who call this at the same time.
        """

    def create(self, key: str, data: bytes) -> bool:
        """Makes `data` the object at `key` unless there is one; whether it did.

        Of several writers at once, on any hosts, one at most succeeds.
        """
        return create_by_claim(self, key, data)

    def set_aside(self, key: str) -> str:
        """Moves a damaged object out of the way; returns its new key, which nothing reads."""
        to, number = f"{ASIDE}/{key}", 1
        while self.exists(to):
            number += 1
            to = f"{ASIDE}/{key}-{number}"
        self.move(key, to)
        return to

    def exists(self, key: str) -> bool:
        """Whether there is an object at `key`."""
        return self.size(key) is not None


def checked_key(key: str) -> str:
    """`key`, if it cannot lead out of the store on any system.

    Raises:
        StoreError: it can.
    """
    for name in key.split("/"):
        drive = PureWindowsPath(name).drive
        if name in ("", ".", "..") or "\\" in name or "\0" in name or drive:
            raise StoreError(
                f"{key!r} is not a valid key of an object in a store",
                "The queue or the store may have been tampered with.",
            )
    return key
