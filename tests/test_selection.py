"""Which frames of a video a selection takes, and what is written of them."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotate.domain.errors import ExitCode
from annotate.domain.options import Selection
from annotate.domain.video import VideoIndex
from annotate.numeric.selection import ALL_FRAMES, selected_frames
from tests.command import Host

STEADY = VideoIndex(
    fingerprint="0" * 64,
    size_bytes=1,
    codec="h264",
    width=64,
    height=64,
    rotation=0,
    time_base=Fraction(1, 30),
    pts=np.arange(90),
    keyframes=np.array([0]),
    declared_frames=90,
)
# Steady for a second, then one frame that stands for a second, then steady again.
UNEVEN = replace(STEADY, pts=np.concatenate([np.arange(30), np.arange(60, 91)]))


@pytest.mark.parametrize(
    ("selection", "frames"),
    [
        (ALL_FRAMES, range(90)),
        (Selection(start_s=1.0), range(30, 90)),
        (Selection(end_s=1.0), range(30)),
        (Selection(start_s=1.01, end_s=1.2), range(31, 36)),
        (Selection(every=7), range(0, 90, 7)),
        (Selection(start_s=1.0, every=7), range(35, 90, 7)),
        (Selection(fps=10.0), range(0, 90, 3)),
        (Selection(fps=1.0), [0, 30, 60]),
        (Selection(start_s=0.5, fps=1.0), [30, 60]),
        (Selection(fps=60.0), range(90)),
        (Selection(start_s=5.0), []),
    ],
    ids=str,
)
def test_of_a_steady_video(selection: Selection, frames: range) -> None:
    assert selected_frames(STEADY, selection).tolist() == list(frames)


@pytest.mark.parametrize(("late", "taken"), [(8, [0, 1, 2, 3]), (15, [0, 2, 3])])
def test_a_frame_may_be_late_by_a_millisecond(late: int, taken: list[int]) -> None:
    """Of ten frames a second; ticks are a tenth of a millisecond."""
    ticks = np.array([0, 1000 + late, 2000, 3000])
    index = replace(STEADY, time_base=Fraction(1, 10_000), pts=ticks)
    assert selected_frames(index, Selection(fps=10.0)).tolist() == taken


@pytest.mark.parametrize("first", [0, 15, 9000])
def test_start_and_end_are_on_the_clock_of_players(first: int) -> None:
    """The container starts half a second before the picture, whatever its clock says then."""
    index = replace(STEADY, pts=STEADY.pts + first, container_start_s=first / 30 - 0.5)
    assert selected_frames(index, Selection(start_s=0.4)).tolist() == list(range(90))
    assert selected_frames(index, Selection(start_s=1.0, end_s=1.5)).tolist() == list(range(15, 30))
    assert selected_frames(index, Selection(fps=1.0)).tolist() == [0, 30, 60]


def test_a_container_start_that_is_rounded_up_loses_no_frame() -> None:
    index = replace(STEADY, pts=STEADY.pts + 1, container_start_s=0.033334)
    assert selected_frames(index, Selection(end_s=1.0)).tolist() == list(range(30))


def test_of_an_uneven_video_the_frame_that_is_shown_is_taken() -> None:
    # At 0, 0.5, 1, 1.5, 2, 2.5 and 3 s; frame 29 is still shown at 1 and at 1.5 s.
    assert selected_frames(UNEVEN, Selection(fps=2.0)).tolist() == [0, 15, 29, 30, 45, 60]


def test_a_clock_that_jumps_by_years_takes_no_more_memory_than_its_frames() -> None:
    jumping = replace(STEADY, pts=np.concatenate([np.arange(30), 2**40 + np.arange(60)]))
    # Frame 29 is on the screen for years.
    frames = selected_frames(jumping, Selection(fps=10.0)).tolist()
    assert frames[:11] == [*range(0, 30, 3), 29]
    assert len(frames) == 11 + 20


@pytest.mark.parametrize(
    ("options", "frames"),
    [(["--start", "0.5", "--end", "0:01"], range(15, 30)), (["--fps", "3"], range(0, 60, 10))],
    ids=["a span of time", "some frames a second"],
)
def test_only_selected_frames_are_annotated(
    host: Host, stroll: Path, options: list[str], frames: range
) -> None:
    said = host.run("submit", stroll, "--detect-every", "1", "--smooth", "off", *options)
    assert f"{len(frames)} frames" in said.out
    host.run("export", "--out", "some.json")
    some = json.loads((host.home / "some.json").read_text())
    assert [image["frame_id"] for image in some["images"]] == list(frames)
    assert some["images"][0]["file_name"] == f"stroll/frame_{frames[0]:06d}.jpg"

    host.run("submit", stroll, "--detect-every", "1", "--smooth", "off")
    host.run("export", "--out", "all.json")
    whole = json.loads((host.home / "all.json").read_text())
    # The shorter film may leave out a person who is seen too briefly to count, and no more.
    everyone, found = by_frame(whole), by_frame(some)
    assert list(found) == list(frames)
    assert all(pose in everyone[frame] for frame, poses in found.items() for pose in poses)


def by_frame(dataset: dict[str, Any]) -> dict[int, list[list[float]]]:
    """Keypoints of each frame that has any."""
    frame_of = {image["id"]: image["frame_id"] for image in dataset["images"]}
    found: dict[int, list[list[float]]] = {}
    for annotation in dataset["annotations"]:
        found.setdefault(frame_of[annotation["image_id"]], []).append(annotation["keypoints"])
    return {frame: sorted(poses) for frame, poses in found.items()}


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--start", "soon"], ExitCode.USAGE, "is not a time"),
        (["--start", "2", "--end", "1"], ExitCode.USAGE, "not after"),
        (["--every", "2", "--fps", "5"], ExitCode.USAGE, "exclude each other"),
        (["--start", "1:00"], ExitCode.BAD_VIDEO, "shown from 0.0 to 2.0 s"),
    ],
    ids=["not a time", "ends before it starts", "both ways", "after the video's end"],
)
def test_impossible_selections_are_refused(
    host: Host, stroll: Path, options: list[str], code: ExitCode, said: str
) -> None:
    assert said in host.run("submit", stroll, *options, code=code).err
