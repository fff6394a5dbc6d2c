"""The poses of a video in blocks that begin at fixed frames, wherever its parts begin.

All later steps work block by block, and so cannot know how the video was cut.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise

import numpy as np

from annotate.domain.poses import Poses

BLOCK_FRAMES = 1024


def blocks(parts: Iterable[Poses]) -> Iterator[Poses]:
    """The same poses, cut at the multiples of BLOCK_FRAMES.

    Args:
        parts: in order; frames of chunks that failed are missing.
    """
    pieces = (piece for part in parts for piece in _pieces(part))
    for _, group in groupby(pieces, key=_block_number):
        yield Poses.concat(list(group))


def _block_number(poses: Poses) -> int:
    return int(poses.frame_index[0]) // BLOCK_FRAMES


def _pieces(part: Poses) -> Iterator[Poses]:
    """The part, cut where blocks begin."""
    edges = np.flatnonzero(np.diff(part.frame_index // BLOCK_FRAMES)) + 1
    for start, stop in pairwise([0, *edges.tolist(), len(part.frame_index)]):
        yield part.between(start, stop)
