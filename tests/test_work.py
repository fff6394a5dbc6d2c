"""Work units: their keys and messages, and how a worker does one under a lease."""

import errno
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from billiard.exceptions import WorkerLostError
from celery import Task
from prometheus_client import CollectorRegistry

import workers.tasks
from annotate.domain.errors import (
    AnnotateError,
    CancelledJobError,
    ChangedError,
    HostError,
    PackError,
    ProviderError,
    QueueError,
    StoreError,
    UsageError,
    VersionError,
    VideoError,
)
from annotate.domain.job import STORED, Job, JobVideo, Recipe
from annotate.domain.settings import WORKER_VARIABLE
from annotate.domain.video import Chunk
from annotate.domain.work import WorkUnit
from annotate.queue.app import ATTEMPTS
from annotate.queue.board import Board, open_board
from annotate.queue.metrics import WorkerCounts
from annotate.store import Store, open_store
from tests.made_poses import FINGERPRINT
from tests.servers import RedisServer

RECIPE = Recipe("blazepose-full", "00" * 32)
VIDEO = JobVideo("walk.mp4", FINGERPRINT, STORED, "")
JOB = Job("20260102-030405-abcdef", RECIPE, 6.0, (VIDEO,))
CHUNK = WorkUnit(JOB, VIDEO, Chunk(0, 10))
MERGE = WorkUnit(JOB, VIDEO, None)
WORKER, OTHER = "host-1", "host-2"
HOST_TROUBLE = [
    *(OSError(number, os.strerror(number)) for number in (errno.ENOENT, errno.EIO, errno.ESTALE)),
    *(
        OSError(number, os.strerror(number))
        for number in (errno.EMFILE, errno.ENOSPC, errno.EACCES)
    ),
    *(OSError(errno.ENOTCONN, "away"), HostError("x"), StoreError("x"), PackError("x")),
    *(ProviderError("x"), VersionError("x"), QueueError("x"), UsageError("x")),
]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("ANNOTATE_STORE", str(tmp_path / "store"))
    store = open_store(str(tmp_path / "store"))
    store.write_job(JOB)
    return store


@pytest.fixture
def board(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Board:
    """The board of a worker that does not wait after trouble."""
    monkeypatch.setenv(WORKER_VARIABLE, WORKER)
    monkeypatch.setattr(workers.tasks, "REST_S", 0.0)
    return open_board(redis_server.url, "")


def raising(error: Exception) -> Callable[[], bool]:
    def work() -> bool:
        raise error

    return work


def adding_to(done: list[str]) -> Callable[[], bool]:
    def work() -> bool:
        done.append("done")
        return True

    return work


@pytest.mark.parametrize("unit", [CHUNK, MERGE], ids=["chunk", "merge"])
def test_keys_and_messages_name_one_unit(unit: WorkUnit) -> None:
    assert WorkUnit.from_key(JOB, unit.key) == unit
    assert WorkUnit.from_message(JOB, unit.message) == unit


def test_jobs_of_the_same_recipe_share_their_chunks_but_not_each_merge() -> None:
    other = replace(JOB, id="20260102-030405-fedcba", smooth_hz=3.0)
    assert replace(CHUNK, job=other).key == CHUNK.key
    assert replace(MERGE, job=other).key != MERGE.key


@pytest.mark.parametrize(
    "message",
    [
        ["another job", JOB.digest, FINGERPRINT],
        [JOB.id, "another digest", FINGERPRINT],
        [JOB.id, JOB.digest, "cd" * 32],
        [JOB.id, JOB.digest, FINGERPRINT, 5],
        [JOB.id, JOB.digest, FINGERPRINT, 5, 5],
        [JOB.id, JOB.digest],
    ],
    ids=["job", "digest", "video", "one bound", "no frame", "no video"],
)
def test_a_message_for_other_work_is_refused(message: list[Any]) -> None:
    with pytest.raises(StoreError):
        WorkUnit.from_message(JOB, message)


def test_a_unit_is_done_once_at_a_time(store: Store, board: Board) -> None:
    done: list[str] = []
    work = adding_to(done)
    with board.leases.hold(CHUNK, OTHER) as acquired:
        assert acquired
        assert not workers.tasks._do(store, board, CHUNK, work)
    assert done == []
    assert workers.tasks._do(store, board, CHUNK, work)
    assert done == ["done"]
    assert board.attempts.finished_by(WORKER) == 1
    assert board.attempts.unfinished(JOB) == []
    assert board.leases.held_by(WORKER) == 0


def test_a_unit_that_another_attempt_has_made_is_not_counted_again(
    store: Store, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message may come twice: when its worker was lost after the work, say."""
    registry = CollectorRegistry()
    counts = WorkerCounts(registry)
    monkeypatch.setattr(workers.tasks, "worker_counts", lambda: counts)
    assert workers.tasks._do(store, board, MERGE, lambda: True)
    assert workers.tasks._do(store, board, MERGE, lambda: False)
    assert registry.get_sample_value("annotate_merges_total", {"outcome": "done"}) == 1
    assert board.attempts.finished_by(WORKER) == 1
    assert board.attempts.unfinished(JOB) == []


def test_a_unit_of_a_cancelled_job_is_not_done(store: Store, board: Board) -> None:
    store.cancel_job(JOB.id)
    assert not workers.tasks._do(store, board, CHUNK, raising(AssertionError()))


@pytest.mark.parametrize("task", [workers.tasks.chunk_task, workers.tasks.merge_task])
def test_a_worker_whose_store_is_away_rests_after_each_message(
    task: Task, store: Store, board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would take all messages of the queue within a second."""
    monkeypatch.setattr(workers.tasks, "this_board", lambda: board)
    monkeypatch.setattr(workers.tasks, "this_store", lambda: store)
    rests: list[float] = []
    monkeypatch.setattr(workers.tasks, "REST_S", 7.0)
    monkeypatch.setattr(
        workers.tasks, "time", SimpleNamespace(sleep=rests.append, monotonic=time.monotonic)
    )
    (tmp_path / "store").rename(tmp_path / "away")
    unit = CHUNK if task is workers.tasks.chunk_task else MERGE
    with pytest.raises(StoreError, match="No such file"):
        task(*unit.message)
    assert rests == [7.0]
    assert issubclass(StoreError, task.throws), "Celery does not print its traceback"


def test_a_unit_whose_workers_died_each_time_fails(store: Store, board: Board) -> None:
    for _ in range(ATTEMPTS):
        board.attempts.begin(CHUNK)
    assert not workers.tasks._do(store, board, CHUNK, raising(AssertionError()))
    (failure,) = store.results(RECIPE, VIDEO).failures().values()
    assert (failure.unit, failure.attempts) == (CHUNK.name, ATTEMPTS)
    assert "died 3 times" in failure.reason
    assert board.attempts.unfinished(JOB) == []


def test_a_unit_is_begun_three_times(store: Store, board: Board) -> None:
    begun: list[int] = []
    for attempt in range(3):
        with pytest.raises(SystemExit):  # nothing is counted as finished when a process dies
            workers.tasks._do(store, board, CHUNK, lambda: died(begun))
        workers.tasks.process_died(board, CHUNK, WorkerLostError("signal 9 (SIGKILL)"))
        assert len(store.results(RECIPE, VIDEO).failures()) == (attempt == 2)
    assert not workers.tasks._do(store, board, CHUNK, lambda: died(begun)), "a late message"
    assert len(begun) == 3
    (failure,) = store.results(RECIPE, VIDEO).failures().values()
    assert "died 3 times" in failure.reason
    assert "SIGKILL" in failure.reason
    assert board.attempts.unfinished(JOB) == []


def died(begun: list[int]) -> bool:
    begun.append(1)
    raise SystemExit


def test_a_retried_unit_begins_afresh(store: Store, board: Board) -> None:
    for _ in range(ATTEMPTS):
        board.attempts.begin(CHUNK)
    workers.tasks.process_died(board, CHUNK, WorkerLostError("signal 9 (SIGKILL)"))
    store.results(RECIPE, VIDEO).delete_failure(CHUNK.name)
    done: list[str] = []
    assert workers.tasks._do(store, board, CHUNK, adding_to(done))
    assert done == ["done"]
    assert store.results(RECIPE, VIDEO).failures() == {}


def test_attempts_before_trouble_with_the_store_do_not_count(store: Store, board: Board) -> None:
    for _ in range(ATTEMPTS - 1):
        board.attempts.begin(CHUNK)
    with pytest.raises(StoreError):
        workers.tasks._do(store, board, CHUNK, raising(StoreError("the disk is full")))
    assert board.attempts.of(CHUNK) == 0


@pytest.mark.parametrize("trouble", [StoreError, PackError, ProviderError, VersionError])
def test_trouble_of_the_host_says_nothing_about_the_unit(
    store: Store, board: Board, trouble: type[AnnotateError]
) -> None:
    for _ in range(ATTEMPTS + 1):
        with pytest.raises(trouble):
            workers.tasks._do(store, board, CHUNK, raising(trouble("the disk is full")))
    assert store.results(RECIPE, VIDEO).failures() == {}
    assert board.attempts.unfinished(JOB) == [CHUNK], "it is sent again"


@pytest.mark.parametrize(
    ("error", "reason", "lasting"),
    [
        (VideoError("damaged at 3.2 s"), "damaged at 3.2 s", True),
        (ChangedError("other bytes"), "other bytes", False),
        (ValueError("x"), "unexpected ValueError: x", False),
    ],
    ids=["video", "changed", "unexpected"],
)
def test_an_error_of_the_unit_is_recorded(
    store: Store, board: Board, error: Exception, reason: str, lasting: bool
) -> None:
    assert workers.tasks._do(store, board, MERGE, raising(error))
    failure = store.results(RECIPE, VIDEO).failures()["merge"]
    assert (failure.reason, failure.lasting) == (reason, lasting)


@pytest.mark.parametrize("error", HOST_TROUBLE, ids=lambda error: f"{type(error).__name__} {error}")
def test_trouble_of_the_host_is_no_failure(store: Store, board: Board, error: Exception) -> None:
    with pytest.raises(AnnotateError):
        workers.tasks._do(store, board, CHUNK, raising(error))
    assert store.results(RECIPE, VIDEO).failures() == {}


def test_a_unit_that_was_cancelled_meanwhile_is_no_failure(store: Store, board: Board) -> None:
    assert workers.tasks._do(store, board, CHUNK, raising(CancelledJobError("cancelled")))
    assert store.results(RECIPE, VIDEO).failures() == {}
    assert board.attempts.unfinished(JOB) == []


def test_all_leases_of_a_worker_that_ended_are_given_back(board: Board) -> None:
    with board.leases.hold(CHUNK, WORKER), board.leases.hold(MERGE, OTHER):
        board.forget_worker(WORKER)
        assert board.leases.are_held([CHUNK, MERGE]) == [False, True]


def test_a_mutex_is_acquired_once_until_it_is_released(board: Board) -> None:
    assert board.mutexes.acquire("reconcile", 60)
    assert not board.mutexes.acquire("reconcile", 60)
    assert board.mutexes.acquire("send", 60)
    board.mutexes.release("reconcile")
    assert board.mutexes.acquire("reconcile", 60)


def test_a_lost_unit_is_sent_again_once_a_minute(board: Board) -> None:
    assert board.attempts.may_send_again(CHUNK)
    assert not board.attempts.may_send_again(CHUNK)


def test_without_the_server_a_unit_is_done_all_the_same(
    store: Store, board: Board, redis_server: RedisServer
) -> None:
    redis_server.kill()
    done: list[str] = []
    assert workers.tasks._do(store, board, CHUNK, adding_to(done))
    assert done == ["done"]
