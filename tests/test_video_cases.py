"""Odd videos through the whole program; the right answers are in CASES.md beside them."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.command import Host

# Of the poses in a picture with square pixels, those that are found where the pixels are three
# times as wide, and so a third of the detail is there; and by how much the mean box may move.
MIN_SAME_PEOPLE, MAX_MOVED_PX = 0.85, 25.0


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


@pytest.mark.timeout(600)
def test_people_are_found_whatever_the_shape_of_pixels(host: Host, shared_data: Path) -> None:
    """The same scene stored with square pixels, with 64:45 and with 32:11."""
    names = ["square_1024", "pal169_720", "cctv2cif_352x576"]
    files = [shared_data / "cases" / f"21_two_{name}.mp4" for name in names]
    notes = host.run("submit", *files).err
    assert "pixels 32:11; annotated as displayed, 1024x576" in notes
    content = json.loads(host.exported())
    assert {(image["width"], image["height"]) for image in content["images"]} == {(1024, 576)}
    videos = {image["id"]: image["video_id"] for image in content["images"]}
    boxes: dict[int, list[list[float]]] = {1: [], 2: [], 3: []}
    for pose in content["annotations"]:
        boxes[videos[pose["image_id"]]].append(pose["bbox"])
    square = np.mean(boxes[1], axis=0)
    for other in (2, 3):
        assert len(boxes[other]) >= MIN_SAME_PEOPLE * len(boxes[1])
        np.testing.assert_allclose(np.mean(boxes[other], axis=0), square, atol=MAX_MOVED_PX)
