"""Tracks that take turns on one body: what a person looks like changes for a while."""

from dataclasses import replace

import numpy as np
import pytest

from annotate.domain.merge_settings import MergeSettings
from annotate.merge.pose_table import pose_table
from annotate.merge.track_rows import TrackRows
from annotate.merge.turns import join_turns
from tests.made_tracks import SKELETON, hidden, merged, poses_of, steady, walker

SETTINGS = MergeSettings()
FPS = 30
UNSEEN_S = SETTINGS.tracker.max_unseen_s
# As far as a track that takes a turn may begin from where the other one ends, in pixels: of the
# height that their ROI of 750 pixels tells.
NEAR_PX = SETTINGS.link.place * SETTINGS.link.max_fill_places * 750 / SETTINGS.link.roi_per_height


@pytest.mark.parametrize(
    "turns", [[(40, 58)], [(40, 70), (90, 100)]], ids=["once", "twice, the second one shorter"]
)
def test_a_person_who_looks_otherwise_for_a_while_is_one_track(
    turns: list[tuple[int, int]],
) -> None:
    time_s = steady(4, FPS)
    usual = walker(time_s, (500, 800))
    shaded = [
        hidden(replace(usual, colour=30.0), (0, start), (stop, len(time_s)))
        for start, stop in turns
    ]
    tracks = merged([poses_of([hidden(usual, *turns), *shaded], time_s, noise_px=1)])
    assert set(tracks.track_id) == {1}
    assert len(tracks) == len(time_s)
    assert not tracks.filled.any()


def tracks_of(*places: tuple[int, int, float]) -> TrackRows:
    """Tracks 0, 1, ... of people who stand: first frame, frame after the last one, and x."""
    time_s = steady(2, FPS)
    people = [
        hidden(walker(time_s, (x, x)), (0, start), (stop, len(time_s))) for start, stop, x in places
    ]
    table = pose_table(poses_of(people, time_s), SETTINGS.pose, SKELETON)
    rows = {
        number: np.flatnonzero(
            (table.frame >= start) & (table.frame < stop) & (np.abs(table.hip[:, 0] - x) < 1)
        )
        for number, (start, stop, x) in enumerate(places)
    }
    return TrackRows(table, rows, undecided=tuple(rows), closed=frozenset())


def joined(links: dict[int, int], *places: tuple[int, int, float]) -> dict[int, int]:
    return join_turns(links, range(len(places)), tracks_of(*places), UNSEEN_S, SETTINGS)


def test_a_track_in_the_whole_gap_of_another_is_joined() -> None:
    assert joined({1: 0}, (0, 20, 500), (40, 60, 500), (20, 40, 505)) == {2: 0, 1: 2}


def test_its_other_links_are_given_up() -> None:
    places = ((0, 20, 500), (40, 60, 500), (20, 40, 505), (45, 60, 1200), (0, 10, 1200))
    assert joined({1: 0, 3: 2, 2: 4}, *places) == {2: 0, 1: 2}


@pytest.mark.parametrize(
    ("links", "other"),
    [({1: 0, 2: 3}, (5, 20, 900)), ({1: 0, 3: 2}, (40, 55, 900))],
    ids=["it goes on from another track", "another track goes on from it"],
)
def test_a_track_that_is_continued_without_a_gap_stays_with_that_one(
    links: dict[int, int], other: tuple[int, int, float]
) -> None:
    assert joined(links, (0, 20, 500), (40, 60, 500), (20, 40, 505), other) == links


@pytest.mark.parametrize(
    "between",
    [(20, 40, 500 + 1.1 * NEAR_PX), (20, 35, 505), (25, 40, 505), (18, 40, 560)],
    ids=["beside it", "gone before", "comes later", "there at the same time"],
)
def test_what_may_be_another_person_is_not_joined(between: tuple[int, int, float]) -> None:
    assert joined({1: 0}, (0, 20, 500), (40, 60, 500), between) == {1: 0}


APART_PX = SETTINGS.link.min_apart * 750 / SETTINGS.link.roi_per_height


@pytest.mark.parametrize(
    ("other", "stays"),
    [
        ((0, 60, 500 + 0.9 * APART_PX), True),
        ((0, 20, 560), True),
        ((40, 60, 560), True),
        ((0, 60, 500 + 1.1 * APART_PX), False),
        ((0, 10, 560), False),
    ],
    ids=["beside them", "gone meanwhile", "come meanwhile", "farther away", "gone before"],
)
def test_a_track_with_another_person_near_may_be_theirs(
    other: tuple[int, int, float], stays: bool
) -> None:
    places = ((0, 20, 500), (40, 60, 500), (20, 40, 500), other)
    assert (joined({1: 0}, *places) == {1: 0}) == stays


def test_a_track_just_near_enough_is_joined() -> None:
    between = (20, 40, 500 + 0.9 * NEAR_PX)
    assert joined({1: 0}, (0, 20, 500), (40, 60, 500), between) == {2: 0, 1: 2}
