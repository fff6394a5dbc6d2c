"""Where exports go: files and folders that appear whole or not at all, pipes, standard output."""

import errno
import gzip
import os
import shutil
import signal
import stat
import sys
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from annotate.domain.errors import OutputError, UsageError
from annotate.end_signals import END_SIGNALS

STDOUT = Path("-")
_NAMES_OF_STDOUT = frozenset(["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
# Symbolic links that are followed before they count as a loop, as Linux does it.
_MOST_LINKS = 40
# In a folder that an export has written: the names in it, a line each.
_MARK = ".annotate-export"
_GZIP = b"\x1f\x8b"
_HINTS = {
    errno.ENOSPC: "The disk is full. Make room and run the same command again.",
    errno.EDQUOT: "Your quota is used up. Make room and run the same command again.",
    errno.EACCES: "You may not write there. Name another place with --out.",
    errno.ENAMETOOLONG: "Shorten --out, or the video's name; csv needs no file of that name.",
    errno.EROFS: "The disk is read-only. Name another place with --out.",
}


def is_stdout(out: Path) -> bool:
    """Whether that name means standard output."""
    return str(out) in _NAMES_OF_STDOUT


def is_stream(out: Path) -> bool:
    """Whether what is written there is gone at once: standard output, a pipe, a terminal."""
    return is_stdout(out) or _is_pipe(out)


@contextmanager
def output_file(
    out: Path, signatures: Sequence[bytes], *, force: bool = False
) -> Iterator[BinaryIO]:
    """A file to write from its beginning to its end.

    Standard output, pipes and character devices are written as they are. Any other file appears
    whole, in place of an older one, if the block ends without an error; a termination signal ends
    the block too. The file behind a symbolic link is replaced, not the link. What is written to a
    name ending in `.gz` is compressed, the same bytes to the same bytes.

    Args:
        signatures: how files that may be replaced begin.
        force: replace any file.

    Raises:
        UsageError: `out` is a folder, its folder does not exist, or it is a file that is not ours.
        OutputError: it cannot be written.
        KeyboardInterrupt: SIGTERM or SIGHUP arrived.
    """
    with _errors(out):
        if is_stream(out):
            with _written_through(out) as file:
                yield file
            return
        final = _followed(out)
        check_target(final, signatures, force=force)
        temporary = _beside(final)
        with _interruptible():
            try:
                packing = _compressed if final.suffix == ".gz" else _plain
                with temporary.open("xb") as raw:
                    with packing(raw) as file:
                        yield file
                    # Without it, a power cut can leave a renamed file that is empty.
                    raw.flush()
                    os.fsync(raw.fileno())
                temporary.replace(final)
            finally:
                temporary.unlink(missing_ok=True)


@contextmanager
def output_path(out: Path, signatures: Sequence[bytes], *, force: bool = False) -> Iterator[Path]:
    """A name to write a file at, which then becomes `out`; for libraries that want a name.

    Raises:
        UsageError: as for `output_file`; or `out` is a pipe, in which such libraries cannot seek.
        OutputError: it cannot be written.
    """
    if is_stream(out):
        raise UsageError(f"{out} is not a file, and this format needs one", "Name a file.")
    with _errors(out):
        final = _followed(out)
        check_target(final, signatures, force=force)
        temporary = _beside(final)
        with _interruptible():
            try:
                yield temporary
                _sync(temporary)
                temporary.replace(final)
            finally:
                temporary.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Makes a folder, and those above it, unless it is there.

    Raises:
        UsageError: something else is there.
        OutputError: it cannot be made.
    """
    try:
        with _errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
    except OutputError as error:
        if isinstance(error.__cause__, FileExistsError | NotADirectoryError):
            raise UsageError(
                f"{folder} cannot be made: a file is in the way", "Name a folder."
            ) from error
        raise


@contextmanager
def output_folder(out: Path, *, force: bool = False) -> Iterator[Path]:
    """An empty folder that becomes `out` if the block ends without an error.

    An older export at `out` is replaced. Any other folder with something in it never is.

    Args:
        force: replace an export to which other files were added, and delete these.

    Raises:
        UsageError: `out` is not a folder, or holds something else.
        OutputError: it cannot be written.
    """
    if is_stdout(out):
        raise UsageError("this format writes a folder, not a stream", "Name a folder with --out.")
    with _errors(out):
        final = _followed(out)
        _check_folder(final, force=force)
        temporary, old = _beside(final), _beside(final)
        with _interruptible():
            try:
                temporary.mkdir()
                yield temporary
                names = sorted(path.name for path in temporary.iterdir())
                (temporary / _MARK).write_text("".join(f"{name}\n" for name in names), "utf-8")
                if final.exists():
                    final.rename(old)
                temporary.rename(final)
            finally:
                if old.exists() and not final.exists():
                    old.rename(final)
                for left in (temporary, old):
                    shutil.rmtree(left, ignore_errors=True)


def check_target(out: Path, signatures: Sequence[bytes], *, force: bool = False) -> None:
    """Checks that a file can be written at `out`.

    Raises:
        UsageError: it is a folder, its folder does not exist, or it is a file that is not ours.
        OutputError: the system cannot tell.
    """
    with _errors(out):
        _check_target(out, signatures, force=force)


def _check_target(out: Path, signatures: Sequence[bytes], *, force: bool) -> None:
    if out.is_dir():
        raise UsageError(f"{out} is a folder", f"Name a file in it, e.g. {out / 'people.json'}.")
    _check_parent(out)
    if not out.exists():
        return
    if not out.is_file():
        raise UsageError(f"{out} is neither a file nor a pipe", "Name another file with --out.")
    if not force and not _is_ours(out, signatures):
        raise UsageError(
            f"{out} exists and is not an export",
            "Name another file, or replace it with --force.",
        )


def _check_folder(out: Path, *, force: bool) -> None:
    _check_parent(out)
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"{out} is not a folder, and this format writes one", "Name a folder.")
    found = {path.name for path in out.iterdir()}
    if not found:
        return
    if _MARK not in found:
        raise UsageError(
            f"the folder {out} is not empty and is not an export", "Name a new or empty folder."
        )
    more = found - {_MARK, *(out / _MARK).read_text("utf-8").splitlines()}
    if more and not force:
        raise UsageError(
            f"the folder {out} also holds what is not of the export: {', '.join(sorted(more))}",
            "Name another folder, or delete all of it with --force.",
        )


def _check_parent(out: Path) -> None:
    parent = out.absolute().parent
    if not parent.is_dir():
        raise UsageError(f"there is no folder {parent}", f"Make it first: mkdir -p {parent}")


def _is_ours(file: Path, signatures: Sequence[bytes]) -> bool:
    longest = max(map(len, signatures), default=0)
    with file.open("rb") as opened:
        head = opened.read(len(_GZIP))
        opened.seek(0)
        if head == _GZIP:
            with suppress(OSError, EOFError), gzip.GzipFile(fileobj=opened) as unpacked:
                return unpacked.read(longest).startswith(tuple(signatures))
            return False
        # An empty file holds nothing that could be lost.
        start = opened.read(longest or 1)
    return not start or start.startswith(tuple(signatures))


def _is_pipe(out: Path) -> bool:
    """Whether bytes go through it rather than into it: a pipe, a terminal, a device like the null
    device. Disks are neither this nor a file.
    """
    try:
        mode = out.stat().st_mode
    except OSError:  # who writes there says why that fails
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def _followed(out: Path) -> Path:
    """The file that a chain of symbolic links ends at; it need not exist."""
    for _ in range(_MOST_LINKS):
        if not out.is_symlink():
            return out
        out = out.parent / out.readlink()
    raise UsageError(f"{out} is a loop of symbolic links", "Name another file with --out.")


def _sync(file: Path) -> None:
    """Without it, a power cut can leave a renamed file that is empty."""
    descriptor = os.open(file, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beside(final: Path) -> Path:
    # As much of the name as leaves room: names have at most 255 bytes.
    return final.with_name(f".{final.name[:40]}.tmp-{uuid.uuid4().hex}")


@contextmanager
def _written_through(out: Path) -> Iterator[BinaryIO]:
    if is_stdout(out):
        if sys.stdout is None:
            raise OutputError("standard output is closed", "Name a file with --out.")
        sys.stdout.flush()
        descriptor = os.dup(1)
    else:
        descriptor = os.open(out, os.O_WRONLY)
    packing = _compressed if out.suffix == ".gz" else _plain
    with os.fdopen(descriptor, "wb") as raw, _flushed(raw), packing(raw) as file:
        yield file


@contextmanager
def _flushed(raw: BinaryIO) -> Iterator[None]:
    """Empties the buffer while errors of it can be told."""
    yield
    raw.flush()


@contextmanager
def _compressed(raw: BinaryIO) -> Iterator[BinaryIO]:
    # No name and no time, so that equal exports are equal bytes.
    with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as file:
        yield cast(BinaryIO, file)


@contextmanager
def _plain(raw: BinaryIO) -> Iterator[BinaryIO]:
    yield raw


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM and SIGHUP end the block as Ctrl-C does, so that it can clean up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # What a parent such as nohup ignores stays ignored; the command line has handlers of its own.
    ours = [one for one in END_SIGNALS if signal.getsignal(one) is signal.SIG_DFL]

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    for number in ours:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def _errors(out: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise OutputError(f"{out}: its reader has closed it", "") from error
    except OSError as error:
        # Errors of the store are `StoreError` already.
        raise OutputError(
            f"cannot write {out}: {error.strerror or error}",
            _HINTS.get(error.errno or 0, "Name another place with --out."),
        ) from error
