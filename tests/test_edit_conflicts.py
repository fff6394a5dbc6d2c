"""Two reviewers of one video: who has not seen what the other did is told so where it matters."""

from dataclasses import replace
from pathlib import Path

import pytest

from annotate.domain.changes import (
    Change,
    DeletePoses,
    MarkReviewed,
    MergeTracks,
    MoveKeypoint,
    NameTrack,
    SwapTracks,
)
from annotate.domain.errors import EditConflictError
from annotate.domain.job import Job
from annotate.domain.tracks import Tracks
from annotate.store import Store
from annotate.use_cases.edits import Edits
from annotate.use_cases.final_tracks import final_tracks
from tests.made_review import people_of, ref, write_job


@pytest.fixture
def job(store: Store, stroll: Path, blazepose_pack: Path) -> Job:
    return write_job(store, blazepose_pack, [stroll], people_of)


def tracks_of(store: Store, job: Job) -> Tracks:
    return Tracks.concat([*final_tracks(store, job, job.videos[0])])


def mine(store: Store, job: Job) -> Edits:
    return Edits(store, job, job.videos[0])


def test_two_who_change_the_same_have_a_conflict(store: Store, job: Job) -> None:
    before = tracks_of(store, job)
    edits = mine(store, job)
    edits.add(DeletePoses(ref(before, 1, 0), 0, 5), "ann", after=0)
    for author in ("bob", "ann"):  # they may share an account
        with pytest.raises(EditConflictError, match=r"ann has changed the same track.*edit 1"):
            edits.add(DeletePoses(ref(before, 1, 5), 4, 8), author, after=0)
    with pytest.raises(EditConflictError):  # the pose that it names is gone
        edits.add(DeletePoses(ref(before, 1, 0), 0, 5), "bob", after=0)
    # Other frames, another track, and what was seen are no conflict.
    edits.add(DeletePoses(ref(before, 1, 5), 5, 8), "bob", after=0)
    edits.add(DeletePoses(ref(before, 2, 5), 0, 8), "bob", after=0)
    edits.add(DeletePoses(ref(before, 1, 9), 0, 15), "bob", after=3)


def pairs(people: Tracks) -> dict[str, tuple[Change, Change, str]]:
    """What one reviewer does, what another does who has not seen it, and what they are told."""
    one, other = ref(people, 1, 0), ref(people, 2, 0)
    named, swap = NameTrack(one, "Ada"), SwapTracks(one, other, 5)
    drag = MoveKeypoint(one, "nose", 5.0, 5.0, 1.0, 1.0)
    return {
        "two names": (named, NameTrack(ref(people, 1, 9), "Bea"), "named the same track 'Ada'"),
        "a name of who is another now": (swap, named, "changed the same track"),
        "a swap of who has a name now": (named, swap, "named the same track 'Ada'"),
        "a merge of who has a name now": (named, MergeTracks(other, one), "named the same track"),
        "one keypoint, two places": (drag, replace(drag, x=9.0), "changed the same track"),
        "two marks": (MarkReviewed(0, 9), MarkReviewed(8, 9, False), "same frames as reviewed"),
        "marks taken away": (MarkReviewed(0, 9, False), MarkReviewed(5, 20), "as not reviewed"),
        "reviewed as it is no more": (swap, MarkReviewed(0, 9), "changed the same track"),
        "another name": (NameTrack(other, "Bea"), named, ""),
        "a name of who moved": (drag, named, ""),
        "a move of who has a name": (named, drag, ""),
        "reviewed with another name": (named, MarkReviewed(0, 9), ""),
        "other frames are reviewed": (drag, MarkReviewed(1, 9), ""),
        "not reviewed any more": (drag, MarkReviewed(0, 9, False), ""),
        "a move in reviewed frames": (MarkReviewed(0, 9), drag, ""),
    }


def test_what_an_author_has_not_seen_is_a_conflict_where_it_matters(store: Store, job: Job) -> None:
    edits = mine(store, job)
    last = 0
    for name, (first, second, told) in pairs(tracks_of(store, job)).items():
        edits.add(first, "ann")
        if told:
            with pytest.raises(EditConflictError, match=f"ann has .*{told}.* just now"):
                edits.add(second, f"bob, {name}", after=last)
            last += 1  # now it was seen
        last = edits.add(second, "bob", after=last).number
        for number in (last, last - 1):
            last = edits.undo(number, "ann").number


def test_an_undo_meets_what_the_undone_edit_meets(store: Store, job: Job) -> None:
    before = tracks_of(store, job)
    edits = mine(store, job)
    edits.add(NameTrack(ref(before, 1, 0), "Ada"), "ann")
    edits.undo(1, "ann")
    with pytest.raises(EditConflictError, match=r"'Ada' just now .edit 2, undo"):
        edits.add(NameTrack(ref(before, 1, 0), "Bea"), "bob", after=1)
