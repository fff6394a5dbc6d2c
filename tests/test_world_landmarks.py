"""World landmarks: metres about the hip centre, from the crop to the tracks."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.merge_settings import MergeSettings
from annotate.pipeline.landmarks import world_to_picture
from tests.made_tracks import (
    HEIGHT_PX,
    SKELETON,
    Walker,
    hidden,
    merged,
    poses_of,
    steady,
    walker,
)

HEIGHT_M = 1.7
NOISE_M = 0.005


def world_of(one: Walker) -> FloatArray:
    """(n, 33, 3) a made body: the walker's landmarks about the hips, in metres, left in front."""
    xy = (one.xy - one.xy[:, 23:25].mean(axis=1, keepdims=True)) * HEIGHT_M / HEIGHT_PX
    left = np.array([name.startswith("left") for name in SKELETON.landmarks])
    z = np.broadcast_to(np.where(left, -0.2, 0.2)[None, :, None], (len(xy), 33, 1))
    return np.concatenate([xy, z], axis=2).astype(np.float32)


def merged_world(
    one: Walker, time_s: NDArray[np.float64], turned: NDArray[np.bool_] | None = None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What the merge makes of the walker with noise: raw, smoothed, and the truth of their frames.

    Args:
        turned: (n,) bool: frames in which the model exchanges left and right.
    """
    poses, truth = poses_of([one], time_s, noise_px=1), world_of(one)
    noise = np.random.default_rng(1).normal(0, NOISE_M, truth.shape).astype(np.float32)
    world = truth + noise
    if turned is not None:
        mirror = list(SKELETON.mirror)
        poses.landmarks[turned] = poses.landmarks[turned][:, mirror]
        world[turned] = world[turned][:, mirror]
    tracks = merged([replace(poses, world=world[one.seen])])
    return tracks.raw_world, tracks.smoothed_world, truth[tracks.frame_index]


def test_they_are_turned_back_by_the_rotation_of_the_roi() -> None:
    world = np.array([[0.0, -0.5, 0.1], [0.2, 0.0, -0.3]], np.float32)
    quarter_turn = np.array([500, 300, 200, np.pi / 2], np.float32)
    upright = np.array([500, 300, 200, 0], np.float32)
    turned = world_to_picture(world, quarter_turn)
    np.testing.assert_allclose(turned, [[0.5, 0, 0.1], [0, 0.2, -0.3]], atol=1e-6)
    np.testing.assert_array_equal(world_to_picture(world, upright), world)


def test_they_are_smoothed_as_the_landmarks_are_and_their_gaps_filled() -> None:
    time_s = steady(6, 30)
    one = hidden(walker(time_s, (600, 900)), (60, 70))
    raw, smoothed, truth = merged_world(one, time_s)
    assert np.isnan(raw[60:70]).all()
    assert not np.isnan(smoothed).any()
    seen = ~np.isnan(raw[:, 0, 0])
    still = [11, 12, 23, 24]
    before = np.abs(raw[seen][:, still] - truth[seen][:, still]).mean()
    after = np.abs(smoothed[seen][:, still] - truth[seen][:, still]).mean()
    assert after < 0.75 * before
    assert np.abs(smoothed[60:70, still] - truth[60:70, still]).max() < 4 * NOISE_M


def test_left_and_right_are_corrected_as_those_of_the_landmarks_are() -> None:
    time_s = steady(6, 30)
    turned = np.random.default_rng(3).random(len(time_s)) < 0.3
    turned[40:60] = True
    raw, smoothed, truth = merged_world(walker(time_s, (600, 900)), time_s, turned)
    assert np.abs(raw - truth).max() > 0.3, "raw values stay as the model gave them"
    assert np.abs(smoothed - truth)[:, 11:13].max() < 4 * NOISE_M


def test_without_smoothing_they_stay_as_they_are() -> None:
    time_s = steady(2, 30)
    poses = poses_of([walker(time_s, (600, 700))], time_s)
    world = world_of(walker(time_s, (600, 700)))
    tracks = merged([replace(poses, world=world)], MergeSettings(smooth_hz=None))
    np.testing.assert_array_equal(tracks.raw_world, world)
    np.testing.assert_array_equal(tracks.smoothed_world, world)


def test_a_model_without_them_gives_none() -> None:
    time_s = steady(2, 30)
    tracks = merged([poses_of([walker(time_s, (600, 700))], time_s)])
    assert tracks.raw_world.shape == tracks.smoothed_world.shape == (60, 33, 0)
