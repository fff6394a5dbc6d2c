"""Copies a pack, with its compiled variants, between this host and a store.

The file that describes the others is copied last, so that every file it names is there.
"""

import filecmp

from annotate.domain.errors import PackError
from annotate.domain.pack import PACK_FILE, Pack
from annotate.domain.variant import VARIANT_FILE, VARIANTS, sources_of
from annotate.store.files import Files


def copy_pack(source: Files, start: str, target: Files, end: str) -> None:
    """Copies what is missing of the pack below `start` to below `end`.

    Raises:
        PackError: there is no pack, or a file of it is missing.
        StoreError: one of the two cannot be read or written.
    """
    pack = described_pack(source, start)
    _copy(source, start, target, end, [*sources_of(pack), PACK_FILE])
    for name in source.names(f"{start}/{VARIANTS}"):
        variant = f"{VARIANTS}/{name}"
        inside = source.names(f"{start}/{variant}")
        if VARIANT_FILE in inside:
            inside.remove(VARIANT_FILE)
            _copy(source, f"{start}/{variant}", target, f"{end}/{variant}", [*inside, VARIANT_FILE])


def described_pack(files: Files, below: str) -> Pack:
    """The description of the pack below that key.

    Raises:
        PackError: there is no pack, or its description is damaged.
    """
    key = f"{below}/{PACK_FILE}"
    try:
        return Pack.from_json(_read(files, key).decode(errors="replace"))
    except PackError as error:
        if key in error.message:
            raise
        hint = "Run the same `annotate submit` again: it copies the pack again."
        raise PackError(f"{key} in {files}: {error.message}", hint) from error


def _copy(source: Files, start: str, target: Files, end: str, names: list[str]) -> None:
    """Copies those of the files that are missing or damaged, the one that describes them last."""
    keys = [(f"{start}/{name}", f"{end}/{name}") for name in names]
    # All are copied again where the description differs: it may be another version's.
    same = _is_copy(source, keys[-1][0], target, keys[-1][1])
    for old, new in keys:
        if not (same and _is_copy(source, old, target, new)):
            target.write(new, _read(source, old))


def _is_copy(source: Files, old: str, target: Files, new: str) -> bool:
    """Whether the target has a file. Where both are folders, the content is compared, else the
    length: a bucket checks what it keeps.
    """
    size = source.size(old)
    if size is None or size != target.size(new):
        return False
    here, there = source.path(old), target.path(new)
    if here is not None and there is not None:
        return filecmp.cmp(here, there, shallow=False)
    return new.rpartition("/")[2] not in (PACK_FILE, VARIANT_FILE) or (
        _read(source, old) == target.read(new)
    )


def _read(files: Files, key: str) -> bytes:
    data = files.read(key)
    if data is None:
        raise PackError(
            f"{files} has no {key}", "Submit the videos again: the pack is then copied again."
        )
    return data
