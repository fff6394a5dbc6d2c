"""Videos whose displayed picture is not simply the stored one."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.domain.video import Hdr
from tests.gallery.case import Answer, Case
from tests.gallery.person import SIZE, person
from tests.made_films import film, two_streams, with_cover
from tests.made_hdr import hdr_video

FRAMES = 12
# 352 x 576 pixels of this shape, as old cameras store them, show a wide picture.
WIDE = Fraction(32, 11)
NARROW = round(SIZE[0] / WIDE), SIZE[1]
_ONE = 1 << 16  # of a display matrix
MIRROR = [-_ONE, 0, 0, 0, _ONE, 0, 0, 0, 1 << 30]


def _shown(make: Callable[[Path], Path], frames: int = FRAMES) -> Case:
    return Case(make, Answer("done", frames, SIZE, people=True))


def _squeezed(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """The person, stored in pixels that are wider than high."""
    return np.asarray(cv2.resize(person(number, *SIZE), (width, height)), np.uint8)


def _mirrored(number: int, width: int, height: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(person(number, width, height)[:, ::-1])


def _hdr(kind: Hdr) -> Case:
    return _shown(
        lambda folder: hdr_video(
            folder / "video.mkv", [person(number, *SIZE) for number in range(FRAMES)], kind
        )
    )


DISPLAY_CASES = {
    "pixels of 32:11": _shown(
        lambda folder: film(
            folder / "video.mp4", [NARROW], frames=FRAMES, aspect=WIDE, paint=_squeezed
        )
    ),
    "a mirrored picture": _shown(
        lambda folder: film(
            folder / "video.mp4", [SIZE], frames=FRAMES, matrix=MIRROR, paint=_mirrored
        )
    ),
    "a size that changes midway": _shown(
        lambda folder: film(
            folder / "video.mp4", [SIZE, (SIZE[0] // 2, SIZE[1] // 2)], frames=FRAMES, paint=person
        ),
        2 * FRAMES,
    ),
    "HDR by PQ": _hdr("pq"),
    "HDR by HLG": _hdr("hlg"),
    "a cover that is larger than the video": _shown(
        lambda folder: with_cover(
            folder / "video.mp4",
            np.full((2 * SIZE[1], 2 * SIZE[0], 3), 90, np.uint8),
            FRAMES,
            person,
        )
    ),
    "two video streams, the second is the default": _shown(
        lambda folder: two_streams(
            folder / "video.mkv", [(64, 48), SIZE], [6, FRAMES], default=1, paint=person
        )
    ),
}
