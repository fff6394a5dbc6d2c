"""Poses that reviewers add, as an edit keeps them."""

import base64
import binascii
import zlib

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.domain.changes import AddPoses
from annotate.domain.errors import EditError

# Keypoints lie nearer to the picture than this.
MOST_PIXELS = 1e6
# x, y, z, visibility, presence.
_COLUMNS = 5
# The most bytes that the poses of one edit may take: an hour of one person at 30 a second.
_MOST_BYTES = 2**28


def packed(poses: FloatArray) -> str:
    """(n, L, 5 + D) float32 poses as the text of `AddPoses.data`."""
    data = np.ascontiguousarray(poses, "<f4").tobytes()
    return base64.b64encode(zlib.compress(data, 6)).decode()


def unpacked(change: AddPoses) -> FloatArray:
    """(n, L, 5 + D) float32: the poses of an edit.

    Raises:
        EditError: its data do not fit its other fields.
    """
    shape = (len(change.frames), change.landmarks, _COLUMNS + change.axes)
    size = int(np.prod(shape)) * 4
    if not 0 < size <= _MOST_BYTES or min(shape) < 1 or change.axes not in (0, 3):
        raise EditError("add: its poses have no valid size")
    try:
        stream = zlib.decompressobj()
        data = stream.decompress(base64.b64decode(change.data, validate=True), size + 1)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise EditError("add: its poses cannot be read") from error
    if len(data) != size or len(change.scores) != len(change.frames):
        raise EditError("add: it has not as many poses as frames")
    poses = np.frombuffer(data, "<f4").reshape(shape).astype(np.float32)
    if not max(np.abs(poses).max(), *map(abs, change.scores)) <= MOST_PIXELS:
        raise EditError("add: its poses are not numbers that can be")
    return poses
