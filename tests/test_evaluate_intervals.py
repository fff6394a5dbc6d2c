"""Evaluation: how sure the figures are, and how they differ by what is visible of a person."""

import json
from pathlib import Path

import numpy as np
import pytest

from annotate.evaluate.average_precision import average_precision
from annotate.evaluate.coco_files import read_predictions, read_truth
from annotate.evaluate.intervals import SAMPLES
from tests.made_evaluation import LEFT_WRIST, Content, Evaluate, dancing, results_of, truth_of


def as_images(truth: Content) -> Content:
    """The same images, of no video."""
    for image in truth["images"]:
        del image["video_id"], image["frame_id"]
    return truth


def in_videos(truth: Content, frames: int) -> Content:
    """The same images in videos of so many frames."""
    for number, image in enumerate(truth["images"]):
        image["video_id"] = 1 + number // frames
    return truth


def half_found() -> list[Content]:
    """Poses of every second image, with scores that fall."""
    poses = results_of(dancing(300))
    return [row | {"score": 1 / (2 + n)} for n, row in enumerate(poses) if n % 2 == 0]


def test_interval_of_a_share_is_the_binomial_one(evaluated: Evaluate) -> None:
    truth = as_images(truth_of(dancing(300)))
    intervals = evaluated(half_found(), truth).intervals
    assert (intervals.over, intervals.groups) == ("images", 60)
    assert intervals.recall is not None
    low, high = intervals.recall
    # 90% of a normal distribution is within 1.645 deviations, here of 60 draws at one half.
    width = 1.645 * np.sqrt(0.25 / 60)
    assert (low, high) == pytest.approx((0.5 - width, 0.5 + width), abs=0.02)
    assert intervals.precision == pytest.approx((1, 1))
    assert intervals.pck == pytest.approx((1, 1))


def test_frames_of_a_video_are_drawn_together(evaluated: Evaluate) -> None:
    """Ten videos, of which every second one is found, are ten draws and not sixty."""
    truth = in_videos(truth_of(dancing(300)), 6)
    found = [row for n, row in enumerate(results_of(dancing(300))) if n // 6 % 2 == 0]
    intervals = evaluated(found, truth).intervals
    assert (intervals.over, intervals.groups) == ("videos", 10)
    assert intervals.recall is not None
    low, high = intervals.recall
    assert high - low == pytest.approx(2 * 1.645 * np.sqrt(0.25 / 10), abs=0.1)


def test_one_video_has_no_intervals(evaluated: Evaluate) -> None:
    intervals = evaluated(results_of(dancing(300)), truth_of(dancing(300))).intervals
    assert intervals.groups == 1
    assert intervals.ap is intervals.recall is intervals.pck is None


def test_intervals_are_the_same_again(evaluated: Evaluate) -> None:
    truth = as_images(truth_of(dancing(300)))
    first, second = (evaluated(half_found(), truth).intervals for _ in range(2))
    assert first == second
    assert SAMPLES >= 200


def test_figures_of_all_images_are_those_of_pycocotools(
    tmp_path: Path,
) -> None:
    """Noise makes poses of all degrees of similarity; some people are missed, some are twice."""
    rng = np.random.default_rng(3)
    truth = truth_of(dancing(300), dancing(150, x=900))
    noisy = results_of(*(body + rng.normal(0, 9, body.shape) for body in (dancing(300),) * 2))
    noisy += results_of(dancing(150, x=900) + rng.normal(0, 4, dancing(150).shape))[::2]
    scores = rng.random(len(noisy)).tolist()
    noisy = [row | {"score": float(score)} for row, score in zip(noisy, scores, strict=True)]
    folder = tmp_path
    (folder / "truth.json").write_text(json.dumps(truth))
    (folder / "answer.json").write_text(json.dumps(noisy))
    known = read_truth(folder / "truth.json")
    poses = read_predictions(folder / "answer.json", known).poses
    figures, ranking = average_precision(known, poses)
    ap, ar = ranking.ap_ar(np.ones(len(known.images)))
    assert figures.ap is not None
    assert 0.1 < figures.ap < 0.9
    assert (ap, ar) == pytest.approx((figures.ap, figures.ar), abs=1e-9)
    # Every image twice: the same figures, but for the curve's finer steps.
    assert ranking.ap_ar(np.full(len(known.images), 2.0)) == pytest.approx((ap, ar), abs=1e-9)


def test_people_are_counted_by_what_is_visible_of_them(evaluated: Evaluate) -> None:
    truth = truth_of(dancing(300), dancing(300, x=900))
    for row in truth["annotations"]:
        if row["track_id"] == 2:
            # Of the 17 keypoints 8 are hidden, and one is not labelled at all.
            row["keypoints"][2 : 2 + 3 * 8 : 3] = [1.0] * 8
            row["keypoints"][3 * 16 + 2] = 0.0
    evaluation = evaluated(results_of(dancing(300)), truth)
    bands = {(one.low, one.high): (one.people, one.found) for one in evaluation.by_visibility}
    assert bands == {
        (0, 0.25): (0, 0),
        (0.25, 0.5): (60, 0),
        (0.5, 0.75): (0, 0),
        (0.75, 1): (60, 60),
    }


def test_each_keypoint_has_its_own_figures(evaluated: Evaluate) -> None:
    found = dancing(300)
    found[:, LEFT_WRIST] += 300.0
    figures = evaluated(results_of(found), truth_of(dancing(300))).by_keypoint
    assert figures[LEFT_WRIST].name == "left_wrist"
    assert figures[LEFT_WRIST].labelled == 60
    assert figures[LEFT_WRIST].pck == 0
    assert figures[LEFT_WRIST].similarity == pytest.approx(0, abs=1e-6)
    others = [one for one in figures if one.name != "left_wrist"]
    assert {one.pck for one in others} == {1.0}
    assert {one.similarity for one in others} == {1.0}
