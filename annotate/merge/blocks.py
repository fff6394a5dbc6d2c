"""The poses of a video in blocks that begin at fixed frames, wherever its parts begin.

All later steps work block by block, and so cannot know how the video was cut.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise

import numpy as np

from annotate.domain.poses import Poses


def blocks(parts: Iterable[Poses], frames: int) -> Iterator[Poses]:
    """The same poses, cut at the multiples of so many frames.

    Args:
        parts: in order; frames of chunks that failed are missing.
        frames: of a block.
    """
    pieces = (piece for part in parts for piece in _pieces(part, frames))
    for _, group in groupby(pieces, key=lambda piece: int(piece.frame_index[0]) // frames):
        yield Poses.concat(list(group))


def _pieces(part: Poses, frames: int) -> Iterator[Poses]:
    """The part, cut where blocks begin."""
    edges = np.flatnonzero(np.diff(part.frame_index // frames)) + 1
    for start, stop in pairwise([0, *edges.tolist(), len(part.frame_index)]):
        yield part.between(start, stop)
