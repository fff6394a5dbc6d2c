"""People who are followed from frame to frame, in a made world where it is known who is where."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.pipeline.detector_stage import Candidate
from annotate.pipeline.frame_tracking import HIDDEN_S, LEAST_SEEN_S, Following, Person
from annotate.pipeline.landmark_stage import Inspection, Look, Sighting

FPS = 30
SIDE = 100.0
WIDTH, HEIGHT = 1000, 400
PICTURE = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
RED, BLUE = (200.0, 30.0, 30.0), (30.0, 30.0, 200.0)


@dataclass
class Walker:
    """Somebody who walks to the right, stands still in some frames and is hidden in others."""

    start: float
    speed: float = 90.0  # pixels a second
    clothes: tuple[float, float, float] = RED
    hidden: range = range(0)
    stands: range = range(0)

    def x(self, frame: int) -> float:
        walked = frame - max(0, min(frame, self.stands.stop) - self.stands.start)
        return self.start + self.speed * walked / FPS


@dataclass
class World:
    """In place of the landmark model: it shows whoever is nearest to where it is told to look, if
    he is not too far away.
    """

    people: Sequence[Walker]
    frame: int = 0
    looks: list[float] = field(default_factory=list)

    def seen(self, looks: Sequence[Look]) -> list[Sighting | None]:
        return [self._seen(look) for look in looks]

    def _seen(self, look: Look) -> Sighting | None:
        x = float(look.candidate.roi[0])
        self.looks.append(x)
        there = [walker for walker in self.people if self.frame not in walker.hidden]
        there.sort(key=lambda walker: abs(walker.x(self.frame) - x))
        if not there or abs(there[0].x(self.frame) - x) > 0.4 * SIDE:
            return None
        landmarks = np.full((1, 5), there[0].x(self.frame), np.float32)
        worn = np.tile(np.array(there[0].clothes, np.float32), 2)
        return Sighting(look.candidate.score, 1.0, look.candidate.roi, landmarks, worn, look.fresh)

    def next_roi(self, sighting: Sighting) -> FloatArray:
        return roi(float(sighting.landmarks[0, 0]))

    def distinct(
        self, sightings: Sequence[Sighting], trust: Sequence[float] | None = None
    ) -> list[int]:
        trust = trust or [1.0] * len(sightings)
        best: dict[float, int] = {}
        for row in sorted(range(len(sightings)), key=lambda row: -trust[row]):
            best.setdefault(float(sightings[row].landmarks[0, 0]), row)
        return sorted(best.values())


def roi(x: float) -> FloatArray:
    return np.array([x, HEIGHT / 2, SIDE, 0], np.float32)


def followed(world: World, frames: int, found: dict[int, list[float]]) -> list[list[float]]:
    """Where people are seen in each frame; `found` are the places where the detector finds some."""
    following = Following(cast(Inspection, world))
    seen = []
    for world.frame in range(frames):
        candidates = [Candidate(0.9, roi(x)) for x in found.get(world.frame, [])]
        sightings = following.step(PICTURE, world.frame / FPS, candidates)
        seen.append([float(one.landmarks[0, 0]) for one in sightings])
    return seen


def counts(seen: list[list[float]]) -> NDArray[np.int64]:
    return np.array([len(places) for places in seen])


@pytest.mark.parametrize("speed", [0.0, 90.0, 240.0])
def test_who_was_hidden_is_there_in_the_first_frame_that_shows_him(speed: float) -> None:
    hidden = range(20, 50)
    walker = Walker(100, speed, hidden=hidden)
    seen = followed(World([walker]), 80, {0: [100]})
    assert [frame for frame in range(80) if not seen[frame]] == list(hidden)
    assert seen[60] == [pytest.approx(walker.x(60))]


def test_who_is_hidden_for_too_long_is_not_looked_for_any_more() -> None:
    last = 20 + round(HIDDEN_S * FPS)
    world = World([Walker(100, 0.0, hidden=range(20, last + 5))])
    seen = followed(world, last + 20, {0: [100]})
    assert counts(seen)[last + 5 :].sum() == 0
    # A look a frame while he is seen, another one where he is lost, and then one a frame.
    assert len(world.looks) == 21 + round(HIDDEN_S * FPS)


def test_who_was_seen_for_a_moment_only_is_not_looked_for() -> None:
    moment = round(LEAST_SEEN_S * FPS) - 1
    world = World([Walker(100, hidden=range(moment, moment + 1))])
    assert counts(followed(world, 20, {0: [100]}))[moment:].sum() == 0


def test_who_has_left_the_picture_is_not_looked_for_out_there() -> None:
    world = World([Walker(WIDTH - 80, 120.0, hidden=range(15, 100))])
    followed(world, 40, {0: [WIDTH - 80]})
    assert max(world.looks) < WIDTH


@pytest.mark.parametrize(
    ("x", "clothes"),
    [(220, BLUE), (190, RED)],
    ids=["there, in other clothes", "beside it, in the same"],
)
def test_somebody_else_who_stands_about_where_he_is_expected_is_not_him(
    x: float, clothes: tuple[float, float, float]
) -> None:
    gone = Walker(100, 90.0, RED, hidden=range(20, 100))
    other = Walker(x, 0.0, clothes, hidden=range(40))
    assert gone.x(40) == 220
    seen = followed(World([gone, other]), 80, {0: [100]})
    assert counts(seen)[20:].sum() == 0


@pytest.mark.parametrize("clothes", [RED, BLUE], ids=["in the same clothes", "in other clothes"])
def test_who_passes_behind_somebody_is_there_again_and_the_other_is_there_all_the_time(
    clothes: tuple[float, float, float],
) -> None:
    front, behind = Walker(300, 0.0, clothes), Walker(150, 90.0, RED, hidden=range(45, 55))
    seen = followed(World([front, behind]), 90, {0: [150, 300]})
    assert counts(seen).tolist() == [2] * 45 + [1] * 10 + [2] * 35
    assert all(300 in places for places in seen)
    assert seen[80] == [300, pytest.approx(behind.x(80))]


def test_clothes_tell_who_stopped_in_front_of_somebody() -> None:
    """Who stands there is nearer to where the other one stood than to where his own way led."""
    behind = Walker(300, 0.0, RED, hidden=range(48, 84))
    front = Walker(159, 90.0, BLUE, stands=range(44, 70))
    seen = followed(World([behind, front]), 100, {0: [159, 300]})
    assert counts(seen).tolist() == [2] * 48 + [1] * 36 + [2] * 16
    assert sorted(seen[99]) == [300, pytest.approx(front.x(99))]


def test_poses_drawn_to_somebody_in_front_do_not_move_where_he_is_expected() -> None:
    sighting = Sighting(0.9, 1.0, roi(0), np.zeros((1, 5), np.float32), np.zeros(6), fresh=False)
    person = Person.met(sighting, roi(100), 0.0)
    for frame in range(1, 30):
        drawn = 12 if frame >= 28 else 0
        person = person.seen(sighting, roi(100 + 3 * frame - drawn), frame / FPS)
    assert person.expected(40 / FPS)[0] == pytest.approx(100 + 3 * 40, abs=0.5)


def test_whom_the_detector_finds_again_is_not_looked_for_as_hidden() -> None:
    walker = Walker(100, 0.0, hidden=range(20, 30))
    world = World([walker])
    found = followed(world, 60, {0: [100], 30: [100]})
    assert counts(found)[30:].tolist() == [1] * 30
    # One look a frame but for the one in which he is lost, who is looked for again at once.
    assert len(world.looks) == 60 + 1


def test_who_is_new_is_followed_beside_those_who_are_hidden() -> None:
    one, other = Walker(100, 0.0, RED, hidden=range(20, 40)), Walker(150, 0.0, BLUE)
    seen = followed(World([one, other]), 60, {0: [100], 25: [150]})
    assert counts(seen).tolist() == [1] * 20 + [0] * 5 + [1] * 15 + [2] * 20
