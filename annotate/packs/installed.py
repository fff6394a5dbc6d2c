"""Lists the packs in a folder and verifies their files."""

from pathlib import Path

from annotate.domain.errors import AnnotateError, PackError, unreadable
from annotate.domain.pack import PACK_FILE, Pack, read_pack
from annotate.files import sha256_of


def installed_packs(root: Path) -> tuple[list[Pack], list[AnnotateError]]:
    """The packs under `root`, each in a folder of its name, sorted by name; and for each one that
    cannot be used, why.

    Raises:
        HostError: the folder cannot be read.
    """
    try:
        folders = sorted(root.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return [], []
    except OSError as error:
        raise unreadable(root, error) from error
    packs, errors = [], []
    for folder in folders:
        try:
            if is_installed(folder):
                packs.append(read_pack(folder))
        except AnnotateError as error:
            errors.append(error)
    return packs, errors


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
            digest = sha256_of(file)
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
