"""Workers that share a queue and a store, and what happens to their chunks when they die."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from annotate.cli import worker as cli_worker
from annotate.cli.status_view import as_fields
from annotate.cli.worker import once_it_answers
from annotate.domain.errors import ExitCode, QueueAwayError
from annotate.queue.board import ask_queue
from annotate.use_cases.job_snapshot import take_snapshot
from tests.command import PATIENCE_S, Host
from tests.fleet import board_of
from tests.servers import RedisServer, wait_until

EXACT = ("--detect-every", "1")
# Many chunks, so that there is something to lose.
FINE = (*EXACT, "--processes", "12")
StartWorker = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def shared(host: Host, redis_server: RedisServer) -> Host:
    """A host whose store is a shared folder, with a queue."""
    return Host(host.store, host.packs, host.home, {"ANNOTATE_BROKER": redis_server.url})


@pytest.fixture
def start_worker(shared: Host) -> Iterator[StartWorker]:
    """Starts workers of one process, and ends what is left of them."""
    started = []

    def start(*options: str) -> "subprocess.Popen[str]":
        process = shared.start("worker", "--concurrency", "1", *options)
        started.append(process)
        return process

    yield start
    for process in started:
        end(process)


def family(process: "subprocess.Popen[str]") -> list[int]:
    """Process ids of the worker's Celery and of that one's children."""
    try:
        return [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def end(process: "subprocess.Popen[str]") -> None:
    """Kills the worker and all its processes."""
    for pid in [*family(process), process.pid]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.communicate()


def status(host: Host, job: str = "") -> dict[str, Any]:
    """What `annotate status --json` prints, of the newest job by default."""
    store = host.opened()
    read = store.read_job(job) if job else store.newest_job()
    return as_fields(take_snapshot(store, read, host.settings()))


def test_two_workers_give_the_bytes_of_one_machine(
    shared: Host, walk: Path, start_worker: StartWorker, undisturbed: bytes
) -> None:
    start_worker(), start_worker()
    said = shared.run("submit", walk, *FINE)
    assert "1 of 1 videos done, 240 frames" in said.out
    assert shared.exported() == undisturbed


def test_a_job_waits_for_workers_and_says_so(
    shared: Host, walk: Path, start_worker: StartWorker
) -> None:
    said = shared.run("submit", walk, *FINE, "--detach")
    assert "is queued" in said.out
    assert "no worker is running" in shared.run("status").out
    worker = start_worker("--stop-when-idle")
    _, err = worker.communicate(timeout=PATIENCE_S)
    assert worker.returncode == 0, err
    assert status(shared)["complete"]


def test_status_names_the_workers(shared: Host, walk: Path, start_worker: StartWorker) -> None:
    start_worker()
    shared.run("submit", walk, "--people", "all", "--detach")
    wait_until(lambda: bool(status(shared)["workers"]), "a worker")
    now = status(shared)
    assert [one["processes"] for one in now["queue"]["workers"]] == [1]
    assert now["workers"][0]["provider"] == "cpu"
    assert "frames/s" in shared.run("status").out


def test_the_chunk_of_a_killed_worker_is_done_by_another(
    shared: Host, walk: Path, start_worker: StartWorker, undisturbed: bytes
) -> None:
    first = start_worker()
    shared.run("submit", walk, *FINE, "--detach")
    wait_until(lambda: bool(status(shared)["workers"]), "the first worker")
    end(first)
    start_worker()
    assert "1 of 1 videos done" in shared.run("submit", walk, *FINE).out
    assert shared.exported() == undisturbed


def test_a_worker_that_is_stopped_finishes_its_chunk(
    shared: Host, walk: Path, start_worker: StartWorker
) -> None:
    worker = start_worker()
    shared.run("submit", walk, *FINE, "--detach")
    wait_until(lambda: bool(board_of(shared).reports.heartbeats()), "the worker")
    worker.send_signal(signal.SIGTERM)
    _, err = worker.communicate(timeout=PATIENCE_S)
    assert worker.returncode == 0, err
    assert "Stopped." in err
    now = status(shared)
    assert 0 < now["frames_done"] < now["frames"]
    assert not now["workers"]


def test_a_cancelled_job_stops_and_can_go_on(
    shared: Host, walk: Path, start_worker: StartWorker
) -> None:
    start_worker()
    shared.run("submit", walk, "--people", "all", "--detach")
    wait_until(lambda: bool(status(shared)["workers"]), "the worker")
    job = status(shared)["job"]
    assert "is cancelled" in shared.run("cancel", job).out
    wait_until(lambda: not status(shared)["workers"], "an idle worker")
    assert status(shared)["cancelled"]
    assert "Cancelled" in shared.run("status").out
    assert "1 of 1 videos done" in shared.run("retry", job).out


def test_without_the_queue_status_reads_the_store(
    shared: Host, walk: Path, redis_server: RedisServer
) -> None:
    shared.run("submit", walk, *FINE, "--detach")
    redis_server.kill()
    said = shared.run("status").out
    assert "does not answer" in said
    assert "walk.mp4" in said
    assert "does not answer" in shared.run("submit", walk, *FINE, code=ExitCode.FAILED).err


def test_a_worker_that_starts_before_the_queue_waits_for_it(
    shared: Host, redis_server: RedisServer
) -> None:
    redis_server.kill()
    worker = shared.start("worker", "--stop-when-idle", stderr=subprocess.PIPE)
    assert worker.stderr is not None
    assert "does not answer" in worker.stderr.readline()
    redis_server.start()
    out, said = worker.communicate(timeout=PATIENCE_S)
    assert worker.returncode == 0, out
    assert "No work" in said


def test_a_worker_gives_up_where_the_queue_stays_away(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli_worker, "QUEUE_PATIENCE_S", 0.1)
    monkeypatch.setattr(cli_worker, "LOOK_S", 0.1)
    redis_server.kill()
    said: list[str] = []
    with pytest.raises(QueueAwayError, match="does not answer"):
        once_it_answers(lambda: ask_queue(redis_server.url), said.append)
    assert len(said) == 2


def test_a_worker_without_a_queue_says_what_to_do(host: Host) -> None:
    assert "ANNOTATE_BROKER" in host.run("worker", code=ExitCode.USAGE).err


def test_a_short_job_ends_before_a_long_one_that_was_first(
    shared: Host, walk: Path, stroll: Path, start_worker: StartWorker
) -> None:
    shared.run("submit", walk, *EXACT, "--processes", "60", "--detach")
    long = status(shared)["job"]
    start_worker()
    wait_until(lambda: status(shared)["frames_done"] > 0, "the worker")
    shared.run("submit", stroll, *EXACT, "--processes", "2", "--detach")
    short = status(shared)["job"]
    wait_until(lambda: status(shared, short)["complete"], "short")
    assert not status(shared, long)["finished"]


def test_processes_that_die_as_they_start_are_reported(host: Host, stroll: Path) -> None:
    """Celery alone would start new ones for ever."""
    broken = host.with_program(
        "import os, sys\nif '--billiard-fork' in sys.orig_argv:\n    os._exit(3)\n"
    )
    said = broken.run("submit", stroll, *EXACT, code=ExitCode.FAILED)
    assert "end as soon as they start" in said.err
    assert "import workers.tasks" in said.err
