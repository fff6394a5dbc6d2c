"""Smoothing: what weighs how much, what is an outlier, how long gaps are filled, what is too far.

Figures are worked out by hand for the default settings: another threshold gives another answer.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.merge_settings import MergeSettings, SmoothingSettings
from annotate.merge.finishing import Finisher
from annotate.merge.smoothing import TrackPoses, _weights, smoothed
from annotate.numeric.smoothing import whittaker
from tests.made_tracks import SIZE, SKELETON, merged, poses_of, steady, walker

SETTINGS = SmoothingSettings()
X, Y, VISIBILITY = 0, 1, 3
HEIGHT = 300.0


def poses(count: int, height: float = HEIGHT) -> FloatArray:
    """A person who stands, of three landmarks; the first one is looked at."""
    landmarks = np.ones((count, 3, 5), np.float32)
    landmarks[:, :, :2] = 500, 100
    landmarks[:, 2, Y] += height
    return landmarks


def outliers(landmarks: FloatArray, fps: float) -> list[int]:
    weights = _weights(landmarks, np.arange(len(landmarks)) / fps, SETTINGS)
    return np.flatnonzero(weights[:, 0] == 0).tolist()


@pytest.mark.parametrize(("visibility", "weight"), [(0.5, 0.25), (0.02, 0.0025)])
def test_hidden_landmarks_weigh_little_but_something(visibility: float, weight: float) -> None:
    landmarks = poses(9)
    landmarks[4, 0, VISIBILITY] = visibility
    assert _weights(landmarks, np.arange(9) / 30, SETTINGS)[4, 0] == pytest.approx(weight)


@pytest.mark.parametrize(
    ("height", "away", "far"),
    [(300, 2.0, False), (300, 4.0, True), (20, 0.7, False), (20, 1.5, True)],
)
def test_who_stands_still_has_outliers_from_a_hundredth_of_the_height_or_a_pixel(
    height: float, away: float, far: bool
) -> None:
    landmarks = poses(20, height)
    landmarks[10, 0, X] += away
    assert outliers(landmarks, 30) == [10] * far


@pytest.mark.parametrize(("away", "far"), [(7.0, False), (12.0, True)])
def test_who_trembles_has_outliers_from_three_standard_deviations(away: float, far: bool) -> None:
    """The median deviation is 2 pixels, so the limit 3 * 1.48 * 2 = 8.9 pixels."""
    landmarks = poses(61)
    landmarks[:, 0, X] += np.resize([0, 2, -2], 61)
    landmarks[30, 0, X] = 500 + away
    assert outliers(landmarks, 60) == [30] * far


@pytest.mark.parametrize(
    ("fps", "frames", "far"),
    [(100, 8, True), (100, 14, False), (1000, 20, True), (1000, 35, False)],
)
def test_a_landmark_that_is_away_for_long_is_no_outlier(fps: float, frames: int, far: bool) -> None:
    """For more than half of 0.1 s before and after, or of 25 poses if that is less time."""
    landmarks = poses(300)
    landmarks[150 : 150 + frames, 0, X] += 40
    assert outliers(landmarks, fps) == [*range(150, 150 + frames)] * far


def track(landmarks: FloatArray, seen: NDArray[np.int64]) -> TrackPoses:
    return TrackPoses(seen, landmarks[seen], np.ones(len(seen), np.float32), landmarks[seen])


@pytest.mark.parametrize(("missing", "weight"), [(7, 0.0), (14, 0.02)])
def test_in_a_gap_of_more_than_a_third_of_a_second_a_straight_line_counts_a_little(
    missing: int, weight: float
) -> None:
    """From the last pose before to the first one after 0.27 s and 0.5 s pass."""
    time_s = np.arange(90) / 30
    landmarks = poses(90)
    landmarks[:, 0, X] += (40 * np.sin(5 * time_s)).astype(np.float32)
    gap = np.arange(40, 40 + missing)
    seen = np.setdiff1d(np.arange(90), gap)
    (found,) = smoothed(track(landmarks, seen), time_s, 6.0, SETTINGS)
    values = landmarks[:, :1].astype(np.float64)
    share = ((time_s[gap] - time_s[39]) / (time_s[gap[-1] + 1] - time_s[39]))[:, None, None]
    values[gap] = values[39] * (1 - share) + values[gap[-1] + 1] * share
    weights = np.ones((90, 1))
    weights[gap] = weight
    expected = whittaker(values, weights, time_s, 6.0, 1.0)
    assert found.landmarks[:, 0, X] == pytest.approx(expected[:, 0, X], abs=0.01)


def test_few_frames_a_second_are_smoothed_less_than_asked() -> None:
    """The cut-off is at most four tenths of the frames a second."""
    time_s = np.arange(60) / 10
    landmarks = poses(60)
    landmarks[:, 0, X] += np.random.default_rng(1).normal(0, 0.5, 60).astype(np.float32)
    (found,) = smoothed(track(landmarks, np.arange(60)), time_s, 9.0, SETTINGS)
    values = landmarks[:, :1].astype(np.float64)
    expected = whittaker(values, np.ones((60, 1)), time_s, 4.0, 1.0)
    assert found.landmarks[:, 0, X] == pytest.approx(expected[:, 0, X], abs=0.01)


def test_of_a_swing_of_six_hertz_half_is_left() -> None:
    time_s = steady(4, 60)
    one = walker(time_s, (700, 700))
    wrist, swing = 15, 10 * np.sin(2 * np.pi * 6 * time_s)
    one.xy[:, wrist, 0] = 700 + swing
    left = merged([poses_of([one], time_s)]).smoothed[60:180, wrist, X] - 700
    assert np.ptp(left) == pytest.approx(np.ptp(swing) / 2, rel=0.05)


@pytest.mark.parametrize(("fps", "frames"), [(100, 200), (10_000, 2000)], ids=["time", "frames"])
def test_a_block_is_smoothed_with_what_is_two_seconds_or_2000_frames_away(
    fps: float, frames: int
) -> None:
    count = 6000
    time_s = np.arange(count) / fps
    table = SimpleNamespace(frame=np.arange(count), time_s=time_s)
    window: Any = SimpleNamespace(table=table, frame_s=time_s)
    near = Finisher(MergeSettings(), SKELETON, SIZE)._near(window, 3000, 3001)
    assert np.flatnonzero(near)[[0, -1]].tolist() == [3000 - frames, 3000 + frames]
