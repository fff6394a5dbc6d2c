"""The folder of a model pack; the default pack is fetched at its first use."""

from pathlib import Path

from annotate.domain.errors import PackError
from annotate.domain.pack import PACK_FILE
from annotate.domain.progress import Progress

DEFAULT_PACK = "blazepose-full"


def find_pack(root: Path, name: str | None, progress: Progress) -> Path:
    """The folder of the pack of that name.

    Args:
        root: folder of this host's packs.
        name: None is the default pack.
        progress: called while the default pack is fetched and converted.

    Raises:
        PackError: there is no such pack, or the default one cannot be fetched.
    """
    folder = root / (name or DEFAULT_PACK)
    if (folder / PACK_FILE).exists():
        return folder
    if folder.name != DEFAULT_PACK:
        raise PackError(
            f"no model pack {name!r} in {root}",
            "See `annotate models list`, and `annotate models list --available` for those that "
            "`annotate models pull NAME` makes.",
        )
    from annotate.packs.pull import pull

    return pull(root, progress=progress)
