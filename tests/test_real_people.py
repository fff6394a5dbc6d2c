"""Labelled people on photographs, through the program with a pack of person boxes and MoveNet."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.real_people import Content, figures, predictions, write_videos


@pytest.fixture(scope="module")
def results(
    shared_data: Path, lightning_pack: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[Content]:
    """COCO results of the four images with labelled people."""
    scratch = tmp_path_factory.mktemp("photographs")
    data = shared_data / "coco"
    labels = json.loads((data / "person_keypoints.json").read_text())
    write_videos(data, scratch / "videos")
    return predictions(lightning_pack, scratch / "videos", labels, scratch)


def test_nearly_all_people_are_found(shared_data: Path, results: list[Content]) -> None:
    found = figures(shared_data / "coco" / "person_keypoints.json", results, image_ms=0.0)
    assert found.ap >= 0.55
    assert found.recall >= 0.9


def test_unsure_poses_count_too_with_low_scores(results: list[Content]) -> None:
    scores = np.array([one["score"] for one in results])
    assert scores.min() < 0.1
    assert scores.max() > 0.4
