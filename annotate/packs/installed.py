"""The packs in a folder: which there are, and whether their files are what they say."""

import hashlib
from pathlib import Path

from annotate.domain.errors import PackError
from annotate.domain.pack import PACK_FILE, Pack, read_pack


def installed_packs(root: Path) -> list[Pack]:
    """The packs under `root`, each in the folder of its name, sorted by that name.

    Raises:
        PackError: the description of a pack is damaged.
    """
    return [read_pack(file.parent) for file in sorted(root.glob(f"*/{PACK_FILE}"))]


def verify_pack(folder: Path) -> Pack:
    """The pack in `folder`, its model files compared with their digests in `pack.json`.

    Raises:
        PackError: there is no pack, or a model file is missing or damaged.
    """
    pack = read_pack(folder)
    for spec in (pack.detector, pack.landmark):
        file = folder / spec.file
        try:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
        except OSError as error:
            raise _unusable(file, f"cannot be read: {error.strerror}") from error
        if digest != spec.sha256:
            raise _unusable(file, "is damaged: its SHA-256 is not the one in the pack")
    return pack


def _unusable(file: Path, what: str) -> PackError:
    return PackError(
        f"model file {file} {what}", "Run `annotate models pull --force` to make the pack anew."
    )
