"""Hosts that share a queue and a bucket and no folder: one submits, the others work."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from annotate.board import open_board
from annotate.broker import Queue, make_app
from annotate.domain import Chunk
from annotate.job import Job
from annotate.use_cases.dispatch import Unit, pending
from annotate.use_cases.status import JobStatus, job_status
from annotate.use_cases.submit import submit
from tests.command import Host
from tests.servers import wait_until

CHUNK = 6
PATIENCE_S = 240.0


def make_hosts(
    folder: Path, packs: Path, store: str, broker: str, more: Mapping[str, str]
) -> list[Host]:
    """The laptop, which has `packs`, and two workers that have none."""
    made = []
    for name in ("laptop", "north", "south"):
        home = folder / name
        home.mkdir()
        own = packs if name == "laptop" else home / "packs"
        made.append(Host(store, own, home, {"ANNOTATE_BROKER": broker, **more}))
    return made


@contextmanager
def working(*hosts: Host) -> Iterator[None]:
    """Each host runs a worker of one process while the block runs; what it says is in its log."""
    app = make_app(hosts[0].settings().broker)
    options = ("--loglevel", "info", "--concurrency", "1", "--without-mingle")
    workers = []
    for host in hosts:
        with (host.home / "log").open("w") as log:
            command = ("-A", "workers", "worker", "--hostname", host.home.name, *options)
            streams = {"stdout": log, "stderr": log}
            workers.append(host.start_module("celery", *command, **streams))
    try:
        wait_until(lambda: len(app.control.ping(timeout=1.0)) == len(hosts), "a worker")
        yield
    finally:
        for worker in workers:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.communicate()


def submitted(host: Host, video: Path) -> Job:
    """A job of chunks that are smaller than a user's, so that every host gets some."""
    store, settings = host.opened(), host.settings()
    job = submit(
        store,
        [video],
        settings.packs / "blazepose-full",
        people="near",
        detect_every=1,
        smooth_hz=6.0,
        workers=2,
        settings=settings,
        progress=lambda *_: None,
    )
    fingerprint = job.videos[0].fingerprint
    chunks = store.read_chunks(job.recipe.digest, fingerprint) or ()
    stop = chunks[-1].stop
    fine = [Chunk(start, min(start + CHUNK, stop)) for start in range(0, stop, CHUNK)]
    store.write_chunks(job.recipe.digest, fingerprint, fine)
    return job


def finish(
    host: Host,
    job: Job,
    each: Callable[[JobStatus], None] = lambda _status: None,
    again_s: float = PATIENCE_S,
) -> None:
    """Sends what can be done until nothing is left.

    Args:
        each: called with the job's status, several times a second.
        again_s: what is not done so long after it was sent is sent again.
    """
    broker = host.settings().broker
    store, queue, board = host.opened(), Queue(make_app(broker)), open_board(broker)
    sent: dict[Unit, float] = {}
    deadline = time.monotonic() + PATIENCE_S
    while waiting := list(pending(status := job_status(store, job, board.heartbeats()))):
        each(status)
        for fingerprint, chunk in waiting:
            now = time.monotonic()
            if now - sent.get((fingerprint, chunk), -again_s) < again_s:
                continue
            sent[fingerprint, chunk] = now
            if chunk is None:
                queue.send_merge(job, fingerprint)
            else:
                queue.send_chunk(job, fingerprint, chunk)
        assert time.monotonic() < deadline, f"still to do: {waiting}"
        time.sleep(0.2)
