"""Edits of tracks, as numbers: what each does, that undone ones leave no trace, and which still
apply after another merge.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotate.domain.changes import (
    AddPoses,
    Change,
    DeletePoses,
    HideKeypoint,
    MarkReviewed,
    MergeTracks,
    MoveKeypoint,
    NameTrack,
    SplitTrack,
    SwapSides,
    SwapTracks,
    Undo,
)
from annotate.domain.edits import Edit, active, change_from
from annotate.domain.errors import EditError
from annotate.domain.outline import Outline
from annotate.domain.tracks import Tracks
from annotate.edits import NotApplied, apply, edited
from annotate.edits.added import packed
from annotate.edits.identities import MOST_LETTERS
from tests.made_poses import assert_same
from tests.made_review import basis, edit, ref, three_people
from tests.made_tracks import SKELETON

PEOPLE = three_people()
WRIST = SKELETON.landmarks.index("left_wrist")


def applied(*changes: Change, tracks: Tracks = PEOPLE) -> Tracks:
    made, left = apply(tracks, [edit(n, one) for n, one in enumerate(changes, start=1)], basis())
    assert left == ()
    return made


def frames_of(tracks: Tracks, track: int) -> list[int]:
    found: list[int] = tracks.frame_index[tracks.track_id == track].tolist()
    return found


def pose(tracks: Tracks, track: int, frame: int) -> Tracks:
    return tracks.take((tracks.track_id == track) & (tracks.frame_index == frame))


def added(track: int | None, frames: tuple[int, ...], made: int | None = None) -> AddPoses:
    poses = np.random.default_rng(0).uniform(10, 900, (len(frames), 33, 5)).astype(np.float32)
    own = None if track is None else ref(PEOPLE, track, 0)
    return AddPoses(own, made, frames, (0.5,) * len(frames), 33, 0, packed(poses))


def test_no_edit_changes_nothing() -> None:
    assert_same(applied(), PEOPLE)


def test_merge_keeps_one_pose_a_frame() -> None:
    made = applied(MergeTracks(ref(PEOPLE, 2, 0), ref(PEOPLE, 3, 0)))
    assert set(made.track_id.tolist()) == {1, 2}
    assert frames_of(made, 2) == list(range(120))
    np.testing.assert_array_equal(pose(made, 2, 0).bbox, pose(PEOPLE, 2, 0).bbox)
    np.testing.assert_array_equal(pose(made, 2, 60).bbox, pose(PEOPLE, 3, 60).bbox)


def test_split_makes_a_new_track() -> None:
    made = applied(SplitTrack(ref(PEOPLE, 1, 10), 50, 9))
    assert frames_of(made, 1) == list(range(50))
    assert frames_of(made, 9) == list(range(50, 120))
    assert (np.diff(made.frame_index * 10 + made.track_id) > 0).all()


def test_swap_exchanges_ids_from_a_frame_on() -> None:
    made = applied(SwapTracks(ref(PEOPLE, 1, 0), ref(PEOPLE, 3, 0), 70))
    np.testing.assert_array_equal(pose(made, 1, 69).bbox, pose(PEOPLE, 1, 69).bbox)
    np.testing.assert_array_equal(pose(made, 1, 70).bbox, pose(PEOPLE, 3, 70).bbox)
    np.testing.assert_array_equal(pose(made, 3, 119).bbox, pose(PEOPLE, 1, 119).bbox)


def test_delete_takes_a_range_only() -> None:
    made = applied(DeletePoses(ref(PEOPLE, 1, 0), 10, 12))
    assert frames_of(made, 1) == [*range(10), *range(12, 120)]
    assert len(made) == len(PEOPLE) - 2


def test_added_poses_fill_a_gap_and_replace_what_is_there() -> None:
    made = applied(added(2, (38, 39, 40, 41)))
    assert {38, 39, 40, 41} <= set(frames_of(made, 2))
    assert len(pose(made, 2, 38)) == 1
    assert float(pose(made, 2, 38).score[0]) == 0.5
    assert made.time_s[made.frame_index == 41].tolist() == [41 / 30] * 3
    assert (np.diff(made.frame_index) >= 0).all()


def test_added_poses_of_a_new_person_come_after_the_last_block_too() -> None:
    short = PEOPLE.take(PEOPLE.frame_index < 100)
    made = applied(added(None, (98, 99, 100, 119), made=7), tracks=short)
    assert frames_of(made, 7) == [98, 99, 100, 119]


def test_a_moved_keypoint_is_where_it_was_put() -> None:
    was = pose(PEOPLE, 1, 20).smoothed[0, WRIST, :2]
    move = MoveKeypoint(ref(PEOPLE, 1, 20), "left_wrist", 5.0, 6.0, float(was[0]), float(was[1]))
    made = applied(move)
    assert pose(made, 1, 20).smoothed[0, WRIST, [0, 1, 3, 4]].tolist() == [5, 6, 1, 1]
    assert pose(made, 1, 20).bbox[0, 0] < pose(PEOPLE, 1, 20).bbox[0, 0]
    others = made.frame_index != 20
    np.testing.assert_array_equal(made.smoothed[others], PEOPLE.smoothed[others])
    np.testing.assert_array_equal(made.raw, PEOPLE.raw)


def moved_by(tracks: Tracks, frame: int, by: tuple[float, float], *, between: bool) -> Change:
    x, y = pose(tracks, 1, frame).smoothed[0, WRIST, :2].astype(float).tolist()
    to_x, to_y = x + by[0], y + by[1]
    return MoveKeypoint(ref(PEOPLE, 1, frame), "left_wrist", to_x, to_y, x, y, between)


def shift(made: Tracks, frame: int) -> list[float]:
    by = pose(made, 1, frame).smoothed[0, WRIST, :2] - pose(PEOPLE, 1, frame).smoothed[0, WRIST, :2]
    rounded: list[float] = np.round(by.astype(float), 2).tolist()
    return rounded


def test_frames_between_two_moved_keypoints_follow_evenly() -> None:
    first = moved_by(PEOPLE, 20, (10, 0), between=False)
    second = moved_by(PEOPLE, 40, (0, 20), between=True)
    made = applied(first, second)
    assert [shift(made, f) for f in (19, 20, 30, 40, 41)] == [
        *([0, 0], [10, 0], [5, 10], [0, 20], [0, 0])
    ]


def test_a_third_move_between_two_is_met_from_both_sides() -> None:
    changes = [
        moved_by(PEOPLE, 20, (10, 0), between=False),
        moved_by(PEOPLE, 40, (10, 0), between=True),
    ]
    changes.append(moved_by(applied(*changes), 30, (10, 0), between=True))
    made = applied(*changes)
    assert [shift(made, f)[0] for f in (20, 25, 30, 35, 40)] == [10, 15, 20, 15, 10]


def test_a_hidden_keypoint_is_in_the_picture_but_not_visible() -> None:
    made = applied(HideKeypoint(ref(PEOPLE, 1, 20), "left_wrist"))
    assert pose(made, 1, 20).smoothed[0, WRIST, 3:].tolist() == [0, 1]
    assert pose(made, 1, 21).smoothed[0, WRIST, 3] > 0


def test_swapped_sides_exchange_left_and_right() -> None:
    made = applied(SwapSides(ref(PEOPLE, 1, 0), 100))
    other = SKELETON.landmarks.index("right_wrist")
    np.testing.assert_array_equal(
        pose(made, 1, 100).smoothed[0, WRIST], pose(PEOPLE, 1, 100).smoothed[0, other]
    )
    np.testing.assert_array_equal(pose(made, 1, 99).smoothed, pose(PEOPLE, 1, 99).smoothed)


def test_names_follow_a_merge_and_reviewed_frames_are_marked() -> None:
    changes = [
        NameTrack(ref(PEOPLE, 3, 0), "Ada"),
        MergeTracks(ref(PEOPLE, 2, 0), ref(PEOPLE, 3, 0)),
        MarkReviewed(10, 20),
        MarkReviewed(15, 16, reviewed=False),
    ]
    edits = [edit(n, one) for n, one in enumerate(changes, start=1)]
    made = edited(Outline.of(PEOPLE), edits, basis())
    assert dict(made.names) == {2: "Ada"}
    assert np.flatnonzero(made.reviewed).tolist() == [10, 11, 12, 13, 14, 16, 17, 18, 19]


def test_blocks_give_what_the_whole_gives() -> None:
    changes = [
        SplitTrack(ref(PEOPLE, 1, 10), 50, 9),
        added(2, (38, 39, 40, 41)),
        moved_by(PEOPLE, 20, (10, 0), between=False),
        moved_by(PEOPLE, 40, (0, 20), between=True),
        DeletePoses(ref(PEOPLE, 3, 0), 0, 30),
        SwapSides(ref(PEOPLE, 3, 40), 35, 45),
    ]
    edits = [edit(n, one) for n, one in enumerate(changes, start=1)]
    whole, _ = apply(PEOPLE, edits, basis())
    pieces = [PEOPLE.take((PEOPLE.frame_index // 7) == n) for n in range(18)]
    result = edited(Outline.of(PEOPLE), edits, basis())
    assert_same(Tracks.concat([*result.blocks(pieces)]), whole)
    np.testing.assert_array_equal(result.outline.track_id, whole.track_id)
    np.testing.assert_array_equal(result.outline.frame_index, whole.frame_index)


# Undo


@st.composite
def random_changes(draw: st.DrawFn) -> list[Change]:
    """Many changes of all kinds, some of which do not apply."""
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    changes: list[Change] = []
    for _ in range(100):
        row = int(random.integers(len(PEOPLE)))
        own = ref(PEOPLE, int(PEOPLE.track_id[row]), int(PEOPLE.frame_index[row]))
        row = int(random.integers(len(PEOPLE)))
        other = ref(PEOPLE, int(PEOPLE.track_id[row]), int(PEOPLE.frame_index[row]))
        start, stop = sorted(random.choice(121, 2, replace=False).tolist())
        x, y = random.uniform(0, 1000, 2).tolist()
        between = bool(random.integers(2))
        choices: list[Change] = [
            NameTrack(own, "Ada"),
            MergeTracks(own, other),
            SplitTrack(own, start, 10 + len(changes)),
            SwapTracks(own, other, start),
            DeletePoses(own, start, stop),
            added(1, (start,)),
            MoveKeypoint(own, "left_wrist", x, y, 0.0, 0.0, between),
            HideKeypoint(own, "nose", between),
            SwapSides(own, start, stop),
            MarkReviewed(start, stop),
        ]
        changes.append(choices[int(random.integers(len(choices)))])
    return changes


@settings(max_examples=8, deadline=None)
@given(changes=random_changes(), order=st.randoms(use_true_random=False))
def test_a_hundred_edits_undone_leave_no_trace(changes: list[Change], order: object) -> None:
    edits = [edit(n, one) for n, one in enumerate(changes, start=1)]
    numbers = [one.number for one in edits]
    order.shuffle(numbers)  # type: ignore[attr-defined]
    undos = [edit(101 + n, Undo(number)) for n, number in enumerate(numbers)]
    made, left = apply(PEOPLE, edits + undos, basis())
    assert left == ()
    assert_same(made, PEOPLE)
    # All undos undone are all edits again.
    redone = [edit(201 + n, Undo(one.number)) for n, one in enumerate(undos)]
    assert active(edits + undos + redone) == edits


def test_an_undone_undo_is_the_edit_again() -> None:
    change = DeletePoses(ref(PEOPLE, 1, 0), 0, 120)
    edits = [edit(1, change), edit(2, Undo(1)), edit(3, Undo(2))]
    assert active(edits) == edits[:1]
    assert active(edits[:2]) == []


# Tracks that were made again


def renumbered() -> Tracks:
    """As another merge may number them: 3, 1, 2."""
    ids = np.array([0, 3, 1, 2])[PEOPLE.track_id]
    return replace(PEOPLE, track_id=ids).take(np.lexsort((ids, PEOPLE.frame_index)))


def test_edits_find_the_same_person_under_another_id() -> None:
    edits = [
        edit(1, SplitTrack(ref(PEOPLE, 1, 10), 50, 4)),
        edit(2, NameTrack(replace(ref(PEOPLE, 1, 60), track=4), "Ada")),
    ]
    result = edited(Outline.of(renumbered()), edits, basis(tracks="recipe/other"))
    assert result.not_applied == ()
    assert dict(result.names) == {4: "Ada"}
    made = Tracks.concat([*result.blocks([renumbered()])])
    np.testing.assert_array_equal(pose(made, 3, 49).bbox, pose(PEOPLE, 1, 49).bbox)
    np.testing.assert_array_equal(pose(made, 4, 50).bbox, pose(PEOPLE, 1, 50).bbox)


def test_the_id_of_a_new_track_is_free_in_other_tracks() -> None:
    for made in (3, 2**40):
        edits = [edit(1, SplitTrack(ref(PEOPLE, 1, 10), 50, made))]
        result = edited(Outline.of(renumbered()), edits, basis(tracks="recipe/other"))
        assert set(result.outline.track_id.tolist()) == {1, 2, 3, 4}


def test_edits_of_a_person_who_is_gone_are_listed() -> None:
    edits = [edit(1, NameTrack(ref(PEOPLE, 1, 10), "Ada")), edit(2, MarkReviewed(0, 5))]
    others = PEOPLE.take(PEOPLE.track_id != 1)
    made, left = apply(others, edits, basis(tracks="recipe/other"))
    assert_same(made, others)
    assert left == (NotApplied(edits[0], "track 1 has no pose in frame 10"),)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (SplitTrack(ref(PEOPLE, 1, 10), 0, 9), "both sides"),
        (MergeTracks(ref(PEOPLE, 1, 10), ref(PEOPLE, 1, 20)), "both are track 1"),
        (replace(added(1, (5,)), landmarks=34), "as many poses"),
        (replace(added(1, (5,)), data=packed(np.full((1, 33, 5), 1e9, np.float32))), "can be"),
        (MoveKeypoint(ref(PEOPLE, 1, 9), "nose", 1e300, 5.0, 0.0, 0.0), "far off the picture"),
        (added(1, (500,)), "not frames of the video"),
        (MarkReviewed(5, 500), "not frames of the video"),
        (HideKeypoint(ref(PEOPLE, 1, 10), "tail"), "no landmark 'tail'"),
        (DeletePoses(ref(PEOPLE, 2, 0), 50, 60), "no pose in these frames"),
        (NameTrack(replace(ref(PEOPLE, 1, 10), pts=7), "Ada"), "no frame 10 at that time"),
        (NameTrack(ref(PEOPLE, 1, 10), "A" * (MOST_LETTERS + 1)), "at most 80 letters"),
        (NameTrack(ref(PEOPLE, 1, 10), "A\nB"), "visible and on one line"),
    ],
)
def test_an_edit_that_does_not_fit_says_why(change: Change, reason: str) -> None:
    made, (left,) = apply(PEOPLE, [edit(1, change)], basis())
    assert reason in left.reason
    assert_same(made, PEOPLE)


# Records


def test_records_come_back_as_they_were() -> None:
    changes: list[Change] = [
        NameTrack(ref(PEOPLE, 1, 0), "Ada"),
        added(None, (4, 5), made=9),
        MoveKeypoint(ref(PEOPLE, 1, 20), "left_wrist", 5.0, 6.0, 1.0, 2.0, between=True),
        SwapSides(ref(PEOPLE, 1, 0), 100),
        Undo(3),
    ]
    for change in changes:
        one = edit(5, change)
        assert Edit.from_fields(one.to_fields()) == one


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("burn", {}),
        ("review", []),
        ("review", {"start": 0}),
        ("review", {"start": 0, "stop": 5, "more": 1}),
        ("review", {"start": 0, "stop": 5.5}),
        ("review", {"start": 0, "stop": 10**30}),
        ("undo", {"edit": True}),
        ("name", {"track": {"track": 1}, "name": "Ada"}),
        ("name", {"track": None, "name": "Ada"}),
        ("name", {"track": {"track": 1, "frame": 0, "pts": 0, "box": [1, 2]}, "name": "Ada"}),
        ("name", {"track": {"track": 1, "frame": 0, "pts": 0, "box": [1, 2, 3, None]}, "name": ""}),
    ],
)
def test_records_of_another_form_are_refused(kind: str, fields: object) -> None:
    with pytest.raises(EditError):
        change_from(kind, fields)
