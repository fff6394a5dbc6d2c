"""Where to cut a video into chunks: at keyframes, as long as decoding between them stays cheap."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, starmap

import numpy as np

from annotate.domain.arrays import IntArray
from annotate.domain.video import Chunk

# Seconds of one core that a chunk should take.
CHUNK_CORE_SECONDS = 60.0


def chunk_frames(total_frames: int, workers: int, frame_core_s: float) -> int:
    """How many frames a chunk should have.

    About a minute of one core's work: short enough that a killed worker loses little, long enough
    that the queue costs nothing. A job smaller than a minute for each worker is cut finer, so that
    no core is idle.

    Args:
        total_frames: of the whole job.
        workers: how many processes are known to wait for chunks.
        frame_core_s: expected seconds of one core for a frame.
    """
    most = round(CHUNK_CORE_SECONDS / frame_core_s)
    return max(1, min(most, -(-total_frames // workers)))


def restart_every(detect_every: int, remembered_frames: int) -> int:
    """Number of frames after which the pipeline forgets people, so that a chunk may begin there.

    Args:
        detect_every: of the recipe. With 1 nothing is remembered from frame to frame.
        remembered_frames: of the pipeline's settings.

    Returns:
        A multiple of `detect_every`.
    """
    return 1 if detect_every == 1 else -(-remembered_frames // detect_every) * detect_every


def cut(frames: IntArray, keyframes: IntArray, target: int, align: int = 1) -> tuple[Chunk, ...]:
    """Chunks of about `target` frames that cover the selected frames.

    A chunk ends at the keyframe nearest to the target length, if one lies between half and one and
    a half of it. Elsewhere the cut falls between keyframes, and the next chunk's worker first has
    to decode the frames since the last one: such a chunk is twice as long as that run-up, so that
    even a video with a single keyframe is decoded less than twice in all, however many chunks.

    Args:
        frames: (M,) int64, increasing: the selected frames of the video.
        keyframes: (K,) int64, increasing, of the whole video.
        align: every chunk starts at a multiple of it, as soon after a keyframe as that allows.

    >>> [chunk.name for chunk in cut(np.arange(10), np.array([0, 4, 8]), target=5)]
    ['000000000-000000004', '000000004-000000008', '000000008-000000010']
    """
    # The first selected frame from each keyframe on, as its number among the selected ones.
    heads = np.unique(np.searchsorted(frames, keyframes))
    return tuple(_cut(len(frames), heads[heads < len(frames)], target, align))


def with_done(fresh: Sequence[Chunk], done: Iterable[Chunk]) -> tuple[Chunk, ...]:
    """Chunks that cover the same frames as `fresh` and keep those that are done already.

    >>> [c.name for c in with_done([Chunk(0, 50), Chunk(50, 99)], [Chunk(20, 70)])]
    ['000000000-000000020', '000000020-000000070', '000000070-000000099']
    """
    kept: list[Chunk] = []
    for chunk in sorted(done):
        if chunk.stop <= fresh[-1].stop and (not kept or chunk.start >= kept[-1].stop):
            kept.append(chunk)
    bounds = {0, *(chunk.stop for chunk in fresh)}
    bounds -= {b for chunk in kept for b in bounds if chunk.start < b < chunk.stop}
    ends = sorted(bounds.union(*((chunk.start, chunk.stop) for chunk in kept)))
    return tuple(starmap(Chunk, pairwise(ends)))


def decoded_frames(frames: IntArray, keyframes: IntArray, chunks: Iterable[Chunk]) -> int:
    """How many frames are decoded for the chunks of a video: for each those between its first and
    its last one, and before them from the last keyframe on.

    Args:
        frames: (M,) int64, increasing: the selected frames of the video.
        keyframes: (K,) int64, increasing, of the whole video; without any, decoding begins at 0.

    >>> decoded_frames(np.arange(10), np.array([0, 4]), [Chunk(0, 6), Chunk(6, 10)])
    12
    """
    count = 0
    for chunk in chunks:
        first, last = int(frames[chunk.start]), int(frames[chunk.stop - 1])
        before = keyframes[: np.searchsorted(keyframes, first, side="right")]
        count += last + 1 - (int(before[-1]) if len(before) else 0)
    return count


def _cut(frames: int, keyframes: np.ndarray, target: int, align: int) -> Iterator[Chunk]:
    start = 0
    while start < frames:
        stop = _near_keyframe(keyframes, start, _wanted(keyframes, start, target), align)
        if frames - stop < _wanted(keyframes, stop, target) // 2:
            stop = frames
        yield Chunk(start, stop)
        start = stop


def _wanted(keyframes: np.ndarray, start: int, target: int) -> int:
    return max(target, 2 * _run_up(keyframes, start))


def _run_up(keyframes: np.ndarray, start: int) -> int:
    before = keyframes[: np.searchsorted(keyframes, start, side="right")]
    return start - int(before[-1]) if len(before) else start


def _near_keyframe(keyframes: np.ndarray, start: int, wanted: int, align: int) -> int:
    low, high = start + max(1, wanted // 2), start + wanted + wanted // 2
    near = keyframes[(keyframes >= low) & (keyframes <= high)]
    if not len(near):
        near = np.array([start + wanted])
    stops = -(-near // align) * align
    return int(stops[np.lexsort((np.abs(stops - (start + wanted)), stops - near))[0]])
