"""Makes the pack `blazepose-full`: downloads, checks and converts the models, then publishes."""

import tempfile
from pathlib import Path

from annotate.domain.progress import Progress
from annotate.packs.blazepose import DETECTOR, LANDMARK, NAME, REQUIREMENT, build_pack
from annotate.packs.publish import is_intact, new_pack, publish
from annotate.packs.wheel import download_wheel, read_members

# The phases of a pull, as progress shows them.
DOWNLOADING = "Downloading the models"
CHECKING = "Checking the models"
CONVERTING = "Converting the models"


def pull(root: Path, *, wheel: Path | None = None, progress: Progress, force: bool = False) -> Path:
    """Make the pack under `root` unless an intact one is there; returns the pack's folder.

    The pack appears complete or not at all, even if several processes pull at once.

    Args:
        root: the folder of packs; created if missing.
        wheel: the wheel with the models, for any platform; None downloads it.
        progress: called with the phase and its fraction done.
        force: replace an intact pack too; variants of the same models are kept.

    Raises:
        PackError: the wheel cannot be downloaded, is not the expected one, or no space is left.
    """
    target = root / NAME
    if not force and is_intact(target):
        return target
    with new_pack(root) as staged:
        detector, landmark = _fetch_models(wheel, progress)
        progress(CONVERTING, 0.0)
        build_pack(detector, landmark, staged)
        publish(staged, root, replace=force)
        progress(CONVERTING, 1.0)
    return target


def _fetch_models(wheel: Path | None, progress: Progress) -> list[bytes]:
    with tempfile.TemporaryDirectory(prefix="annotate-") as scratch:
        if wheel is None:
            progress(DOWNLOADING, 0.0)
            wheel = download_wheel(
                REQUIREMENT, Path(scratch), lambda done: progress(DOWNLOADING, done)
            )
            progress(DOWNLOADING, 1.0)
        progress(CHECKING, 0.0)
        models = read_members(wheel, (DETECTOR, LANDMARK))
        progress(CHECKING, 1.0)
        return models
