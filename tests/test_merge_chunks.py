"""Parts to tracks: the same bytes however a video is cut."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotate.domain.poses import Poses
from annotate.domain.tracks import Tracks
from tests.made_tracks import (
    hidden,
    in_parts,
    merged,
    poses_of,
    steady,
    walker,
)


def busy_scene() -> Poses:
    """80 s: more than two of the merge's blocks; people come and go where blocks meet, too."""
    time_s = steady(80, 30)
    people = [
        hidden(walker(time_s, (100, 1800)), (200, 206), (400, 440), (1020, 1027), (2040, 2070)),
        hidden(walker(time_s, (1800, 100), y=430), (0, 100), (590, 720), (980, 1025)),
        hidden(walker(time_s, (900, 1000), y=600), (150, 152), (300, 1024), (2047, 2049)),
    ]
    return poses_of(people, time_s, noise_px=2, outliers=0.01)


def assert_identical(actual: Tracks, expected: Tracks) -> None:
    for field in fields(Tracks):
        a, b = getattr(actual, field.name), getattr(expected, field.name)
        assert a.tobytes() == b.tobytes(), field.name


@pytest.mark.parametrize("count", [7, 100])
def test_as_many_chunks_give_the_same_bytes_as_one(count: int) -> None:
    poses = busy_scene()
    cuts = np.linspace(0, len(poses.frame_index), count + 1).astype(int).tolist()
    assert_identical(merged(in_parts(poses, cuts)), merged([poses]))


@settings(max_examples=10, deadline=None)
@given(cuts=st.lists(st.integers(1, 2399), max_size=12))
def test_any_cuts_give_the_same_bytes(cuts: list[int]) -> None:
    poses = busy_scene()
    assert_identical(merged(in_parts(poses, cuts)), merged([poses]))


def test_frames_that_are_not_selected_do_not_change_where_blocks_begin() -> None:
    poses = busy_scene()
    fifth = replace(poses, frame_index=poses.frame_index * 5)
    assert_identical(merged(in_parts(fifth, [7, 333, 1500])), merged([fifth]))


def test_the_order_of_the_people_in_a_frame_does_not_matter() -> None:
    time_s = steady(4, 30)
    people = [walker(time_s, (200, 900)), walker(time_s, (1500, 1000), y=450)]
    one_way = merged([poses_of(people, time_s)])
    assert_identical(merged([poses_of(people[::-1], time_s)]), one_way)


def test_frames_of_a_chunk_that_failed_are_a_gap() -> None:
    poses = busy_scene()
    first, _, last = in_parts(poses, [300, 400])
    tracks = merged([first, last])
    assert not ((tracks.frame_index >= 300) & (tracks.frame_index < 400)).any()
    assert tracks.frame_index.max() >= 700
