"""Numbered images that are the frames of one video, and animated pictures that need the same care.

Images have no times. Their numbers are the clock, as far as they count frames: a missing number
leaves its place empty, and numbers in equal steps, such as 0, 10, 20, are one frame apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd
from pathlib import Path

# Numbers count frames as long as at most this many of them belong to one image on average; beyond
# it they may be times or ids, and images are counted one after another.
MAX_NUMBERS_AN_IMAGE = 2


@dataclass(frozen=True)
class ImageSequence:
    """Images from which one video is joined; it takes the place of the file of a video.

    Attributes:
        folder: that holds them.
        names: of the files in it, in the order of display.
        numbers: in their names, rising.
        pattern: their name with `%d`, or `%05d`, for the number; or of an animated picture its own.
        title: names the video among those of the same folder; empty where it is the only one.
        animated: it is one file that holds all frames and their times.
    """

    folder: Path
    names: tuple[str, ...]
    numbers: tuple[int, ...]
    pattern: str
    title: str = ""
    animated: bool = False

    def __str__(self) -> str:
        return str(self.folder / self.pattern)

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return self.pattern

    @property
    def paths(self) -> list[Path]:
        """The files."""
        return [self.folder / name for name in self.names]

    @property
    def gaps(self) -> int:
        """How many numbers between the first and the last have no image."""
        ticks = _steps(self.numbers)
        return ticks[-1] + 1 - len(ticks)


def ticks_of(numbers: Sequence[int]) -> list[int]:
    """When each image is displayed, in frames from the first one.

    Args:
        numbers: rising.

    >>> ticks_of([1, 2, 4, 5]), ticks_of([0, 10, 20]), ticks_of([17, 1000, 5003])
    ([0, 1, 3, 4], [0, 1, 2], [0, 1, 2])
    """
    ticks = _steps(numbers)
    if ticks[-1] + 1 > MAX_NUMBERS_AN_IMAGE * len(ticks):
        return list(range(len(ticks)))
    return ticks


def _steps(numbers: Sequence[int]) -> list[int]:
    """The numbers from the first one, in units of their greatest common step."""
    shifted = [number - numbers[0] for number in numbers]
    unit = gcd(*shifted) or 1
    return [one // unit for one in shifted]
