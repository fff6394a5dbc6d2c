"""Numbered images: which of them are the frames of one video."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeGuard

from annotate.domain.errors import UsageError
from annotate.domain.images import ImageSequence
from annotate.store.bucket_videos import Source
from annotate.video import is_animated

IMAGE_ENDINGS = frozenset([".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"])
# The fewest numbered images that are taken for a video where their folder is named.
MIN_IMAGES = 2

# The last number in a name, and what is before and after it.
_NUMBERED = re.compile(r"(?s)(.*?)(\d+)(\D*)")
_PLACE = re.compile(r"%(?:0(\d+))?d")


def is_image(path: Path) -> bool:
    """Whether a file is named like an image, and does not move."""
    return path.suffix.lower() in IMAGE_ENDINGS and not is_animated(path)


def animated_webp(path: Path) -> ImageSequence:
    """The frames of an animated WebP."""
    return ImageSequence(path.parent, (path.name,), (0,), path.name, path.name, animated=True)


def by_pattern(path: Path) -> ImageSequence | None:
    """The images of `FOLDER/frame_%05d.png`; None where the name holds no `%d`.

    Raises:
        UsageError: no image has such a name.
    """
    places = _PLACE.findall(path.name.replace("%%", ""))
    if len(places) != 1 or not path.parent.is_dir() or path.suffix.lower() not in IMAGE_ENDINGS:
        return None
    before, digits, after = _PLACE.split(path.name)
    before, after = before.replace("%%", "%"), after.replace("%%", "%")
    width = int(digits or 1)
    found = {}
    for name in os.listdir(path.parent):  # noqa: PTH208 - pathlib is slower
        number = name[len(before) : len(name) - len(after)]
        fits = name.startswith(before) and name.endswith(after) and _is_number(number, width)
        if fits and len(name) >= len(before) + len(after):
            found[int(number)] = name
    if not found:
        raise UsageError(
            f"no image is named like {path}",
            "%05d stands for a number of five digits, %d for one without zeros in front.",
        )
    numbers = sorted(found)
    names = tuple(found[number] for number in numbers)
    return ImageSequence(path.parent, names, tuple(numbers), path.name, _title(before, after))


def sequences(paths: Iterable[Path]) -> tuple[list[ImageSequence], list[Path]]:
    """The sequences among images, and the images that belong to none.

    Images belong together that are in one folder and whose names differ in their last number only.
    Of two with the same number, such as 1 and 01, the first one counts.
    """
    groups: dict[tuple[Path, str, str], list[Path]] = {}
    single: list[Path] = []
    for path in paths:
        parts = _NUMBERED.fullmatch(path.name.removesuffix(path.suffix))
        if parts is None:
            single.append(path)
        else:
            ending = parts[3] + path.suffix
            groups.setdefault((path.parent, parts[1], ending), []).append(path)
    found = []
    for (folder, before, ending), images in groups.items():
        by_number: dict[int, str] = {}
        for image in sorted(images):
            number = int(image.name[len(before) : len(image.name) - len(ending)])
            if by_number.setdefault(number, image.name) != image.name:
                single.append(image)
        if len(by_number) < MIN_IMAGES:
            single += [folder / name for name in by_number.values()]
        else:
            found.append(_sequence(folder, before, ending, by_number))
    return found, single


def _sequence(
    folder: Path, before: str, ending: str, by_number: Mapping[int, str]
) -> ImageSequence:
    numbers = tuple(sorted(by_number))
    names = tuple(by_number[number] for number in numbers)
    widths = {len(name) - len(before) - len(ending) for name in names}
    digits = widths.pop() if len(widths) == 1 else 0
    place = f"%0{digits}d" if digits > 1 else "%d"
    pattern = "".join((before.replace("%", "%%"), place, ending.replace("%", "%%")))
    return ImageSequence(folder, names, numbers, pattern, _title(before, ending))


def _title(before: str, after: str) -> str:
    """What tells a sequence from others of its folder: its names without numbers."""
    return f"{before.strip('_-. ')}{after}".strip("_-. ")


def titled(found: Sequence[Source]) -> list[Source]:
    """The same; the only sequence of a folder is called like the folder."""
    folders = [one.folder for one in found if _is_numbered(one)]
    return [
        replace(one, title="") if _is_numbered(one) and folders.count(one.folder) == 1 else one
        for one in found
    ]


def _is_numbered(source: Source) -> TypeGuard[ImageSequence]:
    return isinstance(source, ImageSequence) and not source.animated


def _is_number(text: str, width: int) -> bool:
    """Whether `%0{width}d` writes a number like this."""
    fits = len(text) == width or (len(text) > width and text[0] != "0")
    return text.isascii() and text.isdigit() and fits
