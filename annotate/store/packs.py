"""Copies a pack, with its compiled variants, between this host and a store.

The file that describes the others is copied last, so that every file it names is there.
"""

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
    return Pack.from_json(_read(files, f"{below}/{PACK_FILE}").decode(errors="replace"))


def _copy(source: Files, start: str, target: Files, end: str, names: list[str]) -> None:
    description = _read(source, f"{start}/{names[-1]}")
    if target.read(f"{end}/{names[-1]}") == description:
        return
    for name in names:
        target.write(f"{end}/{name}", _read(source, f"{start}/{name}"))


def _read(files: Files, key: str) -> bytes:
    data = files.read(key)
    if data is None:
        raise PackError(
            f"{files} has no {key}", "Submit the videos again: the pack is then copied again."
        )
    return data
