"""Tracking from frame to frame, in a made world whose people are known."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.numeric.rgb_picture import RgbPicture
from annotate.pipeline.detector_pass import Candidate
from annotate.pipeline.frame_tracking import FrameTracker
from annotate.pipeline.landmark_stage import CropRequest, LandmarkStage, PersonPose
from annotate.pipeline.tracked_person import TrackedPerson

FPS = 30
SIDE = 100.0
WIDTH, HEIGHT = 1000, 400
PICTURE = RgbPicture(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
RED, BLUE = (200.0, 30.0, 30.0), (30.0, 30.0, 200.0)
SETTINGS = PipelineSettings()
NO_WORLD = np.zeros((1, 0), np.float32)


@dataclass
class Walker:
    """A person who walks to the right, pauses in some frames and is occluded in others."""

    start: float
    speed: float = 90.0  # pixels a second
    colour: tuple[float, float, float] = RED
    occluded: range = range(0)
    pause: range = range(0)

    def x(self, frame: int) -> float:
        walked = frame - max(0, min(frame, self.pause.stop) - self.pause.start)
        return self.start + self.speed * walked / FPS


@dataclass
class World:
    """In place of the landmark stage: a crop shows the nearest visible person, unless that one is
    too far away.
    """

    people: Sequence[Walker]
    frame: int = 0
    looks: list[float] = field(default_factory=list)

    def poses(self, requests: Sequence[CropRequest]) -> list[PersonPose | None]:
        return [self._pose(request) for request in requests]

    def _pose(self, request: CropRequest) -> PersonPose | None:
        score, roi_ = request.candidate[:2]
        x = float(roi_[0])
        self.looks.append(x)
        visible = [walker for walker in self.people if self.frame not in walker.occluded]
        visible.sort(key=lambda walker: abs(walker.x(self.frame) - x))
        if not visible or abs(visible[0].x(self.frame) - x) > 0.4 * SIDE:
            return None
        landmarks = np.full((1, 5), visible[0].x(self.frame), np.float32)
        appearance = np.tile(np.array(visible[0].colour, np.float32), 2)
        following = roi(float(landmarks[0, 0]))
        return PersonPose(
            score, 1.0, roi_, landmarks, NO_WORLD, appearance, following, request.fresh
        )

    def distinct(
        self, poses: Sequence[PersonPose], trust: Sequence[float] | None = None
    ) -> list[int]:
        trust = trust or [1.0] * len(poses)
        best: dict[float, int] = {}
        for row in sorted(range(len(poses)), key=lambda row: -trust[row]):
            best.setdefault(float(poses[row].landmarks[0, 0]), row)
        return sorted(best.values())


def roi(x: float) -> FloatArray:
    return np.array([x, HEIGHT / 2, SIDE, 0], np.float32)


def tracked(world: World, frames: int, detected: dict[int, list[float]]) -> list[list[float]]:
    """Where people are seen in each frame; `detected` are the places of new detections."""
    tracker = FrameTracker(cast(LandmarkStage, world), SETTINGS)
    seen = []
    for world.frame in range(frames):
        candidates = [Candidate(0.9, roi(x)) for x in detected.get(world.frame, [])]
        poses = tracker.step(PICTURE, world.frame / FPS, candidates)
        seen.append([float(pose.landmarks[0, 0]) for pose in poses])
    return seen


def counts(seen: list[list[float]]) -> NDArray[np.int64]:
    return np.array([len(places) for places in seen])


@pytest.mark.parametrize("speed", [0.0, 90.0, 240.0])
def test_an_occluded_person_is_seen_again_in_the_first_frame_that_shows_them(speed: float) -> None:
    occluded = range(20, 50)
    walker = Walker(100, speed, occluded=occluded)
    seen = tracked(World([walker]), 80, {0: [100]})
    assert [frame for frame in range(80) if not seen[frame]] == list(occluded)
    assert seen[60] == [pytest.approx(walker.x(60))]


def test_the_search_for_an_occluded_person_ends() -> None:
    last = 20 + round(SETTINGS.occluded_s * FPS)
    world = World([Walker(100, 0.0, occluded=range(20, last + 5))])
    seen = tracked(world, last + 20, {0: [100]})
    assert counts(seen)[last + 5 :].sum() == 0
    # One look a frame while the person is seen, a second one where they are lost, then one a frame.
    assert len(world.looks) == 21 + round(SETTINGS.occluded_s * FPS)


def test_a_person_seen_only_for_a_moment_is_not_searched_for() -> None:
    moment = round(SETTINGS.min_seen_s * FPS) - 1
    world = World([Walker(100, occluded=range(moment, moment + 1))])
    assert counts(tracked(world, 20, {0: [100]}))[moment:].sum() == 0


def test_a_person_who_left_the_picture_is_not_searched_for_outside() -> None:
    world = World([Walker(WIDTH - 80, 120.0, occluded=range(15, 100))])
    tracked(world, 40, {0: [WIDTH - 80]})
    assert max(world.looks) < WIDTH


@pytest.mark.parametrize(
    ("x", "colour"),
    [(220, BLUE), (190, RED)],
    ids=["there, in another colour", "beside it, in the same colour"],
)
def test_another_person_near_the_expected_place_is_not_taken_for_the_occluded_one(
    x: float, colour: tuple[float, float, float]
) -> None:
    gone = Walker(100, 90.0, RED, occluded=range(20, 100))
    other = Walker(x, 0.0, colour, occluded=range(40))
    assert gone.x(40) == 220
    seen = tracked(World([gone, other]), 80, {0: [100]})
    assert counts(seen)[20:].sum() == 0


@pytest.mark.parametrize("colour", [RED, BLUE], ids=["same colour", "another colour"])
def test_a_person_who_passes_behind_another_is_seen_again_and_the_other_all_the_time(
    colour: tuple[float, float, float],
) -> None:
    front, behind = Walker(300, 0.0, colour), Walker(150, 90.0, RED, occluded=range(45, 55))
    seen = tracked(World([front, behind]), 90, {0: [150, 300]})
    assert counts(seen).tolist() == [2] * 45 + [1] * 10 + [2] * 35
    assert all(300 in places for places in seen)
    assert seen[80] == [300, pytest.approx(behind.x(80))]


def test_appearance_tells_which_person_stopped_in_front_of_another() -> None:
    """The front person is nearer to the other's place than to where their own motion led."""
    behind = Walker(300, 0.0, RED, occluded=range(48, 84))
    front = Walker(159, 90.0, BLUE, pause=range(44, 70))
    seen = tracked(World([behind, front]), 100, {0: [159, 300]})
    assert counts(seen).tolist() == [2] * 48 + [1] * 36 + [2] * 16
    assert sorted(seen[99]) == [300, pytest.approx(front.x(99))]


def test_poses_drawn_towards_a_person_in_front_do_not_move_the_expected_place() -> None:
    colours = np.zeros(6, np.float32)
    landmarks = np.zeros((1, 5), np.float32)
    pose = PersonPose(0.9, 1.0, roi(0), landmarks, NO_WORLD, colours, None, fresh=False)
    person = TrackedPerson.new(pose, roi(100), 0.0, SETTINGS)
    for frame in range(1, 30):
        drawn = 12 if frame >= 28 else 0
        person = person.updated(pose, roi(100 + 3 * frame - drawn), frame / FPS)
    assert person.expected_roi(40 / FPS)[0] == pytest.approx(100 + 3 * 40, abs=0.5)


def test_a_person_who_is_detected_again_is_not_searched_for() -> None:
    walker = Walker(100, 0.0, occluded=range(20, 30))
    world = World([walker])
    found = tracked(world, 60, {0: [100], 30: [100]})
    assert counts(found)[30:].tolist() == [1] * 30
    # One look a frame, and a second one in the frame in which the person is lost.
    assert len(world.looks) == 60 + 1


def test_a_new_person_is_tracked_beside_occluded_ones() -> None:
    one, other = Walker(100, 0.0, RED, occluded=range(20, 40)), Walker(150, 0.0, BLUE)
    seen = tracked(World([one, other]), 60, {0: [100], 25: [150]})
    assert counts(seen).tolist() == [1] * 20 + [0] * 5 + [1] * 15 + [2] * 20
