"""Which poses of a track are rejected because people hide each other.

Figures are worked out by hand for the default settings: another threshold gives another answer.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.merge_settings import MergeSettings
from annotate.merge.occlusion import belongs_to_track

SETTINGS = MergeSettings()
FPS = 50
# From hips to shoulders: 0.3 of the height.
TRUNK, HEIGHT = 60.0, 200.0
POSES = 600
TIME_S = np.arange(POSES) / FPS


def standing() -> FloatArray:
    points = np.zeros((POSES, 17, 2), np.float32)
    points[:, [5, 6], 1] = -TRUNK
    return points


def crowded(start: int, stop: int) -> NDArray[np.bool_]:
    return (np.arange(POSES) >= start) & (np.arange(POSES) < stop)


def rejected(
    points: FloatArray,
    beside: NDArray[np.bool_],
    appearance: FloatArray | None = None,
    first: int = 0,
) -> list[int]:
    """Of the poses from the first one on."""
    worn = np.full((POSES, 6), 90, np.float32) if appearance is None else appearance
    kept = slice(first, None)
    belongs = belongs_to_track(points[kept], worn[kept], beside[kept], TIME_S[kept], SETTINGS)
    return (first + np.flatnonzero(~belongs)).tolist()


def jump(at: int, heights: float) -> FloatArray:
    """A pose that is so far from the others."""
    points = standing()
    points[at, :, 0] += heights * HEIGHT
    return points


@pytest.mark.parametrize(("at", "checked"), [(303, True), (307, False)])
def test_poses_shortly_after_a_crowd_are_checked(at: int, checked: bool) -> None:
    """0.1 s are five poses."""
    assert rejected(jump(at, 0.2), crowded(290, 300)) == [at] * checked


@pytest.mark.parametrize(("seconds", "checked"), [(3, True), (5, False)])
def test_poses_of_two_seconds_before_and_after_are_trusted(seconds: int, checked: bool) -> None:
    half = seconds * FPS // 2
    beside = crowded(300 - half, 300 + half)
    assert rejected(jump(300, 0.2), beside) == [300] * checked


@pytest.mark.parametrize(("trusted", "checked"), [(2, False), (4, True)])
def test_a_check_needs_three_trusted_poses_on_each_side(trusted: int, checked: bool) -> None:
    beside = crowded(300, 310)
    first = 300 - 5 - trusted
    assert rejected(jump(305, 0.2), beside, first=first) == [305] * checked


@pytest.mark.parametrize(("away", "off"), [(0.03, False), (0.06, True)])
def test_a_pose_may_be_off_its_way_by_a_little(away: float, off: bool) -> None:
    """By 0.04 heights."""
    assert rejected(jump(300, away), crowded(298, 303)) == [300] * off


@pytest.mark.parametrize(("away", "off"), [(0.065, False), (0.13, True)])
def test_who_moves_restlessly_may_be_off_three_times_as_far(away: float, off: bool) -> None:
    """The poses before and after are 0.03 heights to the left and to the right of the middle."""
    points = standing()
    points[:, :, 0] += np.resize([0.03, -0.03, -0.03, 0.03, -0.03], POSES)[:, None] * HEIGHT
    points[298:303, :, 0] = 0
    points[300, :, 0] = away * HEIGHT
    assert (300 in rejected(points, crowded(298, 303))) == off


@pytest.mark.parametrize(("step", "off"), [(0.02, False), (0.035, True)])
def test_a_steady_motion_to_another_place_is_not_rejected(step: float, off: bool) -> None:
    """Shoulders and hips move by 0.025 heights a frame at most."""
    points = standing()
    away = np.minimum(np.arange(11), 10 - np.arange(11)) * step * HEIGHT
    points[295:306, :, 0] += away[:, None]
    assert bool(rejected(points, crowded(293, 308))) == off


@pytest.mark.parametrize(("steps", "off"), [(15, False), (30, True)])
def test_a_pose_in_other_colours_is_another_persons(steps: float, off: bool) -> None:
    """Twenty steps may lie between."""
    worn = np.full((POSES, 6), 90, np.float32)
    worn[300] += steps
    assert rejected(standing(), crowded(298, 303), worn) == [300] * off
