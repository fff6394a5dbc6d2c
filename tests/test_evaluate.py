"""Evaluation: detection, keypoint and identity figures whose values follow from the poses."""

import json
from copy import deepcopy
from pathlib import Path

import pytest

from annotate.domain.skeleton import COCO_KEYPOINTS
from annotate.evaluate import evaluate_files
from tests.made_evaluation import (
    FRAMES,
    LEFT_WRIST,
    SAME_LAG,
    TORSO,
    Evaluate,
    dancing,
    images_of,
    results_of,
    standing,
    truth_of,
)


def test_the_truth_itself_is_perfect(evaluated: Evaluate) -> None:
    people = dancing(300), dancing(200, x=900)
    evaluation = evaluated(results_of(*people), truth_of(*people))
    assert (
        evaluation.detections.people,
        evaluation.detections.found,
        evaluation.detections.false_positives,
    ) == (120, 120, 0)
    assert evaluation.average_precision.ap == evaluation.average_precision.ar == 1
    assert evaluation.pck.overall == 1
    assert evaluation.tracking is not None
    figures = evaluation.tracking
    assert (figures.mota, figures.idf1, figures.hota, figures.identity_switches) == (1, 1, 1, 0)
    assert (figures.people, figures.tracks) == (2, 2)
    assert evaluation.motion is not None
    assert evaluation.motion.jitter == evaluation.motion.true_jitter
    assert evaluation.motion.lag == pytest.approx(0, abs=SAME_LAG)


def test_an_annotation_file_is_as_good_as_a_results_file(evaluated: Evaluate) -> None:
    truth = truth_of(dancing(300))
    answer = deepcopy(truth)
    for image in answer["images"]:
        image["id"] += 1000  # images are known by name
    for annotation in answer["annotations"]:
        annotation["image_id"] += 1000
    evaluation = evaluated(answer, truth)
    assert evaluation.detections.found == FRAMES
    assert evaluation.average_precision.ap == 1


def test_an_annotation_without_a_labelled_keypoint_is_not_a_pose(evaluated: Evaluate) -> None:
    truth = truth_of(dancing(300))
    answer = truth_of(dancing(300), standing(300, x=1000))
    for annotation in answer["annotations"][FRAMES:]:
        annotation |= {"keypoints": [0] * 51, "num_keypoints": 0}
    assert evaluated(answer, truth).detections.false_positives == 0


def test_no_poses_at_all_are_an_answer(evaluated: Evaluate) -> None:
    evaluation = evaluated([], truth_of(dancing(300)))
    assert (evaluation.detections.recall, evaluation.detections.precision) == (0, None)
    assert (evaluation.average_precision.ap, evaluation.average_precision.ar) == (0, 0)
    assert evaluation.pck.overall is None
    assert evaluation.tracking is not None
    assert (evaluation.tracking.mota, evaluation.tracking.idf1, evaluation.tracking.hota) == (
        0,
        0,
        0,
    )
    assert evaluation.motion is None


def test_half_of_the_frames_found_is_half_of_the_recall(evaluated: Evaluate) -> None:
    answer = [r for r in results_of(dancing(300)) if r["image_id"] in images_of(range(30))]
    evaluation = evaluated(answer, truth_of(dancing(300)))
    assert (evaluation.detections.recall, evaluation.detections.precision) == (0.5, 1)
    assert evaluation.average_precision.ar == 0.5
    assert evaluation.tracking is not None
    assert evaluation.tracking.mota == 0.5
    # One track with 30 of 60 poses right: 2 * 30 / (60 + 30).
    assert evaluation.tracking.idf1 == pytest.approx(2 / 3)


def test_a_false_positive_costs_precision_at_its_own_height(evaluated: Evaluate) -> None:
    ghost = standing(100, x=1500)
    evaluation = evaluated(results_of(dancing(300), ghost), truth_of(dancing(300)))
    bands = {band.low: band for band in evaluation.by_height}
    assert (bands[240].people, bands[240].found, bands[240].false_positives) == (60, 60, 0)
    assert (bands[80].people, bands[80].found, bands[80].false_positives) == (0, 0, 60)
    assert (bands[80].recall, bands[80].precision) == (None, 0)
    assert evaluation.detections.precision == 0.5
    assert evaluation.tracking is not None
    assert evaluation.tracking.mota == 0


def test_recall_is_given_by_height(evaluated: Evaluate) -> None:
    small, tall = standing(100), standing(400, x=1000)
    evaluation = evaluated(results_of(tall), truth_of(small, tall))
    recall = {band.low: band.recall for band in evaluation.by_height if band.people}
    assert recall == {80: 0, 240: 1}


@pytest.mark.parametrize("kind", ["unlabelled", "crowd"])
def test_ignored_people_cost_nothing(kind: str, evaluated: Evaluate) -> None:
    """Neither a missing pose on them nor a present one changes a figure."""
    hidden = standing(300, x=1000)
    truth = truth_of(dancing(300), hidden)
    for annotation in truth["annotations"][FRAMES:]:
        if kind == "crowd":
            annotation["iscrowd"] = 1
        else:
            annotation |= {"keypoints": [0] * 51, "num_keypoints": 0}
    without = evaluated(results_of(dancing(300)), truth)
    guessed = evaluated(results_of(dancing(300), hidden + 5), truth)
    for evaluation in (without, guessed):
        assert (
            evaluation.detections.people,
            evaluation.detections.found,
            evaluation.detections.false_positives,
        ) == (60, 60, 0)
        assert evaluation.average_precision.ap == 1
        assert evaluation.tracking is not None
        assert evaluation.tracking.mota == 1


def test_a_person_found_inside_a_crowd_counts(evaluated: Evaluate) -> None:
    truth = truth_of(dancing(300), dancing(300))
    for annotation in truth["annotations"][FRAMES:]:
        annotation |= {"iscrowd": 1, "keypoints": [0] * 51, "num_keypoints": 0}
        annotation["bbox"] = [0, 0, 2000, 2000]
    evaluation = evaluated(results_of(dancing(300), standing(300, x=1000)), truth)
    assert (
        evaluation.detections.people,
        evaluation.detections.found,
        evaluation.detections.false_positives,
    ) == (60, 60, 0)
    assert evaluation.tracking is not None
    assert evaluation.tracking.mota == 1


def test_swapped_tracks_are_two_switches(evaluated: Evaluate) -> None:
    one, other = dancing(300), dancing(300, x=900)
    answer = results_of(one, other)
    for row in answer:
        if row["image_id"] not in images_of(range(30)):
            row["track_id"] = 3 - row["track_id"]
    figures = evaluated(answer, truth_of(one, other)).tracking
    assert figures is not None
    assert figures.identity_switches == 2
    assert figures.mota == pytest.approx(1 - 2 / 120)
    assert figures.idf1 == pytest.approx(0.5)
    # Association of each pose: 30 common frames of 30 + 30 + 30 of its track or its person.
    assert figures.assa == pytest.approx(1 / 3)
    assert figures.hota == pytest.approx((1 / 3) ** 0.5)


def test_a_track_that_breaks_in_a_gap_is_a_switch(evaluated: Evaluate) -> None:
    answer = results_of(dancing(300))
    answer = [r for r in answer if r["image_id"] not in images_of(range(20, 30))]
    for row in answer[20:]:
        row["track_id"] = 7
    figures = evaluated(answer, truth_of(dancing(300))).tracking
    assert figures is not None
    assert (figures.identity_switches, figures.tracks, figures.people) == (1, 2, 1)


def test_people_who_share_a_box_are_told_apart_by_their_poses(evaluated: Evaluate) -> None:
    """The similarity is OKS, which tells two poses in one box apart."""
    upright = dancing(300)
    upside_down = upright.copy()
    upside_down[:, :, 1] = 2 * upright[:, :, 1].mean() - upright[:, :, 1]
    figures = evaluated(results_of(upright, upside_down), truth_of(upright, upside_down)).tracking
    assert figures is not None
    assert (figures.mota, figures.idf1, figures.identity_switches) == (1, 1, 0)


def test_tracks_of_two_videos_are_different(evaluated: Evaluate) -> None:
    first, second = truth_of(dancing(300)), truth_of(dancing(300), video=2)
    for image in second["images"]:
        image["id"] += 500
        image["file_name"] = "other/" + image["file_name"]
    for annotation in second["annotations"]:
        annotation["image_id"] += 500
        annotation["id"] += 500
    first["images"] += second["images"]
    first["annotations"] += second["annotations"]
    answer = results_of(dancing(300))
    answer += [row | {"image_id": row["image_id"] + 500} for row in answer]
    figures = evaluated(answer, first).tracking
    assert figures is not None
    assert (figures.people, figures.tracks, figures.idf1) == (2, 2, 1)


@pytest.mark.parametrize(("torsos", "share"), [(0.19, 1.0), (0.21, 0.0)])
def test_a_keypoint_is_correct_within_a_fifth_of_the_torso(
    torsos: float, share: float, evaluated: Evaluate
) -> None:
    found = standing(300)
    found[:, LEFT_WRIST, 0] += torsos * TORSO * 300
    pck = evaluated(results_of(found), truth_of(standing(300))).pck
    assert pck.by_keypoint[LEFT_WRIST] == share
    assert pck.overall == pytest.approx((16 + share) / 17)


def test_a_keypoint_without_a_label_is_ignored(evaluated: Evaluate) -> None:
    truth = truth_of(standing(300))
    for annotation in truth["annotations"]:
        annotation["keypoints"][3 * LEFT_WRIST : 3 * LEFT_WRIST + 3] = [0, 0, 0]
        annotation["num_keypoints"] = 16
    found = standing(300)
    found[:, LEFT_WRIST] += 1000
    pck = evaluated(results_of(found), truth).pck
    assert pck.by_keypoint[LEFT_WRIST] is None
    assert pck.overall == 1


def test_people_without_a_whole_torso_are_left_out_of_pck(evaluated: Evaluate) -> None:
    bent, hip = standing(300), COCO_KEYPOINTS.index("left_hip")
    truth = truth_of(bent, standing(300, x=1000))
    for annotation in truth["annotations"][:FRAMES]:
        annotation["keypoints"][3 * hip : 3 * hip + 3] = [0, 0, 0]
    bent[:, LEFT_WRIST] += 100
    evaluation = evaluated(results_of(bent, standing(300, x=1000)), truth)
    assert evaluation.detections.recall == 1
    assert evaluation.pck.overall == 1


def test_poses_in_other_images_are_counted_and_left_out(evaluated: Evaluate) -> None:
    answer = results_of(dancing(300))
    for row in answer[:10]:
        row["image_id"] += 5000
    evaluation = evaluated(answer, truth_of(dancing(300)))
    assert evaluation.in_other_images == 10
    assert (evaluation.detections.found, evaluation.detections.false_positives) == (50, 0)


def test_real_labels_are_perfect_against_themselves(shared_data: Path, tmp_path: Path) -> None:
    """COCO's own file: 12 labelled people, two without keypoints, no video."""
    path = shared_data / "coco" / "person_keypoints.json"
    labels = [a for a in json.loads(path.read_text())["annotations"] if a["num_keypoints"]]
    answer = [
        {k: a[k] for k in ("image_id", "category_id", "keypoints")} | {"score": 0.5} for a in labels
    ]
    (tmp_path / "results.json").write_text(json.dumps(answer))
    evaluation = evaluate_files(tmp_path / "results.json", path)
    assert (
        evaluation.detections.people,
        evaluation.detections.found,
        evaluation.detections.false_positives,
    ) == (12, 12, 0)
    assert evaluation.average_precision.ap == 1
    assert evaluation.pck.overall == 1
    assert (evaluation.tracking, evaluation.motion) == (None, None)
