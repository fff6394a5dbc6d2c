"""`clean` finds what no job needs, and keeps what a job or a submission needs."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

import annotate.use_cases.announce
from annotate.cli.jobs import _rows
from annotate.domain.errors import BusyJobError
from annotate.domain.progress import silent
from annotate.domain.settings import settings_from
from annotate.domain.work import Heartbeat
from annotate.store import Store, open_store
from annotate.use_cases.announce import announced, is_submitting
from annotate.use_cases.clean import check_idle, garbage, remove
from tests.made_job import CHUNK, JOB, RECIPE, VIDEO
from tests.made_poses import FINGERPRINT, made_index


def test_what_no_job_needs_is_found_and_deleted(store: Store) -> None:
    other = replace(JOB, id="20260103-000000-000000", recipe=replace(RECIPE, detect_every=5))
    for job in (JOB, other):
        store.write_job(job)
        store.write_index(made_index())
        store.results(job.recipe, VIDEO).write_chunks([CHUNK])
    submitting = replace(RECIPE, people="all")
    store.results(submitting, VIDEO).write_chunks([CHUNK])
    assert garbage(store) == [], "young objects may belong to a job that is being submitted"

    found = garbage(store, [other.id])
    kinds = [("jobs", 1), ("order", 1), ("results", 1)]
    assert [(one.kind, len(one.entries)) for one in found] == kinds
    remove(store, found)
    assert store.job_ids() == [JOB.id]
    assert store.results(JOB.recipe, VIDEO).read_chunks() == (CHUNK,)
    assert store.results(other.recipe, VIDEO).read_chunks() is None
    assert store.results(submitting, VIDEO).read_chunks() == (CHUNK,), "it is young"
    assert len(store.read_index(FINGERPRINT)) == 10
    assert garbage(store, [JOB.id])[0].kind == "jobs"


def test_what_a_killed_writer_left_is_found_a_day_later(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.write_job(JOB)
    left = tmp_path / "jobs" / f"x.json.tmp-{'0' * 32}"
    left.write_bytes(b"half")
    assert garbage(store) == []
    yesterday = time.time() - 2 * 86400
    os.utime(left, (yesterday, yesterday))
    (found,) = garbage(store)
    assert (found.kind, found.size) == ("leftovers", 4)
    remove(store, [found])
    assert not left.exists()
    assert store.job_ids() == [JOB.id]


def test_nothing_is_deleted_while_a_job_is_submitted(store: Store) -> None:
    store.write_job(JOB)
    with announced(store, silent):
        found = garbage(store, [JOB.id])
        with pytest.raises(BusyJobError, match="being submitted"):
            remove(store, found)
        assert store.job_ids() == [JOB.id]
    remove(store, found)
    assert store.job_ids() == []


def test_a_submission_that_was_killed_does_not_keep_everything(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.files.write("submitting/x", b"")
    assert is_submitting(store)
    long_ago = time.time() - 2 * 3600
    os.utime(tmp_path / "submitting" / "x", (long_ago, long_ago))
    assert not is_submitting(store)


def test_a_long_submission_announces_itself_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with announced(store, silent) as progress:
        (entry,) = store.files.walk("submitting")
        store.files.delete(entry.key)
        progress("Uploading", 0.5)
        assert [one.key for one in store.files.walk("submitting")] == [entry.key]
        store.files.delete(entry.key)
        progress("Uploading", 0.6)
        assert not store.files.walk("submitting"), "once a minute"
        monkeypatch.setattr(annotate.use_cases.announce, "ANNOUNCE_S", 0.0)
        progress("Uploading", 0.7)
        assert is_submitting(store)


def test_a_job_that_a_worker_works_on_is_not_deleted(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    settings = settings_from({"ANNOTATE_STORE": str(tmp_path)})
    check_idle(store, settings, [JOB.id])
    beat = Heartbeat(
        "elsewhere-1", JOB.id, "walk.mp4", FINGERPRINT, CHUNK, 2, 3.5, "cpu", 1, time.time(), "0"
    )
    store.write_heartbeat(beat)
    with pytest.raises(BusyJobError, match="works on job"):
        check_idle(store, settings, [JOB.id])
    check_idle(store, settings, ["another"])


def test_a_job_that_is_deleted_while_jobs_are_listed_ends_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Store.job_ids
    listed: list[int] = []

    def once(self: Store) -> list[str]:
        listed.append(1)
        return [*real(self), "20260102-000000-000000"] if len(listed) == 1 else real(self)

    store.write_job(JOB)
    monkeypatch.setattr(Store, "job_ids", once)
    settings = settings_from({}, store=str(store.files))
    assert [row.id for row in _rows(store, settings)] == [JOB.id]
