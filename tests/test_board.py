"""What workers share on a real Redis: leases, attempts, the registry of jobs."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

import annotate.queue.leases
from annotate.domain.settings import PREFIX
from annotate.domain.video import Chunk
from annotate.domain.work import WorkUnit
from annotate.queue.attempts import REMEMBERED_S, RESEND_S
from annotate.queue.board import Board, open_board
from annotate.queue.leases import LEASE_S
from annotate.queue.worker_reports import WorkerReports
from tests.made_job import JOB, VIDEO
from tests.servers import RedisServer, wait_until

UNIT = WorkUnit(JOB, VIDEO, Chunk(0, 10))
NEXT = WorkUnit(JOB, VIDEO, Chunk(10, 20))
LEASE = f"{PREFIX}lease:{UNIT.key}"
WORKER, OTHER = "host-1", "host-2"
# Seconds that a test leaves a lease, so that a renewal is seen.
SHORT_S = 5


@pytest.fixture
def board(redis_server: RedisServer) -> Board:
    return open_board(redis_server.url, "")


def test_two_workers_cannot_hold_one_lease(board: Board) -> None:
    with board.leases.hold(UNIT, WORKER) as first:
        with board.leases.hold(UNIT, OTHER) as second:
            assert (first, second) == (True, False)
        assert board.client.get(LEASE) == WORKER.encode(), "the loser gave back the winner's lease"
        assert board.leases.are_held([UNIT, NEXT]) == [True, False]
    with board.leases.hold(UNIT, OTHER) as after:
        assert after


def test_a_lease_expires_without_renewal(board: Board) -> None:
    with board.leases.hold(UNIT, WORKER):
        assert 0 < board.client.ttl(LEASE) <= LEASE_S


def test_a_lease_that_went_to_another_worker_is_not_given_back(board: Board) -> None:
    with board.leases.hold(UNIT, WORKER):
        board.client.delete(LEASE)  # it expired
        with board.leases.hold(UNIT, OTHER) as taken:
            assert taken
            board.leases.release(UNIT, WORKER)
            assert board.leases.are_held([UNIT]) == [True]


@pytest.mark.parametrize("busy", [True, False], ids=["working", "hanging"])
def test_only_a_process_that_works_renews_its_lease(
    board: Board, monkeypatch: pytest.MonkeyPatch, busy: bool
) -> None:
    looks: list[float] = []

    def process_time() -> float:
        looks.append(1.0 if busy else 0.0)
        return sum(looks)

    monkeypatch.setattr(annotate.queue.leases, "RENEW_S", 0.01)
    monkeypatch.setattr(time, "process_time", process_time)
    with board.leases.hold(UNIT, WORKER):
        wait_until(lambda: len(looks) >= 1, "the renewing thread")
        board.client.expire(LEASE, SHORT_S)
        seen = len(looks)
        wait_until(lambda: len(looks) >= seen + 4, "the renewing thread")
        assert (board.client.ttl(LEASE) > SHORT_S) == busy


def test_a_worker_knows_how_many_leases_it_holds(board: Board) -> None:
    with board.leases.hold(UNIT, WORKER), board.leases.hold(NEXT, WORKER):
        assert board.leases.held_by(WORKER) == 2
        assert not board.is_idle(WORKER, [])
    assert board.leases.held_by(WORKER) == 0
    assert board.is_idle(WORKER, [])


def test_the_age_of_a_lease_is_the_time_since_its_renewal(board: Board) -> None:
    with board.leases.hold(UNIT, WORKER):
        (age_s,) = board.leases.ages_s(WORKER)
        assert age_s >= 0
        board.client.pexpire(LEASE, 1000)
        (age_s,) = board.leases.ages_s(WORKER)
        assert age_s >= LEASE_S - 1


def test_the_servers_clock_counts_with_its_microseconds() -> None:
    server: Any = SimpleNamespace(time=lambda: (1000, 900_000))
    assert WorkerReports(server, "").now() >= 1000.89


def test_many_units_are_asked_for_in_several_commands(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annotate.queue.leases, "_BATCH", 2)
    units = [WorkUnit(JOB, VIDEO, Chunk(n, n + 1)) for n in range(5)]
    with board.leases.hold(units[3], WORKER):
        assert board.leases.are_held(units) == [False, False, False, True, False]


def test_without_the_server_a_lease_is_granted(redis_server: RedisServer) -> None:
    board = open_board(redis_server.url, "")
    redis_server.kill()
    with board.leases.hold(UNIT, WORKER) as acquired:
        assert acquired


def test_attempts_are_counted_by_unit_and_forgotten_when_it_is_finished(board: Board) -> None:
    attempts = board.attempts
    assert attempts.of(UNIT) == 0
    assert [attempts.begin(UNIT), attempts.begin(UNIT), attempts.begin(NEXT)] == [1, 2, 1]
    assert attempts.of(UNIT) == 2
    assert sorted(u.name for u in attempts.unfinished(JOB)) == sorted([UNIT.name, NEXT.name])
    attempts.finish(UNIT, WORKER)
    assert (attempts.of(UNIT), attempts.unfinished(JOB)) == (0, [NEXT])
    assert (attempts.finished_by(WORKER), attempts.finished_by(OTHER)) == (1, 0)
    assert attempts.begin(UNIT) == 1, "it begins afresh"


def test_a_reset_unit_counts_as_begun(board: Board) -> None:
    board.attempts.begin(UNIT)
    board.attempts.reset(UNIT)
    assert board.attempts.unfinished(JOB) == [UNIT]
    assert board.attempts.begin(UNIT) == 1


def test_a_server_that_is_away_knows_of_no_finished_unit(
    board: Board, redis_server: RedisServer
) -> None:
    board.attempts.begin(UNIT)
    board.attempts.finish(UNIT, WORKER)
    assert board.attempts.finished_by(WORKER) == 1
    redis_server.kill()
    assert board.attempts.finished_by(WORKER) == 0


def test_attempts_are_remembered_for_a_week_at_most(board: Board) -> None:
    board.attempts.begin(UNIT)
    assert 0 < board.client.ttl(f"{PREFIX}attempts:{JOB.id}") <= REMEMBERED_S


def test_a_unit_is_sent_again_at_most_once_a_minute(board: Board) -> None:
    assert board.attempts.may_send_again(UNIT)
    assert not board.attempts.may_send_again(UNIT)
    assert board.attempts.may_send_again(NEXT)
    assert 0 < board.client.ttl(f"{PREFIX}resent:{UNIT.key}") <= RESEND_S


def test_a_forgotten_job_leaves_nothing(board: Board) -> None:
    board.jobs.add(JOB.id)
    board.jobs.assign_slot(JOB.id, 3)
    board.attempts.begin(UNIT)
    assert (board.jobs.ids(), board.jobs.slot(JOB.id)) == ([JOB.id], 3)
    board.forget_job(JOB.id)
    assert (board.jobs.ids(), board.jobs.slot(JOB.id)) == ([], None)
    assert board.attempts.unfinished(JOB) == []


def test_a_server_is_new_once_until_it_loses_its_memory(board: Board) -> None:
    assert [board.jobs.is_new(), board.jobs.is_new()] == [True, False]
    board.client.flushall()
    assert board.jobs.is_new()


def test_a_mutex_frees_itself(board: Board) -> None:
    assert board.mutexes.acquire("reconcile", 0.05)
    wait_until(lambda: board.mutexes.acquire("reconcile", 60), "the mutex")
    assert not board.mutexes.acquire("reconcile", 60)
    assert board.mutexes.acquire("send", 60)
    board.mutexes.release("reconcile")
    assert board.mutexes.acquire("reconcile", 60)


def test_a_worker_that_was_silent_is_not_listed(board: Board) -> None:
    board.reports.write_worker({"worker": WORKER})
    assert [row["worker"] for row in board.reports.workers()] == [WORKER]
    late = time.time() + 3600
    board.reports._offset_s = late - time.time()
    assert board.reports.workers() == []
    assert board.client.hlen(f"{PREFIX}workers") == 0, "it is removed"
