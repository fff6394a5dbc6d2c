"""Where to cut a video into chunks: at keyframes, as long as decoding between them stays cheap."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import numpy as np

from annotate.domain.arrays import IntArray
from annotate.domain.options import People
from annotate.domain.video import Chunk

# Expected seconds of one core, measured on a 2024 server core at 1080p with one or two people: the
# detector on one square, and all the rest of a frame. They change the length of chunks, never a
# result.
DETECTOR_CORE_SECONDS = 0.007
FRAME_CORE_SECONDS = 0.008
# Squares of a frame that the detector sees.
SQUARES: Mapping[People, int] = MappingProxyType({"near": 1, "all": 39})
# Seconds of one core that a chunk should take.
CHUNK_CORE_SECONDS = 60.0


def chunk_frames(
    total_frames: int, workers: int, people: People = "near", detect_every: int = 1
) -> int:
    """How many frames a chunk should have.

    About a minute of one core's work: short enough that a killed worker loses little, long enough
    that the queue costs nothing. A job smaller than a minute for each worker is cut finer, so that
    no core is idle.

    Args:
        total_frames: of the whole job.
        workers: how many processes are known to wait for chunks.
        people, detect_every: of the recipe.
    """
    detector_s = DETECTOR_CORE_SECONDS * SQUARES[people] / detect_every
    most = round(CHUNK_CORE_SECONDS / (FRAME_CORE_SECONDS + detector_s))
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
