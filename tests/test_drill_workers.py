"""Fault drill of workers and queue: something dies, hangs or loses its memory; the job ends with
the same bytes.

Run with `pytest -m drill tests/test_drill_workers.py`; it prints a table.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from annotate.domain.job import Job
from annotate.queue.app import make_app
from annotate.queue.board import Board, open_board
from annotate.queue.job_status import VideoStatus, job_status
from annotate.queue.messages import Queue
from annotate.store import Store
from tests.command import Host
from tests.servers import RedisServer

EXACT = ("--detect-every", "1")
# 24 chunks of 10 frames.
FINE = (*EXACT, "--processes", "24")
PATIENCE_S = 300.0
pytestmark = [pytest.mark.drill, pytest.mark.timeout(900)]

Worker = subprocess.Popen
RunDrill = Callable[..., None]


@dataclass
class Fleet:
    """A host that submits, and the workers of its queue."""

    host: Host
    server: RedisServer
    workers: list["Worker[str]"] = field(default_factory=list)

    def board(self) -> Board:
        """What the workers tell each other."""
        return open_board(self.server.url, self.host.opened().id())

    def start(self, more: Mapping[str, str] | None = None) -> None:
        """Starts one more worker with one process."""
        host = Host(
            self.host.store, self.host.packs, self.host.home, {**self.host.more, **(more or {})}
        )
        self.workers.append(host.start("worker", "--concurrency", "1"))

    def processes(self) -> list[psutil.Process]:
        """Of all workers: supervisors, Celery's and theirs."""
        found = []
        for worker in self.workers:
            try:
                root = psutil.Process(worker.pid)
                found += [root, *root.children(recursive=True)]
            except psutil.NoSuchProcess:
                continue
        return found

    def kill(self, worker: "Worker[str]") -> None:
        """Kills all processes of a worker at once."""
        root = psutil.Process(worker.pid)
        for process in [root, *root.children(recursive=True)]:
            process.kill()
        worker.communicate()
        self.workers.remove(worker)


@pytest.fixture
def fleet(host: Host, redis_server: RedisServer) -> Iterator[Fleet]:
    shared = Host(host.store, host.packs, host.home, {"ANNOTATE_BROKER": redis_server.url})
    made = Fleet(shared, redis_server)
    yield made
    for process in made.processes():
        process.kill()
    for worker in made.workers:
        worker.communicate()


@dataclass
class Drill:
    """Watches a job; once some chunks are done and others are running, the fault happens.

    Attributes:
        interrupted: names of the chunks that were running at the fault.
        seen: (worker process, name) of every chunk that was ever begun.
        over: when the fault was over.
        recovery_s: from then until all interrupted chunks are done.
    """

    fleet: Fleet
    job: Job
    happen: Callable[[], None]
    interrupted: set[str] = field(default_factory=set)
    seen: set[tuple[str, str]] = field(default_factory=set)
    over: float = 0.0
    recovery_s: float = 0.0

    def run(self) -> VideoStatus:
        """Until everything is done; the job's status at the end."""
        store = self.fleet.host.opened()
        board = self.fleet.board()
        deadline = time.monotonic() + PATIENCE_S
        while True:
            beats = board.reports.heartbeats()
            (video,) = job_status(store, self.job, beats).videos
            running = {beat.chunk.name for beat in video.running}
            self.seen |= {(beat.worker, beat.chunk.name) for beat in video.running}
            if not self.over and len(video.done) >= 3 and running - video.done:
                self.interrupted = running - video.done
                self.happen()
                self.over = time.monotonic()
            elif self.over and not self.recovery_s and self.interrupted <= video.done:
                self.recovery_s = time.monotonic() - self.over
            if video.finished:
                return video
            assert time.monotonic() < deadline, f"{len(video.missing)} chunks are missing"
            time.sleep(0.05)

    @property
    def redone(self) -> int:
        """How often a chunk was begun again."""
        return len(self.seen) - len({chunk for _, chunk in self.seen})


def submitted(fleet: Fleet, video: Path) -> Job:
    fleet.host.run("submit", video, *FINE, "--detach")
    store: Store = fleet.host.opened()
    return store.newest_job()


@pytest.fixture
def drill(fleet: Fleet, walk: Path, undisturbed: bytes, drill_row: Callable[..., None]) -> RunDrill:
    """Runs a job with two workers through a fault, and adds a row to the table."""

    def run(fault: str, happen: Callable[[], None], more: Mapping[str, str] | None = None) -> None:
        job = submitted(fleet, walk)
        fleet.start()
        fleet.start(more)
        watched = Drill(fleet, job, happen)
        video = watched.run()
        assert video.state == "done"
        assert watched.recovery_s, "nothing happened"
        drill_row(fault, watched.recovery_s, watched.redone, len(video.missing))
        assert fleet.host.exported() == undisturbed

    return run


def working_pids(fleet: Fleet) -> list[int]:
    beats = fleet.board().reports.heartbeats()
    return [int(beat.worker.rpartition("-")[2]) for beat in beats]


def test_a_pool_process_is_killed(drill: RunDrill, fleet: Fleet) -> None:
    drill("pool process killed", lambda: os.kill(working_pids(fleet)[0], signal.SIGKILL))


def test_the_parent_of_a_pool_is_killed(drill: RunDrill, fleet: Fleet) -> None:
    def happen() -> None:
        parent = psutil.Process(working_pids(fleet)[0]).parent()
        assert parent is not None
        parent.kill()

    drill("pool's parent killed", happen)


def test_a_whole_worker_is_killed(drill: RunDrill, fleet: Fleet) -> None:
    drill("whole worker killed", lambda: fleet.kill(fleet.workers[0]))


def test_all_workers_are_killed(drill: RunDrill, fleet: Fleet) -> None:
    def happen() -> None:
        for worker in list(fleet.workers):
            fleet.kill(worker)
        fleet.start()

    drill("all workers killed, one started", happen)


def test_redis_is_killed_and_comes_back(drill: RunDrill, fleet: Fleet) -> None:
    def happen() -> None:
        fleet.server.kill()
        time.sleep(3)
        fleet.server.start()

    drill("Redis killed, back after 3 s (AOF)", happen)


def test_redis_forgets_everything(drill: RunDrill, fleet: Fleet) -> None:
    drill("Redis wiped (FLUSHALL)", lambda: fleet.server.client().flushall())


def test_connections_are_dropped(drill: RunDrill, fleet: Fleet) -> None:
    def happen() -> None:
        with fleet.server.client() as client:
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    drill("all connections dropped", happen)


def test_redis_is_frozen(drill: RunDrill, fleet: Fleet) -> None:
    def happen() -> None:
        fleet.server.freeze()
        time.sleep(60)
        fleet.server.thaw()

    drill("Redis frozen for 60 s", happen)


def test_the_clock_of_a_worker_is_an_hour_off(
    drill: RunDrill, fleet: Fleet, tmp_path: Path
) -> None:
    """libfaketime makes Python's sleep fail, so the clock is changed in the worker's own Python."""
    (tmp_path / "sitecustomize.py").write_text(
        "import time\nright = time.time\ntime.time = lambda: right() + 3600\n"
    )
    wrong = {"PYTHONPATH": str(tmp_path)}
    drill("clock an hour ahead, other worker killed", lambda: fleet.kill(fleet.workers[0]), wrong)


def test_every_chunk_is_sent_twice(drill: RunDrill, fleet: Fleet) -> None:
    def happen() -> None:
        job = fleet.host.opened().newest_job()
        queue = Queue(make_app(fleet.server.url, fleet.host.opened().id()))
        for unit in job_status(fleet.host.opened(), job).pending():
            queue.send(unit)

    drill("every chunk sent twice", happen)


def test_a_chunk_that_kills_its_process_is_given_up(
    fleet: Fleet, walk: Path, undisturbed: bytes, drill_row: Callable[..., None]
) -> None:
    """Every process that works on the fifth chunk is killed, as by a video that crashes it."""
    job = submitted(fleet, walk)
    fleet.start()
    fleet.start()
    store, board = fleet.host.opened(), fleet.board()
    killed: set[int] = set()
    began, deadline = time.monotonic(), time.monotonic() + PATIENCE_S
    while True:
        beats = board.reports.heartbeats()
        (video,) = job_status(store, job, beats).videos
        assert video.chunks
        poison = video.chunks[4].name
        for beat in beats:
            pid = int(beat.worker.rpartition("-")[2])
            if beat.chunk.name == poison and pid not in killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)
        if video.finished:
            break
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert video.state == "partial"
    assert list(video.failures) == [poison]
    assert len(killed) == 3
    drill_row("chunk that kills its process, given up", time.monotonic() - began, 2, 1)
    fleet.host.run("retry")
    assert fleet.host.exported() == undisturbed
