"""Odd videos through the whole program; the right answers are in CASES.md beside them."""

import json
from pathlib import Path

import pytest

from tests.command import Host


@pytest.mark.parametrize(
    ("name", "poses"), [("07_highspeed_1000fps_134_frames", 134), ("08_short_5_frames_30fps", 5)]
)
def test_short_and_fast_videos_have_poses(
    name: str, poses: int, host: Host, shared_data: Path
) -> None:
    host.run("submit", shared_data / "cases" / f"{name}.mp4")
    content = json.loads(host.exported())
    assert len(content["images"]) == poses
    assert len(content["annotations"]) == poses
