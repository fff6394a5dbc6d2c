"""Which tracks are linked, dropped or left: at figures on both sides of each threshold."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from annotate.domain.merge_settings import MergeSettings
from annotate.merge import links
from annotate.merge.doubles import is_double
from annotate.merge.linking import _is_false
from annotate.merge.links import _best_links, _in_reach, _too_short_for_motion
from annotate.merge.pose_table import pose_table
from annotate.merge.track_rows import TrackRows
from tests.made_tracks import SKELETON, hidden, poses_of, steady, walker

SETTINGS = MergeSettings()
FPS = 30


def tracks_of(*places: tuple[int, int]) -> TrackRows:
    """Tracks 0, 1, ... of people who stand 300 pixels apart: first frame, and frame after the last
    one.
    """
    time_s = steady(2, FPS)
    x = [100.0 + 300 * number for number in range(len(places))]
    people = [
        hidden(walker(time_s, (own, own)), (0, start), (stop, len(time_s)))
        for own, (start, stop) in zip(x, places, strict=True)
    ]
    table = pose_table(poses_of(people, time_s), SETTINGS.pose, SKELETON)
    rows = {n: np.flatnonzero(np.abs(table.hip[:, 0] - own) < 1) for n, own in enumerate(x)}
    return TrackRows(table, rows, undecided=tuple(rows), closed=frozenset())


@pytest.mark.parametrize(("suspect", "dropped"), [(4, False), (6, True)])
def test_a_short_track_is_dropped_if_half_of_it_is_suspect(suspect: int, dropped: bool) -> None:
    table: Any = SimpleNamespace(time_s=np.arange(10) / FPS, suspect=np.arange(10) < suspect)
    assert _is_false(table, np.arange(10), SETTINGS.link) == dropped


@pytest.mark.parametrize(
    ("held", "poses", "double"), [(0.9, 8, True), (0.6, 8, False), (0.9, 6, False)]
)
def test_a_double_holds_most_of_one_body_most_of_the_time(
    held: float, poses: int, double: bool
) -> None:
    """Four fifths of its box, in seven of ten poses."""
    frame = np.repeat(np.arange(10), 2)
    second = np.arange(20) % 2 == 1
    box = np.tile(np.array([0, 0, 100, 100], np.float32), (20, 1))
    box[second, 0] = np.where(np.arange(10) < poses, 100 - 100 * held, 200)
    box[second, 2] = box[second, 0] + 100
    times = np.arange(10) / FPS
    table: Any = SimpleNamespace(
        frame=frame,
        time_s=times[frame],
        poses=SimpleNamespace(time_s=times),
        box=box,
        track=second.astype(np.int64),
    )
    assert is_double(table, np.flatnonzero(second), {}, SETTINGS.link) == double


@pytest.mark.parametrize(("overlap", "near"), [(4, True), (6, False)])
def test_tracks_of_one_person_may_overlap_for_a_moment(overlap: int, near: bool) -> None:
    """From the first of four frames to the last one 0.1 s pass, and 0.17 s from that of six."""
    tracks = tracks_of((0, 20), (20 - overlap, 40))
    assert _in_reach(tracks, [0], [1], 0.1, SETTINGS).tolist() == [[near]]


@pytest.mark.parametrize(("frames", "short"), [(4, True), (7, False)])
def test_short_tracks_tell_no_motion(frames: int, short: bool) -> None:
    """They last 0.1 s and 0.2 s."""
    found = _too_short_for_motion(tracks_of((0, frames)), 1 / FPS, SETTINGS)
    assert found == frozenset([0] * short)


@pytest.mark.parametrize(("clear", "chosen"), [(4.0, 1), (7.0, 2)])
def test_a_link_in_an_ambiguous_place_counts_half(
    clear: float, chosen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It saves 10, and one to a track that begins in a clear place saves less."""
    tracks = tracks_of((0, 20), (25, 40), (25, 40))
    first = tracks.rows[1][0]
    ambiguous = np.arange(len(tracks.table)) == first
    tracks = replace(tracks, table=replace(tracks.table, ambiguous=ambiguous))
    saved = {400: 10.0, 700: clear}

    def cost(_end: object, start: Any, _settings: object) -> float:
        return SETTINGS.link.max_cost - saved[round(start.place[0])]

    monkeypatch.setattr(links, "link_cost", cost)
    assert _best_links(tracks, frozenset(), {}, 0.1, SETTINGS) == {chosen: 0}
