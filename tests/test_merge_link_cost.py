"""What a link costs, term by term, against figures worked out by hand.

The figures are those of the default settings: another threshold gives another cost.
"""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from annotate.domain.merge_settings import LinkSettings
from annotate.merge.link_cost import TrackEnd, link_cost, track_end

SETTINGS = LinkSettings()
# Of equal ends at one time: appearance takes this off.
EQUAL = -6.0
HERE = TrackEnd(
    time_s=10.0,
    place=np.array([500.0, 300.0]),
    velocity=np.zeros(2),
    belief=1.0,
    height=200.0,
    bones=np.zeros(10),
    appearance=np.full(6, 100.0, np.float32),
)
STILL, UPWARDS = (np.array([0.0, speed]) for speed in (0.0, -100.0))


def cost(**there: Any) -> float:
    """Of a link from HERE to an end that differs from it."""
    return link_cost(HERE, replace(HERE, **there), SETTINGS)


def test_equal_ends_cost_least() -> None:
    assert cost() == pytest.approx(EQUAL)
    # An overlap counts as no gap.
    assert cost(time_s=9.9) == pytest.approx(EQUAL)


def test_a_miss_costs_the_square_of_its_usual_distances() -> None:
    """0.24 heights are three usual distances of 0.08."""
    assert cost(place=HERE.place + np.array([0.0, 48.0])) == pytest.approx(EQUAL + 9)


def test_a_gap_widens_the_place() -> None:
    """After 2 s 0.08 + 2 * 0.25 heights; where no velocity is known, 2 * 0.6 more."""
    assert cost(time_s=12.0) == pytest.approx(EQUAL + 4 * np.log(0.58 / 0.08))
    ends = replace(HERE, belief=0.0), replace(HERE, belief=0.0, time_s=12.0)
    assert link_cost(*ends, SETTINGS) == pytest.approx(EQUAL + 4 * np.log(1.78 / 0.08))
    ends = replace(HERE, belief=0.5), replace(HERE, belief=0.5, time_s=12.0)
    assert link_cost(*ends, SETTINGS) == pytest.approx(EQUAL + 4 * np.log(1.18 / 0.08))


def test_a_person_is_expected_where_both_velocities_lead() -> None:
    """A velocity of zero has a weight of 0.1 among the two: 2 / 2.1 of the way."""
    walks = replace(HERE, velocity=UPWARDS)
    there = replace(walks, time_s=11.0, place=HERE.place + UPWARDS * 2 / 2.1)
    assert link_cost(walks, there, SETTINGS) == pytest.approx(EQUAL + 4 * np.log(0.33 / 0.08))


@pytest.mark.parametrize(
    ("heights_per_s", "belief", "more"),
    [(0.5, 1.0, 1.0), (1.0, 1.0, 4.0), (1.0, 0.5, 2.0), (5.0, 1.0, 5.0), (5.0, 0.5, 2.5)],
)
def test_a_turn_costs_its_square_up_to_a_limit(
    heights_per_s: float, belief: float, more: float
) -> None:
    """Half a height a second is usual; it counts as much as both velocities are known."""
    turned = cost(velocity=np.array([200.0 * heights_per_s, 0.0]), belief=belief)
    assert turned == pytest.approx(EQUAL + more)


def test_another_size_and_other_bones_cost_their_logarithms() -> None:
    assert cost(height=200.0 * np.exp(0.75)) == pytest.approx(EQUAL + 9)
    assert cost(height=200.0 * np.exp(-0.25)) == pytest.approx(EQUAL + 1)
    bones = np.array([1.2, -1.2] * 5)
    assert cost(bones=bones) == pytest.approx(EQUAL + 9)


@pytest.mark.parametrize(("steps", "more"), [(6.0, 0.25), (24.0, 4.0), (47.0, 15.34), (90.0, 16.0)])
def test_another_appearance_costs_up_to_a_limit(steps: float, more: float) -> None:
    """12 steps of colour are usual."""
    other = HERE.appearance + np.float32(steps)
    assert cost(appearance=other) == pytest.approx(EQUAL + more, abs=0.01)


def walker(frames: int = 20, step_s: float = 0.1) -> Any:
    """A table of one person, 200 pixels tall, who walks 100 pixels a second to the right."""
    time_s = np.arange(frames) * step_s
    keypoints = np.zeros((frames, 17, 2), np.float32)
    # Each keypoint lies lower than the one before by its number in pixels.
    keypoints[:, :, 1] = np.cumsum(np.arange(17))
    return SimpleNamespace(
        time_s=time_s,
        hip=np.stack([100 * time_s, np.full(frames, 300.0)], axis=1),
        roi_side=np.full(frames, 270.0),
        keypoints=keypoints,
        crowded=np.zeros(frames, np.bool_),
        appearance=np.full((frames, 6), 100.0, np.float32),
    )


def end_of(table: Any, which: int) -> TrackEnd:
    return track_end(cast(Any, table), np.arange(len(table.time_s)), which, SETTINGS)


@pytest.mark.parametrize("which", [0, -1])
def test_an_end_of_a_track_says_where_and_how_fast(which: int) -> None:
    """Belief is v / (v + 0.045^2), where v is the variance of the 11 times within a second."""
    table = walker()
    end = end_of(table, which)
    belief = 0.1 / (0.1 + 0.045**2)
    assert end.belief == pytest.approx(belief)
    np.testing.assert_allclose(end.velocity, [100, 0], atol=1e-6)
    middle = table.hip[:11].mean(axis=0) if which == 0 else table.hip[-11:].mean(axis=0)
    away = 0.5 * (1 if which else -1)
    np.testing.assert_allclose(end.place, middle + belief * np.array([100, 0]) * away, atol=1e-6)
    assert end.height == pytest.approx(200)
    assert end.time_s == table.time_s[which]


def test_bones_are_those_of_trunk_and_limbs() -> None:
    """Shoulder to hip, hip to knee, knee to ankle; shoulder to elbow, elbow to wrist."""
    pairs = [(5, 11), (6, 12), (11, 13), (12, 14), (13, 15), (14, 16), (5, 7), (6, 8), (7, 9)]
    lengths = [sum(range(a + 1, b + 1)) / 200 for a, b in [*pairs, (8, 10)]]
    np.testing.assert_allclose(end_of(walker(), 0).bones, np.log(lengths), rtol=1e-5)
    flat = walker()
    flat.keypoints[:] = 0
    np.testing.assert_allclose(end_of(flat, 0).bones, np.log(0.01))


def test_the_appearance_is_that_of_poses_without_others_before_them() -> None:
    table = walker()
    table.crowded[:8] = True
    table.appearance[:8] = 0
    # Three of the eleven poses are clear, which is enough,
    assert end_of(table, 0).appearance == pytest.approx(np.full(6, 100.0))
    table.crowded[8] = True
    # and two are not.
    assert end_of(table, 0).appearance == pytest.approx(np.zeros(6))
