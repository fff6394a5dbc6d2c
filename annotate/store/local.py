"""Objects of a store in a folder, local or shared."""

import errno
import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from annotate.domain.errors import StoreError
from annotate.domain.progress import ByteProgress
from annotate.files import open_file
from annotate.store.damage import damaged
from annotate.store.files import BLOCK, Entry, Files, checked_key

_TEMPORARY = ".tmp-"
# What file systems without hard links answer, such as exFAT.
_NO_LINKS = frozenset({errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK})

# What the system answers where something else is in the place of a folder.
_NO_FOLDER = frozenset({errno.ENOTDIR, errno.EEXIST})


class LocalFiles(Files):
    """The objects of a store in a folder. A write is a rename."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._was_there = False

    def __str__(self) -> str:
        return str(self.root)

    def read(self, key: str) -> bytes | None:
        """As in `Files`."""
        with self._errors("read", key):
            try:
                with open_file(self.path(key)) as file:
                    return file.read()
            except OSError as error:
                self._check_gone(error)
                return None

    @contextmanager
    def reader(self, key: str) -> Iterator[BinaryIO]:
        """As in `Files`."""
        with self._errors("read", key), open_file(self.path(key)) as file:
            yield file

    @contextmanager
    def writer(self, key: str, *, durable: bool = True) -> Iterator[BinaryIO]:
        """As in `Files`."""
        final = self.path(key)
        temporary = final.with_name(f"{final.name}{_TEMPORARY}{uuid.uuid4().hex}")
        with self._errors("write", key):
            self._check_root()
            self._make_folder(final.parent)
            try:
                with temporary.open("wb") as file:
                    yield file
                    if durable:
                        # Without it, a power cut can leave a renamed file that is empty.
                        file.flush()
                        os.fsync(file.fileno())
                self._replace(temporary, final, key)
            finally:
                temporary.unlink(missing_ok=True)

    def write_first(self, key: str, data: bytes) -> bytes:
        """As in `Files`."""
        found = self.read(key)
        if found is not None:
            return found
        final = self.path(key)
        with self._errors("write", key):
            self._check_root()
            self._make_folder(final.parent)
            temporary = final.with_name(f"{final.name}{_TEMPORARY}{uuid.uuid4().hex}")
            try:
                temporary.write_bytes(data)
                with suppress(FileExistsError):
                    _link(temporary, final)
            finally:
                temporary.unlink(missing_ok=True)
            with open_file(final) as file:
                return file.read()

    def create(self, key: str, data: bytes) -> bool:
        """As in `Files`."""
        final = self.path(key)
        temporary = f"{key}{_TEMPORARY}{uuid.uuid4().hex}"
        self.write(temporary, data)
        try:
            with self._errors("write", key):
                # Unlike a rename, a link never replaces what is there.
                os.link(self.path(temporary), final)
        except StoreError as error:
            reason = error.__cause__
            if isinstance(reason, FileExistsError):
                return False
            if isinstance(reason, OSError) and reason.errno in _NO_LINKS:
                return super().create(key, data)
            raise
        finally:
            self.path(temporary).unlink(missing_ok=True)
        return True

    def size(self, key: str) -> int | None:
        """As in `Files`."""
        with self._errors("read", key):
            try:
                status = self.path(key).stat()
            except OSError as error:
                self._check_gone(error)
                return None
        return None if stat.S_ISDIR(status.st_mode) else status.st_size

    def names(self, key: str) -> list[str]:
        """As in `Files`."""
        with self._errors("list", key):
            try:
                # pathlib takes three times as long, and a folder may hold 100,000 parts.
                with os.scandir(self.path(key)) as entries:
                    names = [entry.name for entry in entries]
            except FileNotFoundError:
                self._check_root()
                return []
        return sorted(filter(_is_shown, names))

    def walk(self, key: str) -> list[Entry]:
        """As in `Files`."""
        found = []
        with self._errors("list", key):
            for path in self.path(key).rglob("*"):
                # Other processes write and delete meanwhile.
                with suppress(FileNotFoundError):
                    status = path.stat()
                    if stat.S_ISREG(status.st_mode):
                        place = path.relative_to(self.root).as_posix()
                        left = not _is_shown(path.name)
                        found.append(Entry(place, status.st_size, status.st_mtime, left))
        return found

    def delete(self, key: str) -> None:
        """As in `Files`."""
        with self._errors("delete", key):
            if self.path(key).is_dir():
                self.set_aside(key)
            self.path(key).unlink(missing_ok=True)

    def move(self, key: str, to: str) -> None:
        """As in `Files`."""
        target = self.path(to)
        with self._errors("move", key):
            self._make_folder(target.parent)
            if target.is_dir():  # which no file replaces
                target = target.with_name(f"{target.name}-{uuid.uuid4().hex}")
            self.path(key).replace(target)

    def upload(self, path: Path, key: str, progress: ByteProgress) -> None:
        """As in `Files`."""
        with path.open("rb") as source, self.writer(key) as file:
            _copy(source, file, path.stat().st_size, progress)

    def download(self, key: str, path: Path, progress: ByteProgress) -> None:
        """As in `Files`."""
        with self.reader(key) as source, path.open("wb") as file:
            _copy(source, file, self.path(key).stat().st_size, progress)

    def path(self, key: str) -> Path:
        """As in `Files`."""
        return self.root / checked_key(key)

    def _replace(self, temporary: Path, final: Path, key: str) -> None:
        try:
            temporary.replace(final)
        except OSError:
            if not final.is_dir():
                raise
            # It stands where the file belongs.
            self.set_aside(key)
            temporary.replace(final)

    def _make_folder(self, folder: Path) -> None:
        """Makes a folder. In a store that a group may write, the group may write it too."""
        if folder.is_dir():
            return
        shared = self.root.is_dir() and self.root.stat().st_mode & (stat.S_IRWXG | stat.S_ISGID)
        if folder != self.root and folder.parent != folder:
            self._make_folder(folder.parent)
        folder.mkdir(parents=True, exist_ok=True)
        if shared and shared & stat.S_IWGRP:
            with suppress(PermissionError):  # another user made it just now
                folder.chmod(folder.stat().st_mode | shared)

    def _check_gone(self, error: OSError) -> None:
        """Checks that the error says that there is no such file in the store.

        Raises:
            OSError: it says something else, or the store is away.
        """
        if error.errno not in (errno.ENOENT, errno.ELOOP):  # a link may lead to itself
            raise error
        self._check_root()

    def _check_root(self) -> None:
        """Notices that the store itself is away, so that it does not look empty, and that nothing
        is written to the folder below a mount that is gone.

        Raises:
            OSError: the folder of the store was there and is not any more.
        """
        if self._was_there:
            self.root.stat()
        else:
            self._was_there = self.root.is_dir()

    @contextmanager
    def _errors(self, verb: str, key: str) -> Iterator[None]:
        try:
            yield
            self._was_there = self._was_there or self.root.is_dir()
        except OSError as error:
            if verb in ("read", "write") and (found := _in_the_way(self.path(key))):
                raise damaged(key, f"it is {found}") from error
            if error.errno in _NO_FOLDER and (found := self._no_folder(key, verb)):
                hint = f"Move {self.path(found)} away; the same command then goes on."
                raise damaged(found, "it is not a folder", hint) from error
            raise StoreError(
                f"cannot {verb} {key} in the store {self.root}: {error.strerror or error}",
                _HINTS.get(error.errno or 0, "Check the store's folder, or name another: --store."),
            ) from error

    def _no_folder(self, key: str, verb: str) -> str:
        """What is there instead of a folder that leads to the object, or that is listed."""
        names = key.split("/")
        for depth in range(1, len(names) + (verb == "list")):
            folder = "/".join(names[:depth])
            path = self.path(folder)
            if os.path.lexists(path) and not path.is_dir():
                return folder
        return ""


def _is_shown(name: str) -> bool:
    """Whether a file is an object, and not one that is being written, or of another program: on
    disks that are not its own, macOS puts a file `._x` beside each `x`.
    """
    return _TEMPORARY not in name and not name.startswith(".")


def _in_the_way(path: Path) -> str:
    """What is there instead of a file; empty where one is, or nothing, or it cannot be seen."""
    with suppress(OSError):
        if path.is_symlink() and not path.exists():
            return "a link to nothing"
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            return "a folder" if stat.S_ISDIR(mode) else "not a file"
    return ""


def _link(temporary: Path, final: Path) -> None:
    """Gives a file its name if nothing has it.

    Raises:
        FileExistsError: something has it.
    """
    try:
        os.link(temporary, final)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems have no hard links. For a moment a reader may see a shorter file.
        with final.open("xb") as file:
            file.write(temporary.read_bytes())


def _copy(source: BinaryIO, target: BinaryIO, size: int, progress: ByteProgress) -> None:
    done = 0
    while block := source.read(BLOCK):
        target.write(block)
        done += len(block)
        progress(done, size)


_HINTS = {
    errno.ENOSPC: "The disk is full. Make room and run the same command again: it goes on.",
    errno.EDQUOT: "Your quota is used up. Make room and run the same command again: it goes on.",
    errno.EACCES: "You may not do that there: its owner can let the group write with "
    "`chmod -R g+rwX FOLDER`. Or name another store with --store or ANNOTATE_STORE.",
    errno.EROFS: "The disk is read-only. Name another store with --store or ANNOTATE_STORE.",
}
