"""Odd videos through the whole program; the right answers are in CASES.md beside them."""

import json
import os
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from annotate.domain.video import Chunk
from annotate.video import decode, probe
from tests.command import Host
from tests.made_videos import Layout, h264
from tests.test_folders import APPLE_DOUBLE

# Of the poses found where stored pixels are up to three times as wide, so that a third of the
# detail is there: the fraction that a picture with square pixels has at the same place, how much
# their boxes overlap, and how many there are in 33 frames.
MIN_SAME_PEOPLE, SAME_BOX, MIN_POSES = 0.7, 0.6, 10
# The number of sound frames of a damaged video, that may be without a pose.
MAX_WITHOUT_POSE = 8
# The second half of 20 shows rows 100 to 302 of the first one, enlarged, and is annotated in the
# middle of 640 rows: what is at y there is at y + 119 here.
ROWS_SEEN_TWICE, SHIFT_PX = (105, 290), (0, 119)
# Distance in pixels within which the models find a point again in the other half, and the fraction
# of frames in which they do.
SAME_POINT_PX, MIN_SAME_FRAMES = 10.0, 0.9


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
        # The two people hardly move. They are hard to find, so that in which frames each is found
        # differs, but not where.
        same = [max(overlap(box, one) for one in boxes[1]) >= SAME_BOX for box in boxes[other]]
        assert sum(same) >= MIN_SAME_PEOPLE * len(same)
        assert len(same) >= MIN_POSES


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


def test_what_damage_leaves_keeps_its_picture_and_its_number(shared_data: Path) -> None:
    """Frames before packet 5, and from the next keyframe on, are those of the other file, which
    is sound there.
    """
    one, other = (
        shared_data / "cases" / f"0{name}.mp4"
        for name in ("1_one_bad_packet_frame40", "2_one_bad_packet_frame5")
    )
    for chunk in (Chunk(0, 5), Chunk(60, 70)):
        found = [list(decode(path, probe(path), chunk)) for path in (one, other)]
        assert [frame.index for frame in found[1]] == list(range(chunk.start, chunk.stop))
        for truth, frame in zip(*found, strict=True):
            assert np.array_equal(frame.rgb, truth.rgb)


# The frames that are to be found in each file, and words of the note about it.
NOTES: Mapping[str, tuple[int, str]] = {
    "03_frames_one_tick_apart.mp4": (100, "unusable time stamps; counted at 60"),
    "04_avi_rate_1000000.avi": (25, "unusable time stamps; counted at 30"),
    "09_torchcodec_nasa_13013.mp4": (390, "stream 3 is annotated; it also has 0"),
    "11_two_video_tracks.mp4": (100, "is annotated; it also has"),
    "14_edit_list_trims_the_end.mp4": (48, ""),
    "16_two_ts_joined.ts": (200, "unusable time stamps; counted at 60"),
    "19_three_frames_per_ms.mkv": (100, "unusable time stamps; counted at 60"),
    "23_one_time_stamp_out_of_order.mkv": (100, "1 time stamp out of order, interpolated"),
}


@pytest.mark.timeout(600)
def test_odd_videos_are_annotated_whole_with_a_note_beside_one_that_is_refused(
    host: Host, shared_data: Path
) -> None:
    """All in one job; a frame now and then is enough, since all are counted."""
    cases = shared_data / "cases"
    files = [cases / name for name in NOTES]
    said = host.run("submit", *files, cases / "12_encrypted_cenc.mp4", "--fps", "2", code=3)
    assert "8 of 8 videos done, 1 rejected" in said.out
    assert "12_encrypted_cenc.mp4 is encrypted" in said.err
    for name, (_, note) in NOTES.items():
        about = [line for line in said.err.splitlines() if f" {name}: " in line]
        assert bool(about) == bool(note), about
        assert note in "".join(about)
    probed = json.loads(host.run("probe", *files, "--json").out)["videos"]
    frames = {Path(one["path"]).name: one["frames"] for one in probed}
    assert frames == {name: count for name, (count, _) in NOTES.items()}
    content = json.loads(host.exported())
    assert not content["info"].get("damaged")
    (refused,) = content["info"]["rejected"]
    assert "12_encrypted_cenc.mp4" in refused["path"]
    sizes = {video["name"]: (video["width"], video["height"]) for video in content["videos"]}
    assert sizes["09_torchcodec_nasa_13013.mp4"] == (480, 270)


@pytest.mark.timeout(600)
def test_keypoints_are_right_before_and_after_the_picture_is_turned(
    host: Host, shared_data: Path
) -> None:
    """Both halves show the same scene, the second one enlarged and cut to its middle."""
    said = host.run("submit", shared_data / "cases" / "20_orientation_changes_amid.ts")
    assert "100 frames of another size, fitted into the first: 100-199 (640x360)" in said.out
    content = json.loads(host.exported())
    frames = {image["id"]: image["frame_id"] for image in content["images"]}
    poses = {frames[one["image_id"]]: points(one) for one in content["annotations"]}
    assert len(content["annotations"]) == len(poses) == len(frames) == 200
    same = [is_same(poses[number], poses[number + 100]) for number in range(100)]
    assert sum(same) >= MIN_SAME_FRAMES * len(same)


def points(annotation: Mapping[str, Any]) -> NDArray[np.float64]:
    """(17, 3): x, y in pixels and visibility."""
    return np.array(annotation["keypoints"], np.float64).reshape(17, 3)


def is_same(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether the points that both halves show are at the same places of the scene."""
    low, high = ROWS_SEEN_TWICE
    both = (one[:, 2] > 0) & (other[:, 2] > 0) & (one[:, 1] > low) & (one[:, 1] < high)
    apart = np.linalg.norm(other[both, :2] - one[both, :2] - SHIFT_PX, axis=1)
    return bool(both.sum() >= 4 and np.median(apart) < SAME_POINT_PX)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".ts", ".avi", ".flv"])
def test_sound_that_is_longer_than_the_picture_is_no_missing_picture(
    suffix: str, tmp_path: Path
) -> None:
    """Half a second of picture beside three seconds of sound."""
    path = tmp_path / f"video{suffix}"
    h264(suffix, sound_s=3.0, frames=12).make(path)
    index = probe(path)
    assert len(index) == 12
    assert (index.missing_s, index.missing_frames, index.undecodable) == (0.0, 0, 0)


def test_files_of_every_container_in_a_folder_are_annotated(
    host: Host, stroll: Path, tmp_path: Path
) -> None:
    """One of them has a byte in its name that is not UTF-8; `._a.mp4` is what macOS leaves."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    shutil.copy(stroll, folder / "a.mp4")
    shutil.copy(stroll, folder / os.fsdecode(b"latin\xe9.mp4"))
    (folder / "._a.mp4").write_bytes(APPLE_DOUBLE)
    made = Layout(".vob", codec="mpeg2video", muxer="vob", frames=6)
    made.make(folder / "VTS_01_1.vob")
    replace(made, suffix=".asf", codec="msmpeg4", muxer=None).make(folder / "b.asf")
    replace(made, suffix=".mxf", muxer=None).make(folder / "c.mxf")
    said = host.run("submit", folder)
    assert "5 of 5 videos done" in said.out
    assert "._a" not in said.out + said.err
    content = json.loads(host.exported())
    names = {video["id"]: video["name"] for video in content["videos"]}
    images = Counter(names[image["video_id"]] for image in content["images"])
    others = dict.fromkeys(("VTS_01_1.vob", "b.asf", "c.mxf"), 6)
    assert images == {"a.mp4": 60, "latin%E9.mp4": 60, **others}
