"""The poses of a video in blocks that begin at fixed frames, wherever its parts begin.

All that comes after works block by block, and so cannot know how the video was cut.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np

from annotate.domain.poses import Poses

BLOCK_FRAMES = 1024


def blocks(parts: Iterable[Poses]) -> Iterator[Poses]:
    """The same poses, cut at the multiples of BLOCK_FRAMES.

    Args:
        parts: in order; frames of chunks that were given up are missing.
    """
    pending: list[Poses] = []
    for part in parts:
        for piece in _pieces(part):
            if pending and _number(piece) != _number(pending[0]):
                yield _joined(pending)
                pending = []
            pending.append(piece)
    if pending:
        yield _joined(pending)


def _number(poses: Poses) -> int:
    return int(poses.frame_index[0]) // BLOCK_FRAMES


def _pieces(part: Poses) -> Iterator[Poses]:
    """The part, cut where blocks begin."""
    changes = np.flatnonzero(np.diff(part.frame_index // BLOCK_FRAMES)) + 1
    for start, stop in pairwise([0, *changes.tolist(), len(part.frame_index)]):
        rows = slice(part.offsets[start], part.offsets[stop])
        yield Poses(
            frame_index=part.frame_index[start:stop],
            pts=part.pts[start:stop],
            time_s=part.time_s[start:stop],
            offsets=part.offsets[start : stop + 1] - part.offsets[start],
            detection_score=part.detection_score[rows],
            score=part.score[rows],
            roi=part.roi[rows],
            landmarks=part.landmarks[rows],
            appearance=part.appearance[rows],
        )


def _joined(pieces: list[Poses]) -> Poses:
    counts = np.concatenate([np.diff(piece.offsets) for piece in pieces])
    return Poses(
        frame_index=np.concatenate([piece.frame_index for piece in pieces]),
        pts=np.concatenate([piece.pts for piece in pieces]),
        time_s=np.concatenate([piece.time_s for piece in pieces]),
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        detection_score=np.concatenate([piece.detection_score for piece in pieces]),
        score=np.concatenate([piece.score for piece in pieces]),
        roi=np.concatenate([piece.roi for piece in pieces]),
        landmarks=np.concatenate([piece.landmarks for piece in pieces]),
        appearance=np.concatenate([piece.appearance for piece in pieces]),
    )
