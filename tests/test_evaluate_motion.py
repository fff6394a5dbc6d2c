"""Evaluation of motion: lag and jitter, whose values follow from how the poses move."""

import numpy as np
import pytest

from tests.made_evaluation import (
    FPS,
    FRAMES,
    SAME_LAG,
    Evaluate,
    dancing,
    results_of,
    standing,
    truth_of,
)


@pytest.mark.parametrize("frames_late", [0, 1, 3, -2])
def test_lag_is_the_delay_in_frames(frames_late: int, evaluated: Evaluate) -> None:
    person = dancing(300)
    late = np.roll(person, frames_late, axis=0)  # two whole periods
    motion = evaluated(results_of(late), truth_of(person)).motion
    assert motion is not None
    assert motion.lag == pytest.approx(frames_late, abs=SAME_LAG)


def test_lag_is_measured_to_fractions_of_a_frame(evaluated: Evaluate) -> None:
    person = dancing(300)
    half = (person + np.roll(person, 1, axis=0)) / 2
    motion = evaluated(results_of(half), truth_of(person)).motion
    assert motion is not None
    assert motion.lag == pytest.approx(0.5, abs=SAME_LAG)


def test_a_constant_offset_is_not_lag_even_of_a_walking_person(evaluated: Evaluate) -> None:
    step = 2.0 * np.arange(FRAMES)[:, None, None] * [1, 0]
    walking = dancing(300) + step
    motion = evaluated(results_of(walking - [6, 0]), truth_of(walking)).motion
    assert motion is not None
    assert motion.lag == pytest.approx(0, abs=SAME_LAG)


@pytest.mark.parametrize("speed", [0.0, 3.0], ids=["standing", "walking evenly"])
def test_lag_is_missing_without_acceleration(speed: float, evaluated: Evaluate) -> None:
    person = standing(300) + speed * np.arange(FRAMES)[:, None, None] * [1, 0]
    motion = evaluated(results_of(person), truth_of(person)).motion
    assert motion is not None
    assert motion.lag is None


def test_jitter_of_noise_is_as_statistics_predict(evaluated: Evaluate) -> None:
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


def test_jitter_takes_uneven_times_as_they_are(evaluated: Evaluate) -> None:
    """A person in free fall has the same acceleration whatever the frames' times."""
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
def test_jitter_does_not_look_across(between: str, evaluated: Evaluate) -> None:
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


def test_the_third_number_of_a_results_keypoint_means_nothing(evaluated: Evaluate) -> None:
    """Some tools write 0 there, some a score."""
    answer = results_of(dancing(300))
    for row in answer:
        row["keypoints"][2::3] = [0] * 17
    evaluation = evaluated(answer, truth_of(dancing(300)))
    assert evaluation.average_precision.ap == 1
    assert evaluation.motion is not None
    assert evaluation.motion.jitter is not None
    assert evaluation.motion.jitter == evaluation.motion.true_jitter


def test_jitter_is_missing_without_times(evaluated: Evaluate) -> None:
    truth = truth_of(dancing(300))
    for image in truth["images"]:
        del image["time_s"]
    motion = evaluated(results_of(dancing(300)), truth).motion
    assert motion is not None
    assert (motion.jitter, motion.true_jitter) == (None, None)
    assert motion.lag == pytest.approx(0, abs=SAME_LAG)


def test_images_without_videos_have_no_tracks_and_no_motion(evaluated: Evaluate) -> None:
    truth = truth_of(standing(300))
    for image in truth["images"]:
        del image["video_id"], image["frame_id"], image["time_s"]
    evaluation = evaluated(results_of(standing(300)), truth)
    assert evaluation.average_precision.ap == 1
    assert evaluation.tracking is None
    assert evaluation.motion is None


def test_poses_without_tracks_still_move(evaluated: Evaluate) -> None:
    answer = results_of(dancing(300))
    for row in answer:
        del row["track_id"]
    evaluation = evaluated(answer, truth_of(dancing(300)))
    assert evaluation.tracking is None
    assert evaluation.motion is not None
    assert evaluation.motion.jitter == evaluation.motion.true_jitter
