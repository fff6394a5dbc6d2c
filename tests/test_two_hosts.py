"""Two hosts with a queue and a bucket give the bytes that one machine gives alone."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from annotate.broker import Queue, make_app
from annotate.domain import Chunk
from annotate.job import Job
from annotate.store import Store
from annotate.use_cases.status import job_status
from annotate.use_cases.submit import submit
from annotate.use_cases.work import pending
from tests.command import PATIENCE_S, Host
from tests.servers import RedisServer, S3Server, wait_until

CHUNK = 6


@pytest.fixture
def hosts(
    tmp_path: Path,
    blazepose_pack: Path,
    redis_server: RedisServer,
    s3_server: S3Server,
    monkeypatch: pytest.MonkeyPatch,
) -> list[Host]:
    """Three hosts that share a queue and a bucket and no folder: one submits, two work.

    The workers have no model packs of their own.
    """
    for name, value in s3_server.environ.items():
        monkeypatch.setenv(name, value)
    store = f"s3://{s3_server.new_bucket()}/store"
    made = []
    for name in ("laptop", "north", "south"):
        home = tmp_path / name
        home.mkdir()
        packs = blazepose_pack.parent if name == "laptop" else home / "packs"
        made.append(Host(store, packs, home, {"ANNOTATE_BROKER": redis_server.url}))
    return made


@contextmanager
def working(*hosts: Host) -> Iterator[None]:
    """Each host runs a worker of one process while the block runs."""
    options = ("--loglevel", "warning", "--concurrency", "1", "--without-mingle")
    workers = [
        host.start_module(
            *("celery", "-A", "workers", "worker", "--hostname", host.home.name, *options),
        )
        for host in hosts
    ]
    app = make_app(hosts[0].settings().broker)
    try:
        wait_until(lambda: len(app.control.ping(timeout=1.0)) == len(hosts), "a worker")
        yield
    finally:
        for worker in workers:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.communicate()


def submitted(host: Host, video: Path) -> Job:
    """A job of chunks that are smaller than a user's, so that both hosts get some."""
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


def finish(host: Host, job: Job, each: Callable[[Store], None] = lambda _store: None) -> None:
    """Sends what can be done until nothing is left."""
    store, queue = host.opened(), Queue(make_app(host.settings().broker))
    sent = set()
    deadline = time.monotonic() + PATIENCE_S
    while waiting := list(pending(job_status(store, job))):
        for fingerprint, chunk in waiting:
            if (fingerprint, chunk) not in sent and chunk is not None:
                queue.send_chunk(job, fingerprint, chunk)
            elif (fingerprint, chunk) not in sent:
                queue.send_merge(job, fingerprint)
            sent.add((fingerprint, chunk))
        each(store)
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_two_hosts_give_the_bytes_of_one(hosts: list[Host], stroll: Path, tmp_path: Path):
    laptop, north, south = hosts
    job = submitted(laptop, stroll)
    seen: set[str] = set()

    def watch(store: Store) -> None:
        seen.update(beat.worker for beat in store.heartbeats())

    with working(north, south):
        finish(laptop, job, watch)
    assert len(seen) == 2, "one host did it all"
    copies = [list((host.home / "cache" / "videos").glob("[0-9a-f]" * 64)) for host in hosts]
    assert [len(found) for found in copies] == [0, 1, 1]
    alone = replace(laptop, store=tmp_path / "store", more={"ANNOTATE_BROKER": ""})
    alone.run("submit", stroll, "--detect-every", "1")
    assert laptop.exported("shared.json") == alone.exported("alone.json")
