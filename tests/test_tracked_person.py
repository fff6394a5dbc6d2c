"""A tracked person: where they are expected, what they look like, how long they are searched for.

The figures are worked out by hand for the default settings: another threshold gives another answer.
"""

from typing import Any, cast

import numpy as np
import pytest

from annotate.domain.arrays import FloatArray
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.pipeline.frame_tracking import Found, FrameTracker
from annotate.pipeline.landmark_stage import PersonPose
from annotate.pipeline.tracked_person import TrackedPerson

FPS = 50
SIDE = 100.0
RED, BLUE = 200.0, 30.0


def roi(x: float) -> FloatArray:
    return np.array([x, 200, SIDE, 0], np.float32)


def pose(colour: float = RED) -> PersonPose:
    """All six colours of the appearance are the same."""
    colours = np.full(6, colour, np.float32)
    nothing = np.zeros((1, 5), np.float32)
    return PersonPose(0.9, 1.0, roi(0), nothing, nothing[:, :0], colours, None, fresh=False)


def person(x: list[float], colours: list[float] | None = None) -> TrackedPerson:
    """Who was at these places in consecutive frames, the last one of them at 0 s."""
    colours = colours or [RED] * len(x)
    first_s = (1 - len(x)) / FPS
    one = TrackedPerson.new(pose(colours[0]), roi(x[0]), first_s, PipelineSettings())
    for frame in range(1, len(x)):
        one = one.updated(pose(colours[frame]), roi(x[frame]), first_s + frame / FPS)
    return one


@pytest.mark.parametrize(("seen_s", "searched"), [(0.16, False), (0.24, True)])
def test_who_was_seen_for_a_fifth_of_a_second_is_searched_for(
    seen_s: float, searched: bool
) -> None:
    assert person([100.0] * (round(seen_s * FPS) + 1)).may_return(0.1) == searched


@pytest.mark.parametrize(("away_s", "searched"), [(1.2, True), (1.8, False)])
def test_the_search_lasts_one_and_a_half_seconds(away_s: float, searched: bool) -> None:
    assert person([100.0] * 20).may_return(away_s) == searched


def test_a_turn_of_some_time_ago_is_forgotten() -> None:
    """Who has walked back for 0.8 s goes on so: the second before tells."""
    there_and_back = [100 + 2.0 * min(frame, 160 - frame) for frame in range(121)]
    assert person(there_and_back).expected_roi(0.5)[0] == pytest.approx(180 - 50, abs=0.1)


def test_a_pause_of_a_moment_is_no_end_of_a_motion() -> None:
    """In the middle of the half seconds that begin and end in the last second, 0.45 s is walked."""
    pauses = [100 + 2.0 * min(frame, 105) for frame in range(121)]
    assert person(pauses).expected_roi(1.0)[0] == pytest.approx(310 + 90 * 1.1, abs=5)


@pytest.mark.parametrize(
    ("wrong", "shift"), [(slice(117, None), 12.0), (slice(114), -20.0)], ids=["drawn", "earlier"]
)
def test_only_the_last_tenth_of_a_second_says_nothing_of_the_place(
    wrong: slice, shift: float
) -> None:
    """Poses are drawn towards a person in front; those before tell the place."""
    places = 100 + 2.0 * np.arange(121)
    places[wrong] += shift
    assert person(places.tolist()).expected_roi(0.5)[0] == pytest.approx(340 + 50, abs=0.5)


@pytest.mark.parametrize(("blue", "usual"), [(10, RED), (15, BLUE)])
def test_the_appearance_is_that_of_the_last_25_poses(blue: int, usual: float) -> None:
    one = person([100.0] * 50, [RED] * (50 - blue) + [BLUE] * blue)
    far = np.full(6, usual, np.float32)
    assert one.appearance_distance(far) == 0.0


@pytest.mark.parametrize(("poses", "known"), [(2, False), (4, True)])
def test_few_poses_tell_no_appearance(poses: int, known: bool) -> None:
    distance = person([100.0] * poses).appearance_distance(np.full(6, BLUE, np.float32))
    assert distance == (pytest.approx(RED - BLUE) if known else 0.0)


@pytest.mark.parametrize(
    ("away", "steps", "same"),
    [(0.11, 0.0, True), (0.2, 0.0, False), (0.0, 11.0, True), (0.0, 20.0, False)],
)
def test_a_pose_is_of_someone_who_was_lost_near_their_place_and_in_their_colours(
    away: float, steps: float, same: bool
) -> None:
    """0.15 sides of the ROI and 15 steps of colour may lie between."""
    found = pose(RED + steps)
    assert person([100.0] * 20).matches(found, roi(100 + away * SIDE), 0.1) == same


def test_trust_falls_with_the_distance_and_with_the_change_of_appearance() -> None:
    one = person([100.0] * 20)
    assert one.trust(pose(), roi(100), 0.1) == pytest.approx(1.0)
    assert one.trust(pose(), roi(115), 0.1) == pytest.approx(np.exp(-1))
    assert one.trust(pose(RED + 15), roi(115), 0.1) == pytest.approx(np.exp(-2), rel=1e-3)


@pytest.mark.parametrize(("away", "kept"), [(0.1, "tracked"), (0.18, "new")])
def test_of_a_tracked_and_a_new_pose_of_one_body_the_one_that_is_trusted_more_is_kept(
    away: float, kept: str
) -> None:
    """exp(-0.1 / 0.15) is more than 0.4, the trust in a new pose, and exp(-0.18 / 0.15) is less."""

    def distinct(poses: list[PersonPose], trust: tuple[float, ...] = (1.0, 0.0)) -> list[int]:
        assert len(poses) == 2
        return [int(np.argmax(trust))]

    stage: Any = cast(Any, type("Stage", (), {"distinct": staticmethod(distinct)}))
    one = person([100.0] * 20)
    found = [Found(pose(), roi(100 + away * SIDE), one), Found(pose(), roi(100), None)]
    tracker = FrameTracker(stage, PipelineSettings())
    (left,) = tracker._each_once(found, 0.1)
    assert left.person is (one if kept == "tracked" else None)


def test_how_surely_a_person_is_seen_changes_by_a_tenth_a_frame() -> None:
    sure = person([100.0]).seen_as_surely(0.8)
    assert sure.sureness == pytest.approx(0.8)
    assert sure.seen_as_surely(0.3).sureness == pytest.approx(0.75)
