"""Poses and indexes made of numbers alone, for tests that need no picture."""

from dataclasses import fields
from fractions import Fraction

import numpy as np

from annotate.domain.poses import Poses
from annotate.domain.video import VideoIndex

FINGERPRINT = "ab" * 32


def made_index(frames: int = 10, fps: int = 30, fingerprint: str = FINGERPRINT) -> VideoIndex:
    return VideoIndex(
        fingerprint=fingerprint,
        size_bytes=1234,
        codec="h264",
        width=640,
        height=360,
        rotation=90,
        time_base=Fraction(1, fps * 512),
        pts=np.arange(frames, dtype=np.int64) * 512 + 1024,
        keyframes=np.arange(0, frames, 5, dtype=np.int64),
        declared_frames=None,
    )


def made_poses(counts: list[int], start: int = 0, landmarks: int = 33, axes: int = 3) -> Poses:
    """Poses with random landmarks: `counts[i]` people in frame `start + i`."""
    random = np.random.default_rng(start)
    total = sum(counts)
    frame_index = np.arange(start, start + len(counts), dtype=np.int64)
    return Poses(
        frame_index=frame_index,
        pts=frame_index * 512 + 1024,
        time_s=frame_index / 30,
        offsets=np.cumsum([0, *counts], dtype=np.int64),
        detection_score=random.random(total, np.float32),
        score=random.random(total, np.float32),
        roi=random.random((total, 4), np.float32),
        landmarks=random.random((total, landmarks, 5), np.float32),
        appearance=255 * random.random((total, 6), np.float32),
        world=random.random((total, landmarks, axes), np.float32),
    )


def assert_same(actual: object, expected: object) -> None:
    """Checks that two dataclasses are equal, their arrays and dtypes included."""
    for field in fields(expected):  # type: ignore[arg-type]  # a dataclass
        a, b = getattr(actual, field.name), getattr(expected, field.name)
        if isinstance(b, np.ndarray):
            assert a.dtype == b.dtype, field.name
            np.testing.assert_array_equal(a, b, err_msg=field.name)
        else:
            assert a == b, field.name
