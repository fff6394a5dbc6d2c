"""Where to cut a video: at keyframes where it has them, and never at a price that eats the gain."""

from collections.abc import Iterator

import numpy as np

from annotate.domain import Chunk, VideoIndex

# Expected work of one frame on one core, measured on a 2024 server core at 1080p. Only the length
# of chunks depends on it, never a result.
CORE_SECONDS_PER_FRAME = 0.015
CHUNK_CORE_SECONDS = 60.0


def chunk_frames(total_frames: int, workers: int) -> int:
    """How many frames a chunk should have.

    About a minute of one core's work: short enough that a killed worker loses little, long enough
    that the queue costs nothing. A job smaller than a minute for each worker is cut finer, so that
    no core is idle.

    Args:
        total_frames: of the whole job.
        workers: how many processes are known to wait for chunks.
    """
    most = round(CHUNK_CORE_SECONDS / CORE_SECONDS_PER_FRAME)
    return max(1, min(most, -(-total_frames // workers)))


def cut(index: VideoIndex, target: int) -> tuple[Chunk, ...]:
    """Chunks of about `target` frames that cover the video.

    A chunk ends at the keyframe nearest to the target length, if one lies between half and one and
    a half of it. Elsewhere the cut falls between keyframes, and the next chunk's worker first has
    to decode the frames since the last one: such a chunk is twice as long as that run-up, so that
    even a video with a single keyframe is decoded less than twice in all, however many chunks.
    """
    return tuple(_cut(len(index), index.keyframes, target))


def _cut(frames: int, keyframes: np.ndarray, target: int) -> Iterator[Chunk]:
    start = 0
    while start < frames:
        stop = _near_keyframe(keyframes, start, _wanted(keyframes, start, target))
        if frames - stop < _wanted(keyframes, stop, target) // 2:
            stop = frames
        yield Chunk(start, stop)
        start = stop


def _wanted(keyframes: np.ndarray, start: int, target: int) -> int:
    return max(target, 2 * _run_up(keyframes, start))


def _run_up(keyframes: np.ndarray, start: int) -> int:
    before = keyframes[: np.searchsorted(keyframes, start, side="right")]
    return start - int(before[-1]) if len(before) else start


def _near_keyframe(keyframes: np.ndarray, start: int, wanted: int) -> int:
    low, high = start + max(1, wanted // 2), start + wanted + wanted // 2
    near = keyframes[(keyframes >= low) & (keyframes <= high)]
    if not len(near):
        return start + wanted
    return int(near[np.argmin(np.abs(near - (start + wanted)))])
