"""Makes the pack `blazepose-full`: fetch, check, convert, and put in place in one step."""

import tempfile
from pathlib import Path

from annotate.domain.progress import Progress
from annotate.packs.blazepose import DETECTOR, LANDMARK, NAME, REQUIREMENT, build_pack
from annotate.packs.publish import new_pack, publish, stands
from annotate.packs.wheel import download_wheel, read_members

"""Called with the phase, `downloading`, `checking` or `converting`, and its fraction done."""


def pull(root: Path, *, wheel: Path | None = None, progress: Progress, force: bool = False) -> Path:
    """Make the pack under `root` unless a sound one stands there; returns the pack's folder.

    The pack appears whole or not at all, also where several processes pull at once.

    Args:
        root: the folder of packs; made if it is missing.
        wheel: the wheel to take the models from, any platform's; None downloads it.
        progress: told what is being done.
        force: make the pack anew even if a sound one stands; what was compiled from the same
            models stays.

    Raises:
        PackError: the wheel cannot be had, is not the expected one, or there is no space.
    """
    target = root / NAME
    if not force and stands(target):
        return target
    with new_pack(root) as staged:
        detector, landmark = _fetch_models(wheel, progress)
        progress("converting", 0.0)
        build_pack(detector, landmark, staged)
        publish(staged, root, replace=force)
        progress("converting", 1.0)
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
