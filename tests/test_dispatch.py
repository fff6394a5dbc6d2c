"""Which work units are sent to a real Redis, and which are sent again."""

from dataclasses import replace
from pathlib import Path

import pytest

import annotate.queue.dispatch
from annotate.domain.job import Job
from annotate.domain.settings import PREFIX
from annotate.domain.video import Chunk
from annotate.domain.work import Failure, WorkUnit
from annotate.queue.app import make_app
from annotate.queue.board import Board, open_board
from annotate.queue.dispatch import go_on, reconcile, reconcile_all
from annotate.queue.messages import Queue, chunk_lists, merge_list
from annotate.store import Store, open_store
from tests.made_job import JOB, RECIPE, VIDEO
from tests.servers import RedisServer

CHUNKS = tuple(Chunk(start, start + 10) for start in range(0, 60, 10))
UNITS = [WorkUnit(JOB, VIDEO, chunk) for chunk in CHUNKS]
WORKER = "host-1"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with a job of six chunks, none of them done."""
    store = open_store(str(tmp_path / "store"))
    store.results(RECIPE, VIDEO).write_chunks(CHUNKS)
    store.write_job(JOB)
    return store


@pytest.fixture
def board(redis_server: RedisServer) -> Board:
    return open_board(redis_server.url, "")


@pytest.fixture
def queue(redis_server: RedisServer) -> Queue:
    return Queue(make_app(redis_server.url, ""))


def done(store: Store, *chunks: Chunk) -> None:
    """Only the name of a part says that its chunk is done."""
    for chunk in chunks:
        name = f"{chunk.name}.parquet"
        store.files.write(f"results/{RECIPE.digest}/{VIDEO.fingerprint}/parts/{name}", b"")


def messages(board: Board, job: Job = JOB) -> int:
    return sum(board.waiting(chunk_lists(job)))


def take(board: Board, count: int) -> None:
    """A worker takes messages of the job's chunk queue."""
    slot = board.jobs.slot(JOB.id)
    assert slot is not None
    for _ in range(count):
        assert board.client.rpop(f"{PREFIX}{chunk_lists(JOB)[slot]}") is not None


def test_all_missing_chunks_are_sent_once(board: Board, queue: Queue, store: Store) -> None:
    done(store, CHUNKS[1])
    store.results(RECIPE, VIDEO).write_failure(Failure(CHUNKS[4].name, "damaged", 1))
    status = reconcile(board, queue, store, JOB)
    assert status is not None
    assert not status.finished
    assert messages(board) == 4, "one is done, one has failed"
    assert board.waiting([merge_list()]) == [0], "chunks are missing"
    assert reconcile(board, queue, store, JOB) is None, "messages of the job wait"
    assert messages(board) == 4


def test_a_unit_that_a_worker_holds_is_not_sent(board: Board, queue: Queue, store: Store) -> None:
    with board.leases.hold(UNITS[0], WORKER):
        reconcile(board, queue, store, JOB)
    assert messages(board) == len(CHUNKS) - 1


def test_a_job_has_few_messages_at_a_time(
    board: Board, queue: Queue, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annotate.queue.dispatch, "WINDOW", 2)
    reconcile(board, queue, store, JOB)
    assert messages(board) == 2
    board.attempts.begin(UNITS[0])
    go_on(board, queue, store, JOB)
    assert messages(board) == 2, "they are not used up"
    take(board, 2)
    with board.leases.hold(UNITS[0], WORKER), board.leases.hold(UNITS[1], WORKER):
        go_on(board, queue, store, JOB)
    assert messages(board) == 2


def test_a_job_gets_the_shortest_queue(board: Board, queue: Queue, store: Store) -> None:
    reconcile(board, queue, store, JOB)
    other = replace(JOB, id="20260102-030405-fedcba")
    reconcile(board, queue, store, other)
    slots = {board.jobs.slot(JOB.id), board.jobs.slot(other.id)}
    assert len(slots) == 2


def test_only_lost_units_are_sent_again_while_messages_wait(
    board: Board, queue: Queue, store: Store
) -> None:
    reconcile(board, queue, store, JOB)
    take(board, 3)
    for unit in UNITS[:3]:
        board.attempts.begin(unit)
    board.attempts.finish(UNITS[2], WORKER)
    with board.leases.hold(UNITS[1], WORKER):
        reconcile(board, queue, store, JOB)
    assert messages(board) == 3 + 1, "the first was lost, the second is held, the third finished"
    reconcile(board, queue, store, JOB)
    assert messages(board) == 5, "now the second is lost too; the first was sent a moment ago"


def test_all_that_is_missing_is_sent_when_no_message_waits(
    board: Board, queue: Queue, store: Store
) -> None:
    reconcile(board, queue, store, JOB)
    take(board, 6)
    done(store, *CHUNKS[:2])
    reconcile(board, queue, store, JOB)
    assert messages(board) == 4


def test_one_process_alone_sends(board: Board, queue: Queue, store: Store) -> None:
    assert board.mutexes.acquire(f"send:{JOB.id}", 60)
    reconcile(board, queue, store, JOB)
    assert messages(board) == 0
    board.mutexes.release(f"send:{JOB.id}")
    reconcile(board, queue, store, JOB)
    assert messages(board) == 6
    take(board, 6)
    reconcile(board, queue, store, JOB)
    assert messages(board) == 6, "the mutex was given back"


def test_a_merge_is_sent_once(board: Board, queue: Queue, store: Store) -> None:
    done(store, *CHUNKS)
    reconcile(board, queue, store, JOB)
    reconcile(board, queue, store, JOB)
    assert board.waiting([merge_list()]) == [1]
    assert messages(board) == 0


def test_every_job_of_the_store_goes_on_when_the_server_forgot_all(
    board: Board, queue: Queue, store: Store
) -> None:
    reconcile_all(board, queue, store)
    assert messages(board) == 6
    board.client.flushall()
    reconcile_all(board, queue, store)
    assert messages(board) == 6


def test_only_jobs_under_way_are_reconciled(board: Board, queue: Queue, store: Store) -> None:
    assert board.jobs.is_new()
    reconcile_all(board, queue, store)
    assert messages(board) == 0
    board.jobs.add(JOB.id)
    reconcile_all(board, queue, store)
    assert messages(board) == 6


@pytest.mark.parametrize("how", ["cancelled", "unknown", "finished"])
def test_a_job_without_work_leaves_the_board(
    board: Board, queue: Queue, store: Store, how: str
) -> None:
    assert board.jobs.is_new()
    job = replace(JOB, id="20260101-000000-abcdef") if how == "unknown" else JOB
    board.jobs.add(job.id)
    if how == "cancelled":
        store.cancel_job(job.id)
    if how == "finished":
        for chunk in CHUNKS:
            store.results(RECIPE, VIDEO).write_failure(Failure(chunk.name, "damaged", 1))
    reconcile_all(board, queue, store)
    assert board.jobs.ids() == []
    assert messages(board) == 0


def test_a_job_that_was_deleted_does_not_hold_up_the_others(
    board: Board, queue: Queue, store: Store
) -> None:
    assert board.jobs.is_new()
    for job_id in ("20250101-000000-abcdef", JOB.id):
        board.jobs.add(job_id)
    reconcile_all(board, queue, store)
    assert board.jobs.ids() == [JOB.id]
    assert messages(board) == 6


def test_a_damaged_job_does_not_hold_up_the_others(
    board: Board, queue: Queue, store: Store
) -> None:
    for number, text in enumerate([b"{}", b"null", b"\xff"]):
        store.files.write(f"jobs/2026010{number}-000000-abcdef.json", text)
    other = replace(RECIPE, people="all")
    store.write_job(replace(JOB, id="20260101-000000-fedcba", recipe=other))
    store.files.write(f"results/{other.digest}/{VIDEO.fingerprint}/chunks.json", b"?")
    reconcile_all(board, queue, store)
    assert messages(board) == 6
