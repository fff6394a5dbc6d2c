"""Where videos are cut into chunks."""

from collections.abc import Iterable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotate.domain.job import Recipe
from annotate.domain.options import People
from annotate.domain.pack import read_pack
from annotate.domain.video import Chunk
from annotate.numeric import chunking
from annotate.numeric.chunking import chunk_frames, decoded_frames, restart_every
from annotate.use_cases.expected_cost import frame_core_s

SECONDS = 0.02
"""Of one core for a frame."""


def cut(frames: int, keyframes: Iterable[int], target: int, align: int = 1) -> tuple[Chunk, ...]:
    """The chunks of a video whose frames are all selected."""
    return chunking.cut(np.arange(frames), np.array(list(keyframes), np.int64), target, align)


def test_a_video_with_a_keyframe_every_second_is_cut_only_at_keyframes() -> None:
    chunks = cut(3000, range(0, 3000, 30), 400)
    assert all(chunk.start % 30 == 0 for chunk in chunks)
    assert all(200 <= len(chunk) <= 620 for chunk in chunks)


def test_a_video_with_one_keyframe_is_decoded_less_than_twice_in_all() -> None:
    chunks = cut(100_000, [0], 4000)
    assert len(chunks) > 3
    run_up = sum(chunk.start for chunk in chunks)
    assert run_up < 100_000


def test_two_workers_share_a_short_video_with_one_keyframe() -> None:
    chunks = cut(100, [0], chunk_frames(100, 2, SECONDS))
    assert chunks == (Chunk(0, 50), Chunk(50, 100))


def test_chunks_of_a_pipeline_with_a_memory_start_where_it_restarts() -> None:
    starts = [chunk.start for chunk in cut(20_000, range(0, 20_000, 250), 4000, align=300)]
    assert len(starts) > 3
    # 1500 is the least common multiple: no frame is decoded twice.
    assert all(start % 1500 == 0 for start in starts)


def test_a_video_without_keyframes_is_cut_where_the_pipeline_restarts() -> None:
    starts = [chunk.start for chunk in cut(2000, [], 100, align=300)]
    assert len(starts) > 1
    assert all(start % 300 == 0 for start in starts)


def test_of_thinned_frames_chunks_start_with_the_first_one_after_a_keyframe() -> None:
    frames = np.arange(0, 9000, 7)
    keyframes = np.arange(0, 9000, 250)
    chunks = chunking.cut(frames, keyframes, 400)
    assert [len(chunk) for chunk in chunks[:2]] == [393, 393]
    assert chunks[-1].stop == len(frames)
    starts = frames[[chunk.start for chunk in chunks]]
    assert (starts % 250 < 7).all()


def test_chunks_are_shorter_the_longer_a_frame_takes() -> None:
    assert chunk_frames(10**6, 1, 0.04) > chunk_frames(10**6, 1, 0.4) > 100


def test_frames_are_decoded_from_the_keyframe_before_each_chunk_on() -> None:
    keyframes, frames = np.array([0, 50]), np.arange(100)
    chunks = [Chunk(0, 30), Chunk(30, 60), Chunk(60, 100)]
    assert decoded_frames(frames, keyframes, chunks) == 30 + 60 + 50
    every_third = np.arange(0, 100, 3)
    assert decoded_frames(every_third, keyframes, [Chunk(0, 20), Chunk(20, 34)]) == 58 + 50
    assert decoded_frames(frames, np.array([], np.int64), [Chunk(40, 50)]) == 50


@pytest.mark.parametrize(
    ("pack", "longer"),
    [("blazepose_pack", True), ("lightning_pack", False)],
    ids=["tiles", "a person detector"],
)
def test_only_tiles_make_a_frame_of_all_people_dearer(
    pack: str, longer: bool, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(pack)
    models = read_pack(folder)
    near, every = (
        frame_core_s(models, folder, Recipe(models.name, models.digest, people, 5))
        for people in get_args(People)
    )
    assert (every > 2 * near) is longer


@pytest.mark.parametrize(("detect_every", "frames"), [(1, 1), (5, 300), (7, 301), (1000, 1000)])
def test_the_memory_ends_at_a_frame_that_the_detector_sees(detect_every: int, frames: int) -> None:
    assert restart_every(detect_every, 300) == frames
    assert frames % detect_every == 0


@pytest.mark.parametrize(
    ("total", "workers", "frames"),
    [(1_000_000, 2, 3000), (100, 2, 50), (101, 2, 51), (1, 8, 1)],
    ids=["a long job", "a short job", "an odd number of frames", "one frame"],
)
def test_length_of_a_chunk(total: int, workers: int, frames: int) -> None:
    assert chunk_frames(total, workers, SECONDS) == frames


@given(
    frames=st.integers(1, 2000),
    keyframes=st.sets(st.integers(0, 1999)),
    target=st.integers(1, 500),
    align=st.sampled_from([1, 5, 300]),
)
def test_chunks_cover_every_frame_once(
    frames: int, keyframes: set[int], target: int, align: int
) -> None:
    inside = sorted(k for k in keyframes if k < frames)
    chunks = cut(frames, inside, target, align)
    assert all(chunk.start % align == 0 for chunk in chunks)
    covered = [i for chunk in chunks for i in range(chunk.start, chunk.stop)]
    assert covered == list(range(frames))
