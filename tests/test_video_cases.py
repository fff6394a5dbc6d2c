"""Odd videos through the whole program; the right answers are in CASES.md beside them."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.command import Host

# Of the poses in a picture with square pixels, the fraction found where stored pixels are
# three times as wide, so that a third of the detail is there; and how much their boxes overlap.
MIN_SAME_PEOPLE, SAME_BOX = 0.7, 0.6
# The number of sound frames of a damaged video, that may be without a pose.
MAX_WITHOUT_POSE = 8


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
    for other in (2, 3):
        # The two people hardly move; in which frames each is found differs.
        same = [max(overlap(box, one) for one in boxes[1]) >= SAME_BOX for box in boxes[other]]
        assert sum(same) >= MIN_SAME_PEOPLE * len(boxes[1])


def overlap(one: list[float], other: list[float]) -> float:
    """Intersection over union of two boxes, each x, y, width, height."""
    low = np.maximum(one[:2], other[:2])
    high = np.minimum(np.add(one[:2], one[2:]), np.add(other[:2], other[2:]))
    common = float(np.prod(np.maximum(high - low, 0)))
    return common / (one[2] * one[3] + other[2] * other[3] - common)


@pytest.mark.timeout(600)
def test_a_bad_packet_costs_the_rest_of_its_gop_at_most(host: Host, shared_data: Path) -> None:
    """Packet 40, or 5, of 420 is zeroed; the GOP has 30 frames, and the first 90 are annotated."""
    names = ["01_one_bad_packet_frame40", "02_one_bad_packet_frame5"]
    host.run("submit", *(shared_data / "cases" / f"{name}.mp4" for name in names), "--end", "3")
    content = json.loads(host.exported())
    assert len(content["images"]) == 2 * 90
    damaged = {image["id"]: image for image in content["images"] if image.get("damaged")}
    for video, gop, listed in zip((1, 2), (1, 0), content["info"]["damaged"], strict=True):
        frames = [image["frame_id"] for image in damaged.values() if image["video_id"] == video]
        assert 1 <= len(frames) < 30
        assert set(frames) <= set(range(30 * gop, 30 * gop + 30))
        assert listed["frames"] == len(frames)
        assert listed["video"] == f"{names[video - 1]}.mp4"
    posed = {annotation["image_id"] for annotation in content["annotations"]}
    assert not posed & damaged.keys()
    assert len(posed) >= 2 * 90 - len(damaged) - MAX_WITHOUT_POSE
    # Numbers and time stamps are those of the file.
    pts = [image["pts"] for image in content["images"] if image["video_id"] == 1]
    assert pts == list(range(0, 90 * 512, 512))
