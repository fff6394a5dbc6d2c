"""Lists the packs in a folder and verifies their files."""

import hashlib
from pathlib import Path

from annotate.domain.errors import PackError, unreadable
from annotate.domain.pack import PACK_FILE, Pack, read_pack


def installed_packs(root: Path) -> list[Pack]:
    """The packs under `root`, each in a folder of its name, sorted by name.

    Raises:
        PackError: the description of a pack is damaged.
        HostError: the folder cannot be read.
    """
    try:
        folders = sorted(root.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise unreadable(root, error) from error
    return [read_pack(folder) for folder in folders if is_installed(folder)]


def is_installed(folder: Path) -> bool:
    """Whether a pack is described in that folder.

    Raises:
        HostError: the system cannot tell.
    """
    try:
        (folder / PACK_FILE).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise unreadable(folder, error) from error
    return True


def verify_pack(folder: Path) -> Pack:
    """The pack in `folder`, after comparing its model files with their digests in `pack.json`.

    Raises:
        PackError: there is no pack, or a model file is missing or damaged.
        HostError: a model file cannot be read now.
    """
    pack = read_pack(folder)
    for spec in pack.stages.values():
        file = folder / spec.file
        try:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
        except FileNotFoundError as error:
            raise _unusable(file, pack, "is missing") from error
        except OSError as error:
            raise unreadable(file, error) from error
        if digest != spec.sha256:
            raise _unusable(file, pack, f"is damaged: it does not match its digest in {PACK_FILE}")
    return pack


def _unusable(file: Path, pack: Pack, what: str) -> PackError:
    return PackError(
        f"model file {file} {what}",
        f"Make the pack again: `annotate models pull {pack.name} --force`; for a copy in a store, "
        "run the same `annotate submit` again.",
    )
