"""Evaluation: files that are rejected, with a message that says why."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annotate.domain.errors import UsageError
from annotate.evaluate import evaluate_files
from tests.made_evaluation import (
    Content,
    Evaluate,
    dancing,
    results_of,
    truth_of,
)


def _doubled(rows: list[Content]) -> list[Content]:
    return [*rows, rows[0]]


def _without_keypoints(rows: list[Content]) -> list[Content]:
    return [{k: v for k, v in row.items() if k != "keypoints"} for row in rows]


def _with_33(rows: list[Content]) -> list[Content]:
    return [row | {"keypoints": [1.0] * 99} for row in rows]


def _elsewhere(rows: list[Content]) -> list[Content]:
    return [row | {"image_id": 1} for row in rows]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(_doubled, "twice in one frame", id="a track twice in a frame"),
        pytest.param(_without_keypoints, "lacks 'keypoints'", id="boxes only"),
        pytest.param(_with_33, "not COCO keypoints", id="33 keypoints"),
        pytest.param(_elsewhere, "none of its poses", id="other images"),
        pytest.param(lambda _rows: 5, "not COCO keypoints", id="a number"),
    ],
)
def test_unusable_predictions_are_rejected(
    change: Callable[[list[Content]], Any], message: str, evaluated: Evaluate
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        evaluated(change(results_of(dancing(300))), truth_of(dancing(300)))
    assert caught.value.hint


def test_truth_of_another_skeleton_is_compared_by_the_names_of_its_keypoints(
    evaluated: Evaluate,
) -> None:
    truth, answer = truth_of(dancing(300)), truth_of(dancing(300))
    # The right eye of the truth is somewhere else, under a name that the answer lacks.
    truth["categories"][0]["keypoints"][2] = "head_top"
    for row in truth["annotations"]:
        row["keypoints"][6] += 1000.0
    evaluation = evaluated(answer, truth)
    figures = {one.name: one for one in evaluation.by_keypoint}
    assert figures["head_top"].similarity == 0
    assert figures["left_wrist"].similarity == 1
    assert len(figures) == 17
    # The order of names is that of the truth; the same answer in another order is the same.
    names = answer["categories"][0]["keypoints"]
    answer["categories"][0]["keypoints"] = [*reversed(names)]
    for row in answer["annotations"]:
        triplets = [row["keypoints"][3 * k : 3 * k + 3] for k in range(17)]
        row["keypoints"] = [value for triplet in reversed(triplets) for value in triplet]
    assert evaluated(answer, truth).by_keypoint == evaluation.by_keypoint


def test_truth_of_three_points_has_figures_without_pck(evaluated: Evaluate) -> None:
    truth = truth_of(dancing(300))
    truth["categories"][0]["keypoints"] = ["nose", "tail", "left_wrist"]
    for row in truth["annotations"]:
        row["keypoints"] = row["keypoints"][:9]
    answer = [row | {"keypoints": row["keypoints"][:9]} for row in results_of(dancing(300))]
    evaluation = evaluated(answer, truth)
    assert evaluation.detections.recall == 1
    assert evaluation.average_precision.ap == 1
    assert evaluation.pck.overall is None
    assert evaluation.intervals.pck is None


def test_answer_without_any_keypoint_of_the_truth_is_rejected(evaluated: Evaluate) -> None:
    answer = truth_of(dancing(300))
    names = answer["categories"][0]["keypoints"]
    answer["categories"][0]["keypoints"] = [f"dog_{name}" for name in names]
    with pytest.raises(UsageError, match="no keypoint of the truth"):
        evaluated(answer, truth_of(dancing(300)))


def test_a_results_file_is_not_a_truth(evaluated: Evaluate) -> None:
    answer: Any = results_of(dancing(300))
    with pytest.raises(UsageError, match="not a COCO annotation file"):
        evaluated(answer, answer)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(UsageError, match=r"broken\.json: not JSON"):
        evaluate_files(tmp_path / "x.json", tmp_path / "broken.json")
    with pytest.raises(UsageError, match=r"missing\.json: No such file"):
        evaluate_files(tmp_path / "x.json", tmp_path / "missing.json")


def test_a_missing_library_is_named_with_what_to_install(
    evaluated: Evaluate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "motrics", None)
    with pytest.raises(UsageError, match="motrics") as caught:
        evaluated(results_of(dancing(300)), truth_of(dancing(300)))
    assert "annotate-video[evaluate]" in caught.value.hint
