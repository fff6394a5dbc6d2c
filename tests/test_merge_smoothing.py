"""Parts to tracks: smoothing, gaps and boxes."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from annotate.domain.merge_settings import MergeSettings
from tests.made_tracks import HEIGHT_PX, SIZE, hidden, merged, poses_of, steady, uneven, walker


def jitter(xy: NDArray[np.floating[Any]], time_s: NDArray[np.float64]) -> float:
    """Mean second derivative in heights a second squared, from the true times."""
    speed = np.diff(xy, axis=0) / np.diff(time_s)[:, None, None]
    between = (time_s[2:] - time_s[:-2])[:, None, None] / 2
    return float(np.abs(np.diff(speed, axis=0) / between).mean() / HEIGHT_PX)


@pytest.mark.parametrize(
    "time_s",
    [steady(8, 30), steady(8, 60), uneven(8, 30)],
    ids=["30 frames/s", "60 frames/s", "variable frame rate"],
)
def test_smoothing_is_nearer_to_the_truth_calmer_and_not_late(time_s: NDArray[np.float64]) -> None:
    one = hidden(walker(time_s, (500, 1300)), (50, 55), (120, 126))
    raw = poses_of([one], time_s, noise_px=3, outliers=0.02)
    tracks = merged([raw])
    assert len(tracks) == len(time_s)
    known = ~tracks.filled
    raw_error = np.linalg.norm(tracks.raw[known, :, :2] - one.xy[known], axis=2).mean()
    error = np.linalg.norm(tracks.smoothed[:, :, :2] - one.xy, axis=2).mean()
    assert error <= raw_error
    noise = jitter(tracks.raw[known, :, :2], time_s[known])
    assert jitter(tracks.smoothed[:, :, :2], time_s) <= noise / 5
    wrist, truth = (v - v.mean() for v in (tracks.smoothed[:, 15, 0], one.xy[:, 15, 0]))
    slide = range(-5, 6)
    likeness = [float((wrist[5 + k : len(wrist) - 5 + k] * truth[5:-5]).sum()) for k in slide]
    assert slide[int(np.argmax(likeness))] == 0


def test_a_short_gap_is_filled_and_flagged_a_long_one_stays_open() -> None:
    time_s = steady(6, 30)
    one = hidden(walker(time_s, (500, 1100)), (30, 38), (90, 125))
    tracks = merged([poses_of([one], time_s, noise_px=1)])
    filled = tracks.frame_index[tracks.filled].tolist()
    assert filled == list(range(30, 38))
    assert np.isnan(tracks.raw[tracks.filled]).all()
    assert (tracks.score[tracks.filled] == 0).all()
    assert not np.isin(np.arange(90, 125), tracks.frame_index).any()
    apart = np.linalg.norm(tracks.smoothed[tracks.filled, :, :2] - one.xy[30:38], axis=2)
    assert np.median(apart) < 0.03 * HEIGHT_PX


def test_smoothed_confidences_stay_within_0_and_1() -> None:
    """Smoothing goes past the ends of a step."""
    time_s = steady(2, 30)
    poses = poses_of([walker(time_s, (700, 800))], time_s)
    wrist = 15
    poses.landmarks[:30, wrist, 3:] = 0.0
    smoothed = merged([poses]).smoothed[:, wrist, 3:]
    assert smoothed.min() == 0
    assert smoothed.max() == 1


def test_a_gap_of_most_of_a_second_is_filled_by_a_straight_way() -> None:
    time_s = steady(6, 30)
    one = hidden(walker(time_s, (500, 1100)), (60, 86))
    tracks = merged([poses_of([one], time_s, noise_px=1)])
    assert tracks.frame_index[tracks.filled].tolist() == list(range(60, 86))
    # Arms and legs swing on unseen; shoulders and hips are where they would be.
    apart = np.linalg.norm(tracks.smoothed[60:86, 11:13, :2] - one.xy[60:86, 11:13], axis=2)
    assert apart.max() < 0.02 * HEIGHT_PX


def test_smoothing_off_leaves_every_value_and_gap() -> None:
    time_s = steady(3, 30)
    poses = poses_of([hidden(walker(time_s, (500, 800)), (30, 35))], time_s, noise_px=2)
    tracks = merged([poses], MergeSettings(smooth_hz=None))
    assert (tracks.smoothed == tracks.raw).all()
    assert (tracks.raw == poses.landmarks).all()
    assert not tracks.filled.any()


def test_boxes_hold_the_person_and_end_at_the_picture() -> None:
    time_s = steady(2, 30)
    tracks = merged([poses_of([walker(time_s, (20, 60))], time_s)])
    x, y, width, height = tracks.bbox.T
    assert (x >= 0).all()
    assert (y >= 0).all()
    assert (x + width <= SIZE[0]).all()
    inside = tracks.smoothed[:, :, 0].max(axis=1)
    assert (inside <= x + width).all()
    assert (height >= HEIGHT_PX * 0.9).all()
