"""Puts a new pack among the packs of this host, complete or not at all."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from annotate.domain.errors import PackError
from annotate.domain.pack import Pack
from annotate.domain.variant import sources_of
from annotate.files import scratch_in
from annotate.packs.installed import verify_pack

_PREFIX = ".new-pack-"


@contextmanager
def new_pack(root: Path) -> Iterator[Path]:
    """A temporary empty folder to make a pack in, which `publish` takes.

    Args:
        root: the folder of packs; created if missing.

    Raises:
        PackError: the folder is not writable, or the block raised an `OSError`.
    """
    try:
        with scratch_in(root, _PREFIX) as scratch:
            staged = scratch / "new"
            staged.mkdir()
            yield staged
    except OSError as error:
        raise _cannot_write(root, error) from error


def publish(staged: Path, root: Path, *, replace: bool) -> Path:
    """Moves the pack in `staged`, from `new_pack`, to the folder of its name, and returns that.

    Variants and AI Hub jobs of the same models are kept.

    Args:
        replace: replace an intact pack of that name; else the intact pack stays.

    Raises:
        PackError: the new pack is damaged.
        OSError: it cannot be moved.
    """
    pack = verify_pack(staged)
    target = root / pack.name
    if not replace and is_intact(target):
        return target
    _keep_compiled(pack, target, staged)
    try:
        with suppress(FileNotFoundError):
            target.rename(staged.with_name("old"))
        staged.rename(target)
    except OSError:
        # Another process has just put a pack of that name there, which serves as well.
        if not is_intact(target):
            raise
    return target


def is_intact(folder: Path) -> bool:
    """Whether the folder holds a pack whose files match their digests."""
    try:
        verify_pack(folder)
    except PackError:
        return False
    return True


def _keep_compiled(pack: Pack, old: Path, staged: Path) -> None:
    """Copies missing `variants/<soc>` and `hub/<target>` from an old pack of the same models."""
    with suppress(PackError):
        if sources_of(verify_pack(old)) == sources_of(pack):
            for folder in old.glob("*/[!.]*"):
                if not (new := staged / folder.relative_to(old)).exists():
                    shutil.copytree(folder, new)


def _cannot_write(root: Path, error: OSError) -> PackError:
    if error.errno == errno.ENOSPC:
        return PackError(
            f"no space left for the model pack in {error.filename or root}",
            f"Free 100 MB in {root} and in the folder for temporary files, then try again.",
        )
    return PackError(
        f"the model pack cannot be written to {root}: {error.strerror or error}",
        "Make the folder writable, or set ANNOTATE_PACKS to another one.",
    )
