"""A forged message cannot make a worker do work that no job has."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from annotate.domain.broker import MEMORY
from annotate.domain.errors import AnnotateError, UnknownWorkError, VersionError
from annotate.domain.job import HERE, Job, JobVideo, Recipe
from annotate.domain.video import Chunk
from annotate.store import Store, open_store
from tests.made_poses import FINGERPRINT, made_index
from workers.host import this_job
from workers.tasks import chunk_task, merge_task

RECIPE = Recipe("blazepose-full", "00" * 32)
VIDEO = JobVideo("walk.mp4", FINGERPRINT, HERE, "/a/walk.mp4")
JOB = Job("20260102-030405-abcdef", RECIPE, 6.0, (VIDEO,))
OTHER = "cd" * 32


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store with a job of one chunk."""
    monkeypatch.setenv("ANNOTATE_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("ANNOTATE_BROKER", MEMORY)
    store = open_store(str(tmp_path / "store"))
    store.write_index(made_index())
    store.results(RECIPE, VIDEO).write_chunks([Chunk(0, 10)])
    store.write_job(JOB)
    return store


@pytest.mark.parametrize(
    "message",
    [
        ("20260102-000000-000000", JOB.digest, FINGERPRINT, 0, 10),
        ("../../jobs/x", JOB.digest, FINGERPRINT, 0, 10),
        (JOB.id, "00" * 32, FINGERPRINT, 0, 10),
        (JOB.id, JOB.digest, OTHER, 0, 10),
        (JOB.id, JOB.digest, "../../../x", 0, 10),
        (JOB.id, JOB.digest, FINGERPRINT, 0, 5),
        (JOB.id, JOB.digest, FINGERPRINT, -1, 10**9),
        (JOB.id, JOB.digest, FINGERPRINT, "../x", "y"),
        (JOB.id, JOB.digest, FINGERPRINT, None, None),
        (JOB.id, JOB.digest, [FINGERPRINT], 0, 10),
        ({"a": 1}, None, FINGERPRINT, 0, 10),
    ],
    ids=[
        *("no such job", "a path for a job", "another manifest", "a video of no job"),
        *("a path for a video", "a chunk that was not planned", "frames that are not there"),
        *("words for frames", "nothing for frames", "a list for a video", "things for a job"),
    ],
)
@pytest.mark.usefixtures("store")
def test_a_message_of_no_job_does_nothing(tmp_path: Path, message: tuple[Any, ...]) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(AnnotateError):
        chunk_task(*message)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("fingerprint", [OTHER, "../../../x", 7], ids=str)
@pytest.mark.usefixtures("store")
def test_a_merge_of_no_job_does_nothing(tmp_path: Path, fingerprint: Any) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(AnnotateError):
        merge_task(JOB.id, JOB.digest, fingerprint)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_manifest_is_read_once_in_a_process_until_its_job_is_deleted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of 10,000 clips takes 0.3 s: as long as to annotate one of them."""
    reads: list[str] = []
    read = Store.read_job

    def counted(self: Store, job_id: str) -> Job:
        reads.append(job_id)
        return read(self, job_id)

    monkeypatch.setattr(Store, "read_job", counted)
    again = replace(JOB, id="20260102-030405-aaaaaa")
    store.write_job(again)
    for _ in range(3):
        assert this_job(store, JOB.id, JOB.digest) == JOB
        assert this_job(store, again.id, again.digest) == again
    assert len(reads) == 2
    store.files.delete(f"jobs/{JOB.id}.json")
    with pytest.raises(UnknownWorkError):
        this_job(store, JOB.id, JOB.digest)
    assert this_job(store, again.id, again.digest) == again


def test_a_job_of_another_version_is_left_to_workers_of_that(store: Store, tmp_path: Path) -> None:
    recipe = replace(RECIPE, pipeline="0123456789abcdef")
    later = replace(JOB, id="20260102-030405-fedcba", recipe=recipe, merge="fedcba9876543210")
    store.results(recipe, VIDEO).write_chunks([Chunk(0, 10)])
    store.write_job(later)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(VersionError, match="another version"):
        chunk_task(later.id, later.digest, FINGERPRINT, 0, 10)
    with pytest.raises(VersionError, match="another version"):
        merge_task(later.id, later.digest, FINGERPRINT)
    assert sorted(tmp_path.rglob("*")) == before
