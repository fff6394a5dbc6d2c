"""Stores that share a Redis server do not disturb each other, and a deleted job disturbs none."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from annotate.queue.messages import all_lists
from annotate.store import Store, open_store
from tests.command import Host
from tests.fleet import board_of, kill, working
from tests.made_job import JOB
from tests.servers import RedisServer, wait_until

# A few frames are work enough.
SHORT = ("--end", "0.2")


def test_all_who_ask_at_once_get_the_same_id(store: Store) -> None:
    store.write_job(JOB)  # a store of an earlier version has none
    location = str(store.files)
    with ThreadPoolExecutor(8) as threads:
        ids = set(threads.map(lambda _: open_store(location).id(), range(8)))
    assert ids == {store.id()}
    assert store.job_ids() == [JOB.id]


def test_an_id_that_was_damaged_is_made_again(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    store.files.write("id", b"\xff not an id")
    assert store.id() == open_store(str(tmp_path / "store")).id()
    assert store.files.read("damaged/id") == b"\xff not an id"


def test_two_stores_get_different_ids(tmp_path: Path) -> None:
    assert open_store(str(tmp_path / "a")).id() != open_store(str(tmp_path / "b")).id()


@pytest.fixture
def ours(host: Host, redis_server: RedisServer) -> Host:
    return replace(host, more={"ANNOTATE_BROKER": redis_server.url})


def test_a_worker_takes_nothing_of_another_store(ours: Host, stroll: Path, tmp_path: Path) -> None:
    other = replace(ours, store=tmp_path / "other", home=tmp_path / "elsewhere")
    other.home.mkdir()
    other.run("submit", stroll, *SHORT, "--detach")
    waiting = sum(board_of(other).waiting(all_lists()))
    assert waiting
    with working(ours):
        said = ours.run("submit", stroll, *SHORT)
        assert "1 of 1 videos done" in said.out
        assert board_of(ours).reports.dropped() == 0
    assert sum(board_of(other).waiting(all_lists())) == waiting
    assert board_of(other).jobs.ids() == other.opened().job_ids()
    log = (ours.home / "log").read_text()
    assert f"also serves the store {other.store}: this worker takes nothing of it" in log
    with working(other):
        assert "1 of 1 videos done" in other.run("retry").out


def test_a_worker_makes_no_store_where_one_is_away(ours: Host) -> None:
    with (ours.home / "log").open("w") as log:
        worker = ours.start("worker", stdout=log, stderr=log)
    try:
        wait_until(lambda: "is away, or" in (ours.home / "log").read_text(), "the worker")
        assert not Path(ours.store).exists()
        made = ours.opened().id()
        wait_until(lambda: len(board_of(ours).reports.workers()) == 1, "the worker")
        assert ours.opened().id() == made
    finally:
        kill(worker)


def test_messages_of_a_deleted_job_hold_nobody_up(ours: Host, stroll: Path, walk: Path) -> None:
    ours.run("submit", walk, "--detach")
    (deleted,) = ours.opened().job_ids()
    assert sum(board_of(ours).waiting(all_lists()))
    ours.run("clean", deleted, "--yes")
    assert board_of(ours).jobs.ids() == [deleted], "the board still knows it"
    with working(ours):
        assert "1 of 1 videos done" in ours.run("submit", stroll, *SHORT).out
        wait_until(lambda: board_of(ours).reports.dropped() > 0, "the worker")
        wait_until(lambda: deleted not in board_of(ours).jobs.ids(), "the board")


def test_a_worker_that_stops_when_idle_does_not_wait_for_a_first_submission(ours: Host) -> None:
    assert "nothing was submitted" in ours.run("worker", "--stop-when-idle").err
    assert not ours.opened().has_id()
