"""Labelled people on photographs that are turned, through the program with MoveNet."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import annotate
from annotate.domain.job import HERE, Job, JobVideo, Recipe
from annotate.domain.pack import read_pack
from annotate.domain.settings import settings_from
from annotate.domain.tracks import Tracks
from annotate.review.adding import PersonFinder, Pointed
from annotate.store import open_store
from annotate.video import probe
from annotate.video.writer import VideoWriter
from tests.benchmarks.real_people import LOSSLESS, rgb
from tests.benchmarks.turned_people import photographs, turned, turned_labels
from tests.in_process import InProcess

# COCO's AP of Lightning on the four photographs, which is about 0.6 as they are, where people are
# found, and where most of them are not.
FOUND_AP, LOST_AP = 0.45, 0.25
# A pose that is the same but for the crop: distance of keypoints in heights of the person.
SAME_POSE = 0.05
# The image of one person, who skis.
SKIER = 785
# Pixels, of rounding.
NEAR = 0.01


@pytest.fixture(scope="module")
def photograph(shared_data: Path) -> Path:
    """Of one person."""
    return shared_data / "coco" / "000000000785.jpg"


def test_turned_people_are_found_with_rotations_only(
    shared_data: Path, lightning_pack: Path
) -> None:
    found = photographs(lightning_pack, shared_data / "coco", 90)
    assert found[1][0].ap < LOST_AP
    assert found[4][0].ap >= FOUND_AP


def test_the_python_api_finds_them_too(
    lightning_pack: Path, photograph: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANNOTATE_PACKS", str(lightning_pack.parent))
    picture = rgb(photograph)
    upright = annotate.PoseEstimator().poses(picture).keypoints[0, :, :2]
    one = turned(picture, 180)
    options = annotate.SubmitOptions(rotations=4)
    people = annotate.PoseEstimator(options).poses(one.rgb)
    expected = upright @ one.matrix[:, :2].T + one.matrix[:, 2]
    height = np.ptp(upright, axis=0).max()
    apart = np.linalg.norm(people.keypoints[:, :, :2] - expected, axis=2)
    assert np.median(apart, axis=1).min() < SAME_POSE * height


def test_a_person_that_a_reviewer_points_at_is_looked_at_as_the_job_does(
    lightning_pack: Path, photograph: Path, tmp_path: Path
) -> None:
    one, file = turned(rgb(photograph), 180), tmp_path / "turned.mp4"
    with VideoWriter(file, LOSSLESS) as video:
        video.write(one.rgb)
    index, pack = probe(file), read_pack(lightning_pack)
    store = open_store(str(tmp_path / "store"))
    store.add_pack(lightning_pack, pack.digest)
    labels = json.loads((photograph.parent / "person_keypoints.json").read_text())
    after = turned_labels(labels, {image["file_name"]: one for image in labels["images"]})
    (label,) = [person for person in after["annotations"] if person["image_id"] == SKIER]
    x, y, width, height = label["bbox"]
    box = Pointed(np.array([[x, y], [x + width, y + height]], np.float32), is_box=True)
    score = {}
    for rotations in (1, 4):
        there = JobVideo("turned.mp4", index.fingerprint, HERE, str(file))
        recipe = Recipe(pack.name, pack.digest, "all", rotations=rotations)
        finder = PersonFinder(store, settings_from({}), Job("", recipe, None, (there,)))
        found = finder.find(file, index, Tracks.none(17, 0), 0, box, alone=True)
        (score[rotations],) = found.change(None, 1).scores
    assert score[4] > score[1]


@pytest.mark.parametrize("where", ["option", "annotate.toml"])
def test_a_pack_that_finds_rotation_itself_is_refused_with_the_next_step(
    where: str, tmp_path: Path, blazepose_pack: Path, stroll: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    host = InProcess(tmp_path / "host", blazepose_pack.parent)
    chosen = ["--rotations", "4"]
    if where == "annotate.toml":
        Path("annotate.toml").write_text("[submit]\nrotations = 4\n")
        chosen = []
    said = host.run("submit", stroll, *chosen)
    assert (said.code, said.defect) == (2, None), said.text
    assert "the models of the pack blazepose-full find by themselves how people" in said.text
    assert "Leave out --rotations 4" in said.text


@pytest.mark.parametrize("degrees", [0, 45, 90, 180])
def test_a_label_follows_its_picture(degrees: float) -> None:
    """The benchmark's own: a white pixel is where its turned label is."""
    picture = np.zeros((61, 41, 3), np.uint8)
    picture[20:23, 30:33] = 255
    person: dict[str, Any] = {
        "image_id": 1,
        "keypoints": [31, 21, 2, 0, 0, 0],
        "bbox": [30, 20, 2, 2],
        "area": 4,
        "segmentation": [],
    }
    labels = {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [person]}
    one = turned(picture, degrees)
    after = turned_labels(labels, {"a.jpg": one})
    assert after["images"][0]["height"] == one.rgb.shape[0]
    x, y, v, *rest = after["annotations"][0]["keypoints"]
    down, right = np.argwhere(one.rgb[:, :, 0] == one.rgb.max()).mean(axis=0)
    assert (x, y) == pytest.approx((right, down), abs=0.8)
    assert (v, rest) == (2, [0, 0, 0])
    left, top, width, height = after["annotations"][0]["bbox"]
    assert (left + width / 2, top + height / 2) == pytest.approx((x, y), abs=NEAR)
    assert json.dumps(after)
