"""The frames in which people are counted before a job, and what is said of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotate.cli.costs import cost_lines
from annotate.domain.job import Recipe
from annotate.domain.pack import read_pack
from annotate.numeric.costs import HostSpeed
from annotate.use_cases.expected_cost import ExpectedCost, Wanted, expected_cost
from annotate.use_cases.people_sample import (
    FRAMES,
    MAX_RUN_UP,
    PeopleSample,
    reachable,
    spread,
)
from annotate.video import describe, probe

HOST = HostSpeed({"detector": 10.0, "landmark": 10.0})


def test_frames_are_spread_evenly_over_all_videos() -> None:
    long, short, none = np.arange(0, 600, 2), np.arange(100), np.arange(0)
    places = [(number, frames.tolist()) for number, frames in spread([long, none, short])]
    # Of 400 selected frames the 25th, 75th and so on, in the numbers of their videos.
    assert places == [(0, [50, 150, 250, 350, 450, 550]), (2, [25, 75])]
    assert [frames.tolist() for _, frames in spread([np.arange(3)])] == [[0, 1, 2]]
    assert list(spread([none])) == []


def test_a_frame_that_is_far_from_its_keyframe_is_not_decoded_for() -> None:
    keyframes = np.array([0, 500])
    near, far = 500 + MAX_RUN_UP, 500 + MAX_RUN_UP + 1
    assert reachable(np.array([10, near]), keyframes) == [10, near]
    assert reachable(np.array([10, far, far + 100]), keyframes) == [10, 500]
    # Frames of a video without keyframes can only be counted from the first one on.
    assert reachable(np.array([10, 20]), np.array([], np.int64)) == [0]


def test_without_people_one_a_frame_is_assumed() -> None:
    assert PeopleSample(8, 12).a_frame == 1.5
    assert PeopleSample(8, 0).a_frame == 1
    assert PeopleSample(0, 0).a_frame == 1


@pytest.fixture
def expected(stroll: Path, blazepose_pack: Path) -> ExpectedCost:
    index, pack = probe(stroll), read_pack(blazepose_pack)
    wanted = Wanted(index, describe(stroll, index.stream), np.arange(len(index)))
    recipe = Recipe(pack.name, pack.digest, "near", 5)
    return expected_cost([wanted], blazepose_pack, recipe, HOST, PeopleSample(FRAMES, 12), 2)


def test_lines_say_for_how_many_people(expected: ExpectedCost) -> None:
    first, total, *_ = cost_lines(expected)
    assert "1.5 people a frame (as in 8 frames that were looked at)" in first
    assert "on 1 core of this host" in total
    alone = replace(expected, sample=PeopleSample(FRAMES, 0))
    assert "1 person a frame (no one was found in 8 frames" in cost_lines(alone)[0]
    one = replace(expected, sample=PeopleSample(1, 1))
    assert "1 person a frame (as in 1 frame that was looked at)" in cost_lines(one)[0]


def test_lines_say_what_an_accelerator_takes(expected: ExpectedCost) -> None:
    faster = replace(
        expected,
        host=replace(HOST, accelerated=True),
        cost=replace(expected.cost, accelerator_s=90.0),
    )
    assert "models on the accelerator for 1 min 30 s" in cost_lines(faster)[2]


def test_one_more_person_costs_what_one_person_costs(expected: ExpectedCost) -> None:
    runs = expected.cost.runs["landmark"] / expected.sample.a_frame
    assert expected.further_core_s > runs * HOST.model_ms["landmark"] / 1e3
    (video,) = expected.video_core_s
    start = expected.cost.core_s["start"]
    assert video == pytest.approx(expected.cost.total_core_s - start)


def test_no_more_processes_are_counted_than_chunks(expected: ExpectedCost) -> None:
    # 60 frames are one chunk: people are remembered for 300.
    assert (expected.chunks, expected.processes) == (1, 1)
