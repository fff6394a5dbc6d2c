"""What the page reads in binary: little-endian arrays one after the other."""

import struct

from annotate.domain.outline import Outline
from annotate.domain.tracks import Tracks

# x, y and visibility of a landmark.
_SENT = [0, 1, 3]


def poses_block(tracks: Tracks) -> bytes:
    """`uint32 poses, uint32 landmarks`, then `int32 frame`, `int32 track`, `float32 score`,
    `float32 filled` (0 or 1) and `float32 (landmarks, 3)` of each pose.
    """
    head = struct.pack("<II", len(tracks), tracks.smoothed.shape[1])
    columns = [
        tracks.frame_index.astype("<i4"),
        tracks.track_id.astype("<i4"),
        tracks.score.astype("<f4"),
        tracks.filled.astype("<f4"),
        tracks.smoothed[:, :, _SENT].astype("<f4"),
    ]
    return head + b"".join(column.tobytes() for column in columns)


def outline_block(outline: Outline) -> bytes:
    """`uint32 poses`, then `int32 frame`, `int32 track`, `float32 score`, `float32 filled`."""
    columns = [
        outline.frame_index.astype("<i4"),
        outline.track_id.astype("<i4"),
        outline.score.astype("<f4"),
        outline.filled.astype("<f4"),
    ]
    return struct.pack("<I", len(outline)) + b"".join(column.tobytes() for column in columns)
