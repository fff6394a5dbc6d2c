"""Videos whose frames carry their number as bars, which survive any codec and can be read back."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotate.video import VideoWriter
from annotate.video.writer import Encoding

BITS = 8
SIZE = (320, 240)


def numbered(number: int) -> NDArray[np.uint8]:
    """(240, 320, 3) uint8: the number's bits as columns, the highest first; white is 1."""
    bits = [(number >> (BITS - 1 - bit)) & 1 for bit in range(BITS)]
    row = np.repeat(np.array(bits, np.uint8) * 255, SIZE[0] // BITS)
    return np.ascontiguousarray(np.broadcast_to(row[None, :, None], (SIZE[1], SIZE[0], 3)))


def write_numbered(
    path: Path, frames: int, encoding: Encoding | None = None, times_s: Sequence[float] = ()
) -> Path:
    """A video of numbered frames; at 30 a second without times."""
    encoding = encoding or Encoding(fps=Fraction(30), gop=20)
    with VideoWriter(path, encoding) as writer:
        for number in range(frames):
            writer.write(numbered(number), times_s[number] if times_s else None)
    return path
