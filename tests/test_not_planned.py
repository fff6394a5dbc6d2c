"""A video that is not planned: it was never cut, or its results were deleted. It never counts as
done, no command fails on it with a traceback, and the same `submit` plans it again.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from annotate.domain.broker import MEMORY
from annotate.domain.errors import ExitCode, StoreError
from annotate.domain.job import HERE, Job, JobVideo, Recipe
from annotate.domain.video import Chunk
from annotate.domain.work import Failure, WorkUnit
from annotate.queue.app import make_app
from annotate.queue.board import Board, open_board
from annotate.queue.dispatch import reconcile_all
from annotate.queue.job_status import job_status
from annotate.queue.messages import Queue
from annotate.store import Store, open_store
from annotate.use_cases.merge_video import merge_video
from annotate.use_cases.retry import forget_failures
from tests.command import Host
from tests.made_poses import FINGERPRINT, made_index, made_poses
from tests.servers import RedisServer
from workers.tasks import chunk_task, merge_task

EXACT = ("--detect-every", "1")
RECIPE = Recipe("blazepose-full", "00" * 32)
VIDEO = JobVideo("walk.mp4", FINGERPRINT, HERE, "/a/walk.mp4")
JOB = Job("20260102-030405-abcdef", RECIPE, 6.0, (VIDEO,))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with a job whose video is not planned."""
    store = open_store(str(tmp_path / "store"))
    store.write_index(made_index())
    store.write_job(JOB)
    return store


@pytest.fixture
def board(redis_server: RedisServer) -> Board:
    return open_board(redis_server.url, "")


def tracks_files(store: Store) -> list[str]:
    return [entry.key for entry in store.files.walk("results") if "/tracks/" in entry.key]


def delete_results(host: Host) -> None:
    shutil.rmtree(Path(host.store) / "results")


def test_after_results_are_deleted_the_same_submit_plans_the_video_again(
    host: Host, stroll: Path
) -> None:
    host.run("submit", stroll, *EXACT)
    before = host.exported()
    delete_results(host)

    said = host.run("status")
    assert "not planned" in said.out
    assert "run the same `annotate submit` again" in said.out
    status = json.loads(host.run("status", "--json").out)
    assert [video["state"] for video in status["videos"]] == ["not planned"]
    assert not status["finished"]
    assert not status["complete"]
    (host.home / "people.json").unlink()
    refused = host.run("export", "--out", "people.json", code=ExitCode.PARTIAL)
    assert "stroll.mp4: not planned" in refused.err
    assert not (host.home / "people.json").exists()
    host.run("export", "--partial", "--out", "partial.json", code=ExitCode.PARTIAL)
    retried = host.run("retry", code=ExitCode.PARTIAL)
    assert "is not planned" in retried.err
    assert "0 of 1 videos done" in retried.out

    assert "1 of 1 videos done, 60 frames" in host.run("submit", stroll, *EXACT).out
    assert host.exported() == before

    (index,) = Path(host.store).glob("videos/*/index.parquet")
    index.unlink()
    refused = host.run("export", "--out", "people.json", code=ExitCode.STORE)
    assert "no index of video" in refused.err, "the video was left out silently"


def test_with_a_queue_retry_says_so_and_submit_goes_on(
    host: Host, stroll: Path, redis_server: RedisServer
) -> None:
    shared = replace(host, more={"ANNOTATE_BROKER": redis_server.url})
    shared.run("submit", stroll, *EXACT, "--detach")
    delete_results(shared)
    with redis_server.client() as client:
        client.flushall()
    assert "is not planned" in shared.run("retry", code=ExitCode.PARTIAL).err
    assert "not planned" in shared.run("status").out
    shared.run("submit", stroll, *EXACT, "--detach")
    done = shared.run("worker", "--concurrency", "1", "--stop-when-idle")
    assert "Stopped." in done.err
    assert json.loads(shared.run("status", "--json").out)["complete"]


def test_an_empty_list_of_chunks_is_damage(host: Host, stroll: Path) -> None:
    host.run("submit", stroll, *EXACT)
    (plan,) = Path(host.store).glob("results/*/*/chunks.json")
    plan.write_text("[]")
    codes = {
        ("status",): ExitCode.DONE,
        ("export", "--out", "people.json"): ExitCode.PARTIAL,
        ("retry",): ExitCode.PARTIAL,
    }
    for command, code in codes.items():
        said = host.run(*command, code=code)
        assert "chunks.json in the store is damaged" in said.out + said.err
        assert "not planned" in said.out + said.err
    said = host.run("submit", stroll, *EXACT)
    assert "chunks.json" in said.err
    assert "made again" in said.err
    host.run("export", "--out", "people.json")


def test_a_video_is_never_merged_before_it_is_planned(store: Store) -> None:
    status = job_status(store, JOB)
    assert status.unplanned
    assert status.stopped
    assert not status.finished
    assert not list(status.pending())
    with pytest.raises(StoreError, match="not planned") as error:
        merge_video(store, WorkUnit(JOB, VIDEO, None))
    assert "annotate submit" in error.value.hint
    assert tracks_files(store) == []


def test_a_worker_merges_no_video_that_is_not_planned(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a message that was sent before the results were deleted."""
    monkeypatch.setenv("ANNOTATE_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("ANNOTATE_BROKER", MEMORY)
    with pytest.raises(StoreError, match="not planned"):
        merge_task(JOB.id, JOB.digest, FINGERPRINT)
    with pytest.raises(StoreError, match="no chunk"):
        chunk_task(JOB.id, JOB.digest, FINGERPRINT, 0, 10)
    assert [entry.key for entry in store.files.walk("results")] == []


def test_a_video_whose_chunks_all_failed_has_no_tracks(store: Store) -> None:
    results = store.results(RECIPE, VIDEO)
    results.write_chunks([Chunk(0, 5), Chunk(5, 10)])
    for chunk in (Chunk(0, 5), Chunk(5, 10)):
        results.write_failure(Failure(chunk.name, "damaged", 1))
    (video,) = job_status(store, JOB).videos
    assert video.state == "failed"
    assert not list(job_status(store, JOB).pending())
    assert not merge_video(store, WorkUnit(JOB, VIDEO, None))
    assert tracks_files(store) == []


def test_results_of_a_former_plan_do_not_count(store: Store) -> None:
    results = store.results(RECIPE, VIDEO)
    results.write_chunks([Chunk(0, 4), Chunk(4, 10)])
    results.write_part(Chunk(0, 5), made_poses([1] * 5), {})
    results.write_failure(Failure(Chunk(5, 10).name, "damaged", 1))
    (video,) = job_status(store, JOB).videos
    assert (video.done, video.failures, video.state) == (frozenset(), {}, "waiting")


def test_reconciling_leaves_a_job_that_is_not_planned_open(
    store: Store, board: Board, redis_server: RedisServer
) -> None:
    queue = Queue(make_app(redis_server.url, ""))
    for _ in range(2):
        reconcile_all(board, queue, store)
        assert board.jobs.ids() == [JOB.id]
    assert tracks_files(store) == []


def test_a_job_that_cannot_be_read_does_not_hold_up_the_others(
    store: Store, board: Board, redis_server: RedisServer
) -> None:
    damaged = replace(JOB, id="20260101-000000-000000", recipe=replace(RECIPE, detect_every=5))
    store.write_job(damaged)
    store.files.write(f"results/{damaged.recipe.digest}/{FINGERPRINT}/chunks.json", b"[]")
    store.results(RECIPE, VIDEO).write_chunks([Chunk(0, 10)])
    deleted = "20260101-000000-ffffff"
    for job in (deleted, damaged.id, JOB.id):
        board.jobs.add(job)
    assert board.jobs.is_new()
    reconcile_all(board, Queue(make_app(redis_server.url, "")), store)
    assert board.jobs.ids() == [damaged.id, JOB.id]
    assert board.jobs.slot(JOB.id) is not None, "nothing of the sound job was sent"


def test_retry_deletes_the_tracks_of_all_jobs_that_lack_the_failed_frames(store: Store) -> None:
    results = store.results(RECIPE, VIDEO)
    results.write_chunks([Chunk(0, 5), Chunk(5, 10)])
    results.write_failure(Failure(Chunk(0, 5).name, "damaged", 1))
    smoother = replace(JOB, id="20260102-030405-fedcba", smooth_hz=3.0)
    for job in (JOB, smoother):
        results.write_tracks(job.merge_digest, iter(()), 33, {"missing": [[0, 5]]})
    assert forget_failures(store, JOB) == 1
    assert tracks_files(store) == []
    assert forget_failures(store, JOB) == 0
