"""A frame of another size than its video's, fitted into the video's displayed picture.

It is scaled as large as it fits, keeps its proportions, stands in the middle, and has black around
it: what a player shows whose window keeps its size.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fit:
    """Where in the displayed picture a frame of another size is.

    Attributes:
        width, height: of the scaled frame in pixels.
        left, top: its first column and row.
    """

    width: int
    height: int
    left: int
    top: int


def fit(own: tuple[int, int], displayed: tuple[int, int]) -> Fit:
    """Where a frame goes; both sizes are (width, height) in pixels.

    >>> fit((640, 360), (360, 640))
    Fit(width=360, height=203, left=0, top=218)
    """
    scale = min(displayed[0] / own[0], displayed[1] / own[1])
    width = max(1, min(displayed[0], int(own[0] * scale + 0.5)))
    height = max(1, min(displayed[1], int(own[1] * scale + 0.5)))
    return Fit(width, height, (displayed[0] - width) // 2, (displayed[1] - height) // 2)
