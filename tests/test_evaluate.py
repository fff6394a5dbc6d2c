"""Evaluation: figures whose value follows from how the poses were made."""

import json
import sys
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from annotate.cli.evaluate import evaluate
from annotate.errors import UsageError
from annotate.evaluate import Report, as_json, evaluate_files, plots, tables
from annotate.skeletons import COCO_KEYPOINTS

Content = dict[str, Any]

FPS = 30.0
FRAMES = 60
SAME_LAG = 0.02  # frames
LEFT_WRIST = COCO_KEYPOINTS.index("left_wrist")
# Somebody who stands upright, seen from the front; x and y in body heights from the crown.
_MIDDLE, _SIDES = [(0.0, 0.08)], [(0.02, 0.06), (0.04, 0.07), (0.1, 0.18), (0.14, 0.33)]
_BELOW = [(0.16, 0.47), (0.06, 0.5), (0.07, 0.74), (0.07, 0.95)]
UPRIGHT = np.array(_MIDDLE + [(s * x, y) for x, y in _SIDES + _BELOW for s in (1, -1)])
TORSO = 0.5 - 0.18  # in body heights


def standing(height: float, x: float = 500.0, y: float = 100.0) -> np.ndarray:
    """(FRAMES, 17, 2): somebody who does not move."""
    return np.tile(UPRIGHT * height + [x, y], (FRAMES, 1, 1))


def dancing(height: float, x: float = 500.0, y: float = 100.0) -> np.ndarray:
    """(FRAMES, 17, 2): somebody who sways once a second, by a tenth of the height."""
    sway = 0.1 * height * np.sin(2 * np.pi * np.arange(FRAMES) / FPS)
    return standing(height, x, y) + np.stack([sway, 0 * sway], axis=1)[:, None]


def truth_of(*people: np.ndarray, time_s: np.ndarray | None = None, video: int = 1) -> Content:
    """An annotation file with one video and a track for each of (FRAMES, 17, 2) people."""
    times = np.arange(FRAMES) / FPS if time_s is None else time_s
    return {
        "images": [
            {
                "id": 100 + frame,
                "file_name": f"made/frame_{frame:06d}.jpg",
                "video_id": video,
                "frame_id": frame,
                "time_s": float(times[frame]),
            }
            for frame in range(FRAMES)
        ],
        "categories": [{"id": 1, "name": "person", "keypoints": list(COCO_KEYPOINTS)}],
        "annotations": [
            {"id": 1 + number * FRAMES + frame, **_person(points[frame], 100 + frame, number + 1)}
            for number, points in enumerate(people)
            for frame in range(FRAMES)
        ],
    }


def _person(points: np.ndarray, image: int, track: int) -> Content:
    corner, size = points.min(axis=0), np.ptp(points, axis=0)
    # The box holds crown and soles too.
    box = [corner[0], corner[1] - 0.07 * size[1], size[0], size[1] / 0.89]
    return {
        "image_id": image,
        "category_id": 1,
        "keypoints": np.column_stack([points, np.full(17, 2.0)]).ravel().tolist(),
        "num_keypoints": 17,
        "bbox": [float(one) for one in box],
        "area": float(0.53 * box[2] * box[3]),
        "iscrowd": 0,
        "track_id": track,
    }


def results_of(*people: np.ndarray) -> list[Content]:
    """A results file with a track for each of (FRAMES, 17, 2) people."""
    return [
        {
            "image_id": 100 + frame,
            "category_id": 1,
            "keypoints": np.column_stack([points[frame], np.ones(17)]).ravel().tolist(),
            "score": 0.9,
            "track_id": number + 1,
        }
        for number, points in enumerate(people)
        for frame in range(FRAMES)
    ]


Evaluate = Callable[[Any, Content], Report]


@pytest.fixture
def evaluated(tmp_path: Path) -> Evaluate:
    """Writes both files and evaluates them."""

    def run(predictions: Any, truth: Content) -> Report:
        (tmp_path / "truth.json").write_text(json.dumps(truth))
        (tmp_path / "predictions.json").write_text(json.dumps(predictions))
        return evaluate_files(tmp_path / "predictions.json", tmp_path / "truth.json")

    return run


def images_of(frames: range) -> set[int]:
    return {100 + frame for frame in frames}


def test_the_truth_itself_is_perfect(evaluated: Evaluate):
    people = dancing(300), dancing(200, x=900)
    report = evaluated(results_of(*people), truth_of(*people))
    assert (report.found.people, report.found.found, report.found.invented) == (120, 120, 0)
    assert report.average.ap == report.average.ar == 1
    assert report.correct.all == 1
    assert report.tracking is not None
    figures = report.tracking
    assert (figures.mota, figures.idf1, figures.hota, figures.switches) == (1, 1, 1, 0)
    assert (figures.people, figures.tracks) == (2, 2)
    assert report.motion is not None
    assert report.motion.jitter == report.motion.true_jitter
    assert report.motion.lag == pytest.approx(0, abs=SAME_LAG)


def test_an_annotation_file_is_as_good_as_a_results_file(evaluated: Evaluate):
    truth = truth_of(dancing(300))
    answer = deepcopy(truth)
    for image in answer["images"]:
        image["id"] += 1000  # images are known by name
    for annotation in answer["annotations"]:
        annotation["image_id"] += 1000
    report = evaluated(answer, truth)
    assert report.found.found == FRAMES
    assert report.average.ap == 1


def test_an_annotation_without_a_labelled_keypoint_is_no_pose(evaluated: Evaluate):
    truth = truth_of(dancing(300))
    answer = truth_of(dancing(300), standing(300, x=1000))
    for annotation in answer["annotations"][FRAMES:]:
        annotation |= {"keypoints": [0] * 51, "num_keypoints": 0}
    assert evaluated(answer, truth).found.invented == 0


def test_nobody_found_is_an_answer(evaluated: Evaluate):
    report = evaluated([], truth_of(dancing(300)))
    assert (report.found.recall, report.found.precision) == (0, None)
    assert (report.average.ap, report.average.ar) == (0, 0)
    assert report.correct.all is None
    assert report.tracking is not None
    assert (report.tracking.mota, report.tracking.idf1, report.tracking.hota) == (0, 0, 0)
    assert report.motion is None


def test_half_of_the_frames_found_is_half_of_the_recall(evaluated: Evaluate):
    answer = [r for r in results_of(dancing(300)) if r["image_id"] in images_of(range(30))]
    report = evaluated(answer, truth_of(dancing(300)))
    assert (report.found.recall, report.found.precision) == (0.5, 1)
    assert report.average.ar == 0.5
    assert report.tracking is not None
    assert report.tracking.mota == 0.5
    # One track with 30 of 60 poses right: 2 * 30 / (60 + 30).
    assert report.tracking.idf1 == pytest.approx(2 / 3)


def test_an_invented_person_costs_precision_at_his_own_height(evaluated: Evaluate):
    ghost = standing(100, x=1500)
    report = evaluated(results_of(dancing(300), ghost), truth_of(dancing(300)))
    bands = {band.low: band for band in report.heights}
    assert (bands[240].people, bands[240].found, bands[240].invented) == (60, 60, 0)
    assert (bands[80].people, bands[80].found, bands[80].invented) == (0, 0, 60)
    assert (bands[80].recall, bands[80].precision) == (None, 0)
    assert report.found.precision == 0.5
    assert report.tracking is not None
    assert report.tracking.mota == 0


def test_recall_is_told_by_height(evaluated: Evaluate):
    small, tall = standing(100), standing(400, x=1000)
    report = evaluated(results_of(tall), truth_of(small, tall))
    recall = {band.low: band.recall for band in report.heights if band.people}
    assert recall == {80: 0, 240: 1}


@pytest.mark.parametrize("kind", ["unlabelled", "crowd"])
def test_nobody_is_asked_for_who_is(kind: str, evaluated: Evaluate):
    """Neither a missing pose nor one that is there costs anything."""
    hidden = standing(300, x=1000)
    truth = truth_of(dancing(300), hidden)
    for annotation in truth["annotations"][FRAMES:]:
        if kind == "crowd":
            annotation["iscrowd"] = 1
        else:
            annotation |= {"keypoints": [0] * 51, "num_keypoints": 0}
    without = evaluated(results_of(dancing(300)), truth)
    guessed = evaluated(results_of(dancing(300), hidden + 5), truth)
    for report in (without, guessed):
        assert (report.found.people, report.found.found, report.found.invented) == (60, 60, 0)
        assert report.average.ap == 1
        assert report.tracking is not None
        assert report.tracking.mota == 1


def test_who_stands_in_a_crowd_and_is_found_counts(evaluated: Evaluate):
    truth = truth_of(dancing(300), dancing(300))
    for annotation in truth["annotations"][FRAMES:]:
        annotation |= {"iscrowd": 1, "keypoints": [0] * 51, "num_keypoints": 0}
        annotation["bbox"] = [0, 0, 2000, 2000]
    report = evaluated(results_of(dancing(300), standing(300, x=1000)), truth)
    assert (report.found.people, report.found.found, report.found.invented) == (60, 60, 0)
    assert report.tracking is not None
    assert report.tracking.mota == 1


def test_swapped_tracks_are_two_switches(evaluated: Evaluate):
    one, other = dancing(300), dancing(300, x=900)
    answer = results_of(one, other)
    for row in answer:
        if row["image_id"] not in images_of(range(30)):
            row["track_id"] = 3 - row["track_id"]
    figures = evaluated(answer, truth_of(one, other)).tracking
    assert figures is not None
    assert figures.switches == 2
    assert figures.mota == pytest.approx(1 - 2 / 120)
    assert figures.idf1 == pytest.approx(0.5)
    # Each pose shares a third of what it or its person stands in with it: 30 of 30 + 30 + 30.
    assert figures.assa == pytest.approx(1 / 3)
    assert figures.hota == pytest.approx((1 / 3) ** 0.5)


def test_a_track_that_breaks_in_a_gap_is_a_switch(evaluated: Evaluate):
    answer = results_of(dancing(300))
    answer = [r for r in answer if r["image_id"] not in images_of(range(20, 30))]
    for row in answer[20:]:
        row["track_id"] = 7
    figures = evaluated(answer, truth_of(dancing(300))).tracking
    assert figures is not None
    assert (figures.switches, figures.tracks, figures.people) == (1, 2, 1)


def test_people_who_share_a_box_are_told_apart_by_their_poses(evaluated: Evaluate):
    """The similarity is OKS: of two poses in one box the right one is the right one."""
    upright = dancing(300)
    upside_down = upright.copy()
    upside_down[:, :, 1] = 2 * upright[:, :, 1].mean() - upright[:, :, 1]
    figures = evaluated(results_of(upright, upside_down), truth_of(upright, upside_down)).tracking
    assert figures is not None
    assert (figures.mota, figures.idf1, figures.switches) == (1, 1, 0)


def test_tracks_of_two_videos_are_not_one(evaluated: Evaluate):
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


@pytest.mark.parametrize("frames_late", [0, 1, 3, -2])
def test_lag_is_the_delay_in_frames(frames_late: int, evaluated: Evaluate):
    person = dancing(300)
    late = np.roll(person, frames_late, axis=0)  # two whole periods
    motion = evaluated(results_of(late), truth_of(person)).motion
    assert motion is not None
    assert motion.lag == pytest.approx(frames_late, abs=SAME_LAG)


def test_lag_is_told_to_fractions_of_a_frame(evaluated: Evaluate):
    person = dancing(300)
    half = (person + np.roll(person, 1, axis=0)) / 2
    motion = evaluated(results_of(half), truth_of(person)).motion
    assert motion is not None
    assert motion.lag == pytest.approx(0.5, abs=SAME_LAG)


def test_a_constant_offset_is_no_lag_even_of_somebody_who_walks(evaluated: Evaluate):
    step = 2.0 * np.arange(FRAMES)[:, None, None] * [1, 0]
    walking = dancing(300) + step
    motion = evaluated(results_of(walking - [6, 0]), truth_of(walking)).motion
    assert motion is not None
    assert motion.lag == pytest.approx(0, abs=SAME_LAG)


@pytest.mark.parametrize("speed", [0.0, 3.0], ids=["stands", "walks evenly"])
def test_lag_cannot_be_told_of_somebody_who(speed: float, evaluated: Evaluate):
    person = standing(300) + speed * np.arange(FRAMES)[:, None, None] * [1, 0]
    motion = evaluated(results_of(person), truth_of(person)).motion
    assert motion is not None
    assert motion.lag is None


def test_jitter_of_noise_is_what_statistics_say(evaluated: Evaluate):
    person, sigma = standing(300), 1.5
    noise = np.random.default_rng(2).normal(0, sigma, person.shape)
    truth = truth_of(person)
    motion = evaluated(results_of(person + noise), truth).motion
    assert motion is not None
    # The second difference of white noise has a variance of 1 + 4 + 1; its length in two
    # dimensions is Rayleigh's, with a mean of sqrt(pi / 2) standard deviations.
    height = truth["annotations"][0]["bbox"][3]
    expected = sigma * 6**0.5 * (np.pi / 2) ** 0.5 * FPS**2 / height
    assert motion.jitter == pytest.approx(expected, rel=0.05)
    assert motion.true_jitter == pytest.approx(0, abs=1e-9)


def test_jitter_takes_uneven_times_as_they_are(evaluated: Evaluate):
    """Somebody in free fall has the same acceleration whatever the frames' times."""
    random = np.random.default_rng(3)
    time_s = np.cumsum(random.uniform(0.02, 0.06, FRAMES))
    fall = 40.0  # pixels per square second
    person = standing(300)
    person[:, :, 1] += (0.5 * fall * time_s**2)[:, None]
    truth = truth_of(person, time_s=time_s)
    motion = evaluated(results_of(person), truth).motion
    assert motion is not None
    assert motion.jitter == pytest.approx(fall / truth["annotations"][0]["bbox"][3], rel=1e-6)


@pytest.mark.parametrize("between", ["a gap", "a switch of track id"])
def test_jitter_does_not_look_across(between: str, evaluated: Evaluate):
    person = standing(300)
    moved = person.copy()
    moved[30:] += 10
    answer = results_of(moved)
    if between == "a gap":
        del answer[30]
    else:
        for row in answer[30:]:
            row["track_id"] = 2
    motion = evaluated(answer, truth_of(person)).motion
    assert motion is not None
    assert motion.jitter == pytest.approx(0, abs=1e-9)


def test_the_third_number_of_a_results_keypoint_means_nothing(evaluated: Evaluate):
    """Some tools write 0 there, some a score."""
    answer = results_of(dancing(300))
    for row in answer:
        row["keypoints"][2::3] = [0] * 17
    report = evaluated(answer, truth_of(dancing(300)))
    assert report.average.ap == 1
    assert report.motion is not None
    assert report.motion.jitter is not None
    assert report.motion.jitter == report.motion.true_jitter


def test_jitter_cannot_be_told_without_times(evaluated: Evaluate):
    truth = truth_of(dancing(300))
    for image in truth["images"]:
        del image["time_s"]
    motion = evaluated(results_of(dancing(300)), truth).motion
    assert motion is not None
    assert (motion.jitter, motion.true_jitter) == (None, None)
    assert motion.lag == pytest.approx(0, abs=SAME_LAG)


@pytest.mark.parametrize(("torsos", "share"), [(0.19, 1.0), (0.21, 0.0)])
def test_a_keypoint_is_correct_within_a_fifth_of_the_torso(
    torsos: float, share: float, evaluated: Evaluate
):
    found = standing(300)
    found[:, LEFT_WRIST, 0] += torsos * TORSO * 300
    correct = evaluated(results_of(found), truth_of(standing(300))).correct
    assert correct.each[LEFT_WRIST] == share
    assert correct.all == pytest.approx((16 + share) / 17)


def test_a_keypoint_without_a_label_is_not_asked_for(evaluated: Evaluate):
    truth = truth_of(standing(300))
    for annotation in truth["annotations"]:
        annotation["keypoints"][3 * LEFT_WRIST : 3 * LEFT_WRIST + 3] = [0, 0, 0]
        annotation["num_keypoints"] = 16
    found = standing(300)
    found[:, LEFT_WRIST] += 1000
    correct = evaluated(results_of(found), truth).correct
    assert correct.each[LEFT_WRIST] is None
    assert correct.all == 1


def test_people_without_a_whole_torso_are_left_out_of_pck(evaluated: Evaluate):
    bent, hip = standing(300), COCO_KEYPOINTS.index("left_hip")
    truth = truth_of(bent, standing(300, x=1000))
    for annotation in truth["annotations"][:FRAMES]:
        annotation["keypoints"][3 * hip : 3 * hip + 3] = [0, 0, 0]
    bent[:, LEFT_WRIST] += 100
    report = evaluated(results_of(bent, standing(300, x=1000)), truth)
    assert report.found.recall == 1
    assert report.correct.all == 1


def test_images_that_are_no_video_have_no_tracks_and_no_motion(evaluated: Evaluate):
    truth = truth_of(standing(300))
    for image in truth["images"]:
        del image["video_id"], image["frame_id"], image["time_s"]
    report = evaluated(results_of(standing(300)), truth)
    assert report.average.ap == 1
    assert report.tracking is None
    assert report.motion is None


def test_poses_without_tracks_still_move(evaluated: Evaluate):
    answer = results_of(dancing(300))
    for row in answer:
        del row["track_id"]
    report = evaluated(answer, truth_of(dancing(300)))
    assert report.tracking is None
    assert report.motion is not None
    assert report.motion.jitter == report.motion.true_jitter


def test_poses_in_other_images_are_counted_and_left_out(evaluated: Evaluate):
    answer = results_of(dancing(300))
    for row in answer[:10]:
        row["image_id"] += 5000
    report = evaluated(answer, truth_of(dancing(300)))
    assert report.elsewhere == 10
    assert (report.found.found, report.found.invented) == (50, 0)


def test_real_labels_are_perfect_against_themselves(shared_data: Path, tmp_path: Path):
    """COCO's own file: 12 labelled people, two without keypoints, no video."""
    path = shared_data / "coco" / "person_keypoints.json"
    labels = [a for a in json.loads(path.read_text())["annotations"] if a["num_keypoints"]]
    answer = [
        {k: a[k] for k in ("image_id", "category_id", "keypoints")} | {"score": 0.5} for a in labels
    ]
    (tmp_path / "results.json").write_text(json.dumps(answer))
    report = evaluate_files(tmp_path / "results.json", path)
    assert (report.found.people, report.found.found, report.found.invented) == (12, 12, 0)
    assert report.average.ap == 1
    assert report.correct.all == 1
    assert (report.tracking, report.motion) == (None, None)


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
def test_predictions_are_refused_that_hold(
    change: Callable[[list[Content]], Any], message: str, evaluated: Evaluate
):
    with pytest.raises(UsageError, match=message) as refused:
        evaluated(change(results_of(dancing(300))), truth_of(dancing(300)))
    assert refused.value.hint


def test_a_truth_of_another_skeleton_is_refused(evaluated: Evaluate):
    truth = truth_of(dancing(300))
    truth["categories"][0]["keypoints"][1] = "head_bottom"
    with pytest.raises(UsageError, match="not the 17 of COCO"):
        evaluated(results_of(dancing(300)), truth)


def test_a_results_file_is_no_truth(evaluated: Evaluate):
    answer: Any = results_of(dancing(300))
    with pytest.raises(UsageError, match="no COCO annotation file"):
        evaluated(answer, answer)


def test_files_that_cannot_be_read_are_named(tmp_path: Path):
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(UsageError, match=r"broken\.json: no JSON"):
        evaluate_files(tmp_path / "x.json", tmp_path / "broken.json")
    with pytest.raises(UsageError, match=r"missing\.json: No such file"):
        evaluate_files(tmp_path / "x.json", tmp_path / "missing.json")


def test_a_missing_library_is_named_with_what_to_install(
    evaluated: Evaluate, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "motrics", None)
    with pytest.raises(UsageError, match="motrics") as refused:
        evaluated(results_of(dancing(300)), truth_of(dancing(300)))
    assert "annotate[evaluate]" in refused.value.hint


@pytest.fixture
def report(evaluated: Evaluate) -> Report:
    people = dancing(300), dancing(100, x=900)
    return evaluated(results_of(people[0] + 2), truth_of(*people))


def test_the_report_is_json(report: Report):
    content = json.loads(json.dumps(as_json(report), allow_nan=False))
    assert content["found"]["recall"] == 0.5
    assert report.tracking is not None
    assert content["tracking"]["idf1"] == pytest.approx(report.tracking.idf1)
    assert [band["high"] for band in content["heights"]][-1] is None


def test_the_tables_say_what_the_report_says(report: Report):
    shown = {row[0]: row[1:] for table in tables(report) for row in table.rows}
    assert shown["all"] == ("120", "60", "0", "0.500", "1.000")
    assert shown["80 to 120 px"] == ("60", "0", "0", "0.000", "-")
    assert shown["MOTA"] == ("0.500",)
    assert all(len(row) == len(table.head) for table in tables(report) for row in table.rows)


def test_tables_leave_out_what_cannot_be_told(report: Report):
    titles = [table.title for table in tables(replace(report, tracking=None, motion=None))]
    assert len(titles) == 2


def test_plots_are_pictures(report: Report, tmp_path: Path):
    folder = tmp_path / "new" / "plots"
    paths = plots(report, folder)
    assert {path.name for path in paths} == {
        "heights.png",
        "identity.png",
        "keypoints.png",
        "precision.png",
    }
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


def test_plots_leave_out_what_cannot_be_told(report: Report, tmp_path: Path):
    paths = plots(replace(report, tracking=None), tmp_path)
    assert "identity.png" not in {path.name for path in paths}


def test_plots_need_a_folder_that_can_be_written(report: Report, tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write plots"):
        plots(report, tmp_path / "file" / "plots")


@pytest.fixture
def said(tmp_path: Path) -> Callable[..., str]:
    """What `annotate evaluate` prints of a perfect answer and of ten poses that are elsewhere."""
    truth, answer = truth_of(dancing(300)), results_of(dancing(300))
    answer += [row | {"image_id": row["image_id"] + 5000} for row in answer[:10]]
    files = {"answer.json": answer, "truth.json": truth}
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    app = typer.Typer()
    app.command()(evaluate)

    def run(*options: str) -> str:
        paths = [str(tmp_path / name) for name in files]
        done = CliRunner().invoke(app, [*paths, *options], catch_exceptions=False)
        assert done.exit_code == 0
        return done.stdout

    return run


def test_the_command_prints_tables(said: Callable[..., str]):
    out = said()
    assert [line.split()[-1] for line in out.splitlines() if line.startswith("IDF1")] == ["1.000"]
    assert "10 poses are in no image of the truth" in out


def test_the_command_prints_json_and_nothing_else(said: Callable[..., str], tmp_path: Path):
    folder = tmp_path / "plots"
    report = json.loads(said("--json", "--plots", str(folder)))
    assert report["average"]["ap"] == 1
    assert report["elsewhere"] == 10
    assert (folder / "identity.png").exists()
