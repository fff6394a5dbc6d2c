"""The edit list of a video in a store, a folder or a bucket, and the command that shows it."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from annotate.cli.app import app
from annotate.domain.changes import Change, DeletePoses, MarkReviewed, NameTrack, Undo
from annotate.domain.edits import Edit
from annotate.domain.errors import (
    DamagedError,
    EditError,
    NewerEditError,
    UsageError,
)
from annotate.domain.export_options import ExportOptions
from annotate.domain.job import Job
from annotate.domain.tracks import Tracks
from annotate.store import Store, open_store
from annotate.store.claims import CLAIM
from annotate.use_cases.check import check_store
from annotate.use_cases.clean import garbage
from annotate.use_cases.edits import Brought, Edits
from annotate.use_cases.export import export
from annotate.use_cases.final_tracks import final_tracks, track_list
from tests.made_review import people_of, ref, write_job


@pytest.fixture
def job(store: Store, stroll: Path, blazepose_pack: Path) -> Job:
    return write_job(store, blazepose_pack, [stroll], people_of)


def tracks_of(store: Store, job: Job) -> Tracks:
    return Tracks.concat([*final_tracks(store, job, job.videos[0])])


def mine(store: Store, job: Job) -> Edits:
    return Edits(store, job, job.videos[0])


def test_one_of_many_writers_creates_an_object(store: Store) -> None:
    with ThreadPoolExecutor(6) as threads:
        done = [*threads.map(lambda n: store.files.create("a/b.json", b"%d" % n), range(6))]
    assert sum(done) == 1
    assert store.files.read("a/b.json") == b"%d" % done.index(True)
    assert store.files.names("a") == ["b.json"]
    assert not store.files.create("a/b.json", b"later")


def test_a_claim_of_a_killed_writer_does_not_hold_others_up_for_ever(store: Store) -> None:
    store.files.write(f"a/b.json{CLAIM}1000-abc", b"")
    assert store.files.create("a/b.json", b"mine")


def test_a_folder_without_hard_links_takes_claims(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    files = open_store(str(tmp_path)).files
    assert files.create("a/b.json", b"first")
    assert not files.create("a/b.json", b"second")
    assert files.read("a/b.json") == b"first"


def test_edits_show_in_all_that_reads_tracks(store: Store, job: Job) -> None:
    before = tracks_of(store, job)
    edits = mine(store, job)
    edits.add(DeletePoses(ref(before, 1, 0), 0, 60), "ann")
    assert set(tracks_of(store, job).track_id.tolist()) == {2}
    assert track_list(store, job, job.videos[0]).track_id.tolist() == [2]
    edits.undo(1, "ann")
    assert len(tracks_of(store, job)) == len(before)
    with pytest.raises(EditError, match="undone already"):
        edits.undo(1, "ann")
    with pytest.raises(EditError, match="no edit 9"):
        edits.undo(9, "ann")


def test_an_edit_that_does_not_fit_is_not_filed(store: Store, job: Job) -> None:
    before = tracks_of(store, job)
    with pytest.raises(EditError, match="does not fit"):
        mine(store, job).add(DeletePoses(ref(before, 1, 0), 500, 600), "ann")
    assert mine(store, job).state().edits == ()


def test_the_second_of_two_reviewers_takes_the_next_number(store: Store, job: Job) -> None:
    before = tracks_of(store, job)
    mine(store, job).add(NameTrack(ref(before, 1, 0), "Ada"), "ann", after=0)
    mine(store, job).add(DeletePoses(ref(before, 2, 0), 0, 5), "bob", after=0)
    state = mine(store, job).state()
    assert [(one.number, one.author) for one in state.edits] == [(1, "ann"), (2, "bob")]


@pytest.mark.parametrize("after", [-5, 10**9])
def test_numbers_follow_each_other_whatever_was_seen(store: Store, job: Job, after: int) -> None:
    edits = mine(store, job)
    for number in (1, 2):
        change = MarkReviewed(number, number + 1)
        assert edits.add(change, "ann", after=after).number == number


def test_many_at_once_lose_no_edit(store: Store, job: Job) -> None:
    def add(number: int) -> int:
        change = MarkReviewed(number, number + 1)
        return mine(store, job).add(change, f"author {number}").number

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(add, range(8))) == [*range(1, 9)]


def test_edits_move_to_another_store(
    store: Store, job: Job, stroll: Path, blazepose_pack: Path, tmp_path: Path
) -> None:
    before = tracks_of(store, job)
    edits = mine(store, job)
    edits.add(DeletePoses(ref(before, 1, 0), 0, 60), "ann")
    edits.add(NameTrack(ref(before, 2, 0), "Bea"), "ann")
    edits.undo(2, "bob")
    assert edits.export(tmp_path / "edits.json") == 3
    other = open_store(str(tmp_path / "other"))
    there = write_job(other, blazepose_pack, [stroll], people_of)
    mine(other, there).add(MarkReviewed(0, 5), "eve")
    brought = mine(other, there).bring_in(tmp_path / "edits.json")
    assert brought.count == 3
    # Poses that Eve had marked are deleted; the name does not count, as it was taken back.
    assert [(new.author, old.author) for new, old in brought.conflicts] == [("ann", "eve")]
    assert mine(other, there).bring_in(tmp_path / "edits.json") == Brought(0, ())
    state = mine(other, there).state()
    assert [one.author for one in state.edits] == ["eve", "ann", "ann", "bob"]
    assert state.undone == {3}
    assert state.edits[3].change == Undo(3)
    assert set(tracks_of(other, there).track_id.tolist()) == {2}


def test_edits_that_are_brought_in_name_those_that_they_change(
    tmp_path: Path, stroll: Path, blazepose_pack: Path
) -> None:
    store = open_store(str(tmp_path / "store"))
    job = write_job(store, blazepose_pack, [stroll], people_of)
    before = tracks_of(store, job)
    edits, file = mine(store, job), tmp_path / "edits.json"
    edits.add(NameTrack(ref(before, 2, 0), "Bea"), "ann")
    edits.export(file)
    edits.undo(1, "ann")
    edits.add(NameTrack(ref(before, 2, 0), "Bob"), "bob")
    edits.add(NameTrack(ref(before, 1, 0), "Eve"), "bob")
    # As if it were made in another store.
    file.write_text(file.read_text().replace('"ann"', '"zoe"').replace("Bea", "Zed"))
    arguments = ["edits", "--store", str(tmp_path / "store"), "--import", str(file)]
    (named,) = (
        line for line in CliRunner().invoke(app, arguments).output.splitlines() if "same" in line
    )
    assert named.strip() == (
        "edit 5 by zoe (name, track 2 at frame 0, name Zed) is about the same as edit 3 by bob "
        "(name, track 2 at frame 0, name Bob)"
    )
    again = CliRunner().invoke(app, arguments).output
    assert "Added 0 edits" in again
    assert "same" not in again


@pytest.mark.parametrize("content", ["", "[]", '{"format": "annotate-edits", "edits": []}'])
def test_another_file_is_not_taken_for_edits(
    content: str, tmp_path: Path, stroll: Path, blazepose_pack: Path
) -> None:
    store = open_store(str(tmp_path / "store"))
    job = write_job(store, blazepose_pack, [stroll], people_of)
    (tmp_path / "edits.json").write_text(content)
    with pytest.raises(UsageError):
        mine(store, job).bring_in(tmp_path / "edits.json")


def test_a_damaged_edit_is_named_and_set_aside(store: Store, job: Job) -> None:
    edits = mine(store, job)
    edits.add(MarkReviewed(0, 5), "ann")
    key = store.results(job.recipe, job.videos[0]).edits.key(1)
    store.files.write(key, b"{")
    with pytest.raises(DamagedError, match=r"000001\.json"):
        edits.state()
    assert [one.problem for one in check_store(store, repair=True).findings if key in one.problem]
    assert edits.state().edits == ()


def test_an_edit_of_a_newer_version_is_named_and_stays(store: Store, job: Job) -> None:
    edits = mine(store, job)
    edits.add(MarkReviewed(0, 5), "ann")
    key = store.results(job.recipe, job.videos[0]).edits.key(1)
    whole = json.loads(store.files.read(key) or b"")
    newer = json.dumps({**whole, "kind": "paint"}).encode()
    store.files.write(key, newer)
    with pytest.raises(NewerEditError, match="'paint'") as caught:
        tracks_of(store, job)
    assert "update annotate" in caught.value.hint
    (found,) = check_store(store, repair=True).findings
    assert key in found.problem
    assert store.files.read(key) == newer


def test_a_merge_with_other_settings_keeps_edits_and_lists_the_others(
    store: Store, job: Job
) -> None:
    before = tracks_of(store, job)
    edits = mine(store, job)
    edits.add(NameTrack(ref(before, 2, 0), "Bea"), "ann")
    edits.add(NameTrack(ref(before, 1, 0), "Ada"), "ann")
    again = replace(job, smooth_hz=3.0)
    results = store.results(again.recipe, again.videos[0])
    ids = before.track_id.copy()
    later = replace(before, track_id=ids).take(before.track_id == 2)
    later = replace(later, track_id=later.track_id - 1)
    results.write_tracks(again.merge_digest, [later], 33, {"missing": []}, 0)
    state = Edits(store, again, again.videos[0]).state()
    assert [left.edit.number for left in state.not_applied] == [2]


# Exports


def exported(
    store: Store, job: Job, out: Path, *, reviewed_only: bool = False
) -> dict[str, list[dict[str, Any]]]:
    export(store, job, ExportOptions(out=out, reviewed_only=reviewed_only))
    found: dict[str, list[dict[str, Any]]] = json.loads(out.read_bytes())
    return found


def test_exports_say_what_is_reviewed_and_take_only_that(
    tmp_path: Path, stroll: Path, blazepose_pack: Path
) -> None:
    store = open_store(str(tmp_path / "store"))
    job = write_job(store, blazepose_pack, [stroll], people_of)
    out = tmp_path / "people.json"
    plain = exported(store, job, out)
    assert not any("reviewed" in one for one in plain["annotations"] + plain["images"])
    before = tracks_of(store, job)
    edits = mine(store, job)
    edits.add(MarkReviewed(10, 20), "ann")
    edits.add(NameTrack(ref(before, 1, 0), "Ada"), "ann")
    found = exported(store, job, out)
    marked = {one["frame_index"] for one in found["images"] if one.get("reviewed")}
    assert marked == set(range(10, 20))
    images = {one["id"] for one in found["images"] if one.get("reviewed")}
    assert {one["image_id"] for one in found["annotations"] if one.get("reviewed")} == images
    assert {one.get("track_name") for one in found["annotations"]} == {"Ada", None}
    only = exported(store, job, out, reviewed_only=True)
    assert [one["id"] for one in only["images"]] == sorted(images)
    assert {one["image_id"] for one in only["annotations"]} == images
    edits.undo(1, "ann")
    edits.undo(2, "ann")
    assert exported(store, job, out) == plain


# Cleaning


def test_clean_lists_edits_apart_and_keeps_those_of_a_job(
    tmp_path: Path, stroll: Path, blazepose_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(str(tmp_path / "store"))
    job = write_job(store, blazepose_pack, [stroll], people_of)
    monkeypatch.setenv("ANNOTATE_STORE", str(tmp_path / "store"))
    mine(store, job).add(MarkReviewed(0, 5), "ann")
    assert garbage(store) == []
    found = {one.kind: [entry.key for entry in one.entries] for one in garbage(store, [job.id])}
    assert found["edits"] == [store.results(job.recipe, job.videos[0]).edits.key(1)]
    assert not any("edits" in key for key in found["results"])
    said = CliRunner().invoke(app, ["clean", job.id]).output
    assert "1 edit of reviewers would be lost: `annotate edits JOB VIDEO --export FILE`" in said
    assert mine(store, job).state().edits
    CliRunner().invoke(app, ["clean", job.id, "--yes"])
    assert mine(store, job).state().edits == ()


# The command


def test_the_command_lists_undoes_and_moves(
    tmp_path: Path, stroll: Path, blazepose_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(str(tmp_path / "store"))
    job = write_job(store, blazepose_pack, [stroll], people_of)
    monkeypatch.setenv("ANNOTATE_STORE", str(tmp_path / "store"))
    before = tracks_of(store, job)
    mine(store, job).add(DeletePoses(ref(before, 1, 0), 3, 9), "ann")

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["edits", *arguments])
        assert done.exit_code == 0, done.output
        return done.output

    assert "delete, track 1 at frame 0, start 3, stop 9" in run()
    file = str(tmp_path / "edits.json")
    assert "Wrote 1 edit" in run(stroll.name, "--export", file)
    assert "undoes edit 1" in run(job.id, "--undo", "1")
    (listed,) = json.loads(run("--json"))
    assert [one["undone"] for one in listed["edits"]] == [True, False]
    assert Edit.from_fields(
        {k: v for k, v in listed["edits"][0].items() if k not in ("undone", "not_applied")}
    ).change == DeletePoses(ref(before, 1, 0), 3, 9)
    assert "Added 0 edits" in run("--import", file)


def kinds() -> list[type[Change]]:
    from annotate.domain.changes import CHANGES

    return [*CHANGES.values()]


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.kind)
def test_every_field_of_an_edit_is_documented(kind: type[Change]) -> None:
    from dataclasses import fields

    from tests.test_docs_fields import NAMED

    assert {kind.kind, *(one.name for one in fields(kind))} <= NAMED
