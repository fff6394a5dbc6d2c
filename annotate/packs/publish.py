"""Puts a new pack in its place among the packs of this host, whole or not at all."""

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
    """An empty folder to make a pack in, for `publish`; it is gone afterwards.

    Args:
        root: the folder of packs; made if it is missing.

    Raises:
        PackError: the folder cannot be written; also for any `OSError` of the block.
    """
    try:
        with scratch_in(root, _PREFIX) as scratch:
            staged = scratch / "new"
            staged.mkdir()
            yield staged
    except OSError as error:
        raise _cannot_write(root, error) from error


def publish(staged: Path, root: Path, *, replace: bool) -> Path:
    """Moves the pack in `staged`, from `new_pack`, to the folder of its name, which is returned.

    What was compiled from the same models stays with it.

    Args:
        replace: also where a sound pack of that name stands.

    Raises:
        PackError: the new pack is damaged.
        OSError: it cannot be moved.
    """
    pack = verify_pack(staged)
    target = root / pack.name
    if not replace and stands(target):
        return target
    _keep_compiled(pack, target, staged)
    try:
        with suppress(FileNotFoundError):
            target.rename(staged.with_name("old"))
        staged.rename(target)
    except OSError:
        # Another process was quicker with a pack of that name: it will do.
        if not stands(target):
            raise
    return target


def stands(folder: Path) -> bool:
    """Whether there is a sound pack."""
    try:
        verify_pack(folder)
    except PackError:
        return False
    return True


def _keep_compiled(pack: Pack, old: Path, staged: Path) -> None:
    """Copies what was made of the same models, as far as the new pack has it not: `variants/<soc>`
    and `hub/<target>`.
    """
    with suppress(PackError):
        if sources_of(verify_pack(old)) == sources_of(pack):
            for folder in old.glob("*/[!.]*"):
                if not (new := staged / folder.relative_to(old)).exists():
                    shutil.copytree(folder, new)


def _cannot_write(root: Path, error: OSError) -> PackError:
    if error.errno == errno.ENOSPC:
        return PackError(
            f"no space left for the model pack in {error.filename or root}",
            f"Free 100 MB in {root} and in the folder for temporary files, and run it again.",
        )
    return PackError(
        f"the model pack cannot be written to {root}: {error.strerror or error}",
        "Make the folder writable, or name another one.",
    )
