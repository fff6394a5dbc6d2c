"""`annotate evaluate JOB --against-edits`: what the models got wrong, as reviewers saw it."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from annotate.cli.app import app
from annotate.domain.changes import DeletePoses, MarkReviewed, MoveKeypoint, NameTrack
from annotate.domain.errors import UsageError
from annotate.domain.job import Job
from annotate.domain.tracks import Tracks
from annotate.store import Store, open_store
from annotate.use_cases.against_edits import evaluate_against_edits
from annotate.use_cases.edits import Edits
from annotate.use_cases.final_tracks import final_tracks
from tests.made_review import people_of, ref, write_job
from tests.made_tracks import SKELETON

REVIEWED = MarkReviewed(0, 20)


@pytest.fixture
def job(store: Store, stroll: Path, blazepose_pack: Path) -> Job:
    return write_job(store, blazepose_pack, [stroll], people_of)


def moved(tracks: Tracks, frame: int) -> MoveKeypoint:
    """The left wrist of track 1 is at the ankle in a frame."""
    row = np.flatnonzero((tracks.track_id == 1) & (tracks.frame_index == frame))[0]
    wrist, ankle = (SKELETON.landmarks.index(f"left_{one}") for one in ("wrist", "ankle"))
    was, put = tracks.smoothed[row, [wrist, ankle], :2].tolist()
    return MoveKeypoint(ref(tracks, 1, frame), "left_wrist", *put, *was)


def test_what_reviewers_changed_is_what_the_models_got_wrong(store: Store, job: Job) -> None:
    before = Tracks.concat([*final_tracks(store, job, job.videos[0])])
    edits = Edits(store, job, job.videos[0])
    edits.add(DeletePoses(ref(before, 2, 10), 10, 13), "ann")
    edits.add(moved(before, 5), "ann")
    edits.add(moved(before, 30), "ann")
    edits.add(NameTrack(ref(before, 1, 0), "Ada"), "ann")
    edits.add(REVIEWED, "ann")
    found = evaluate_against_edits(store, job)
    counts = found.detections
    # Of two people in 20 reviewed frames, three poses of one are false; the edit of frame 30 is in
    # no reviewed frame.
    assert (found.images, counts.people, counts.found, counts.false_positives) == (20, 37, 37, 3)
    wrong = {one.name: one.labelled * (1 - (one.pck or 0)) for one in found.by_keypoint}
    assert {name: round(n) for name, n in wrong.items() if n > 0.5} == {"left_wrist": 1}


def test_without_reviewed_frames_nothing_is_known(store: Store, job: Job) -> None:
    before = Tracks.concat([*final_tracks(store, job, job.videos[0])])
    Edits(store, job, job.videos[0]).add(DeletePoses(ref(before, 1, 0), 0, 9), "ann")
    with pytest.raises(UsageError, match="so nothing is known to be right"):
        evaluate_against_edits(store, job)


def test_the_command_takes_a_truth_or_the_edits(
    tmp_path: Path, stroll: Path, blazepose_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(str(tmp_path / "store"))
    job = write_job(store, blazepose_pack, [stroll], people_of)
    monkeypatch.setenv("ANNOTATE_STORE", str(tmp_path / "store"))
    Edits(store, job, job.videos[0]).add(REVIEWED, "ann")
    done = CliRunner().invoke(app, ["evaluate", job.id, "--against-edits", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["detections"]["recall"] == 1
    for arguments in ([job.id], [job.id, "truth.json", "--against-edits"]):
        refused = CliRunner().invoke(app, ["evaluate", *arguments])
        assert isinstance(refused.exception, UsageError), refused.output
