"""`clean` finds what no job needs, and keeps what a job or a submission needs."""

import os
import time
from dataclasses import replace
from pathlib import Path

from annotate.store import Store, open_store
from annotate.use_cases.clean import garbage, remove
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
    assert [(one.kind, len(one.entries)) for one in found] == [("jobs", 1), ("results", 1)]
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
