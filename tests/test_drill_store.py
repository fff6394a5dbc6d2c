"""Fault drill of the store: it goes away, or is full; the job ends with the same bytes.

Run with `pytest -m drill tests/test_drill_store.py`; it prints a table.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from annotate.domain.errors import ExitCode
from annotate.queue.job_status import job_status
from annotate.store import Store
from tests.command import Host
from tests.fleet import FINE, board_of, kill, make_hosts, working
from tests.servers import RedisServer, S3Server

AWAY_S = 30.0
FEW = 2
pytestmark = [pytest.mark.drill, pytest.mark.timeout(900)]


@dataclass
class Trouble:
    """A fault that begins when a few chunks are done, and ends half a minute later.

    Attributes:
        begin, end: of the fault.
        recovery_s: from its end to the next chunk that is done.
    """

    begin: Callable[[], object]
    end: Callable[[], object]
    recovery_s: float | None = None

    def strike(self, store: Store, submitting: "subprocess.Popen[str]") -> None:
        """Goes through all of it while the job is under way."""
        while parts(store) < FEW:
            assert submitting.poll() is None, submitting.communicate()
            time.sleep(0.1)
        self.begin()
        time.sleep(AWAY_S)
        self.end()
        ended, before = time.monotonic(), parts(store)
        while parts(store) <= before and submitting.poll() is None:
            time.sleep(0.1)
        self.recovery_s = time.monotonic() - ended


def parts(store: Store) -> int:
    """How many chunks of the newest job are done."""
    if not store.job_ids():
        return 0
    job = store.newest_job()
    return len(store.results(job.recipe, job.videos[0]).parts())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 GB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2g", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a tmpfs")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607


def fill(disk: Path) -> Path:
    """A file that takes all the room there is."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 20))
    return filler


def run(
    hosts: list[Host], video: Path, trouble: Trouble, row: Callable[..., None], fault: str
) -> bytes:
    """Runs a job through the trouble, adds a row to the table, and returns the export."""
    laptop, *workers = hosts
    with working(*workers):
        submitting = laptop.start("submit", video, *FINE)
        try:
            trouble.strike(laptop.opened(), submitting)
            out, err = submitting.communicate(timeout=300)
        finally:
            kill(submitting)
        assert submitting.returncode == 0, out + err
        board = board_of(laptop)
        units = sum(board.attempts.finished_by(one["worker"]) for one in board.reports.workers())
    (status,) = job_status(laptop.opened(), laptop.opened().newest_job()).videos
    row(fault, trouble.recovery_s, units - 1 - len(status.chunks or ()), len(status.missing))
    return laptop.exported()


def environ_of(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)


def test_the_s3_server_is_killed_and_comes_back(
    tmp_path: Path,
    blazepose_pack: Path,
    redis_server: RedisServer,
    walk: Path,
    undisturbed: bytes,
    monkeypatch: pytest.MonkeyPatch,
    drill_row: Callable[..., None],
) -> None:
    server = S3Server(tmp_path / "s3")
    server.start()
    try:
        environ_of(server, monkeypatch)
        store = f"s3://{server.new_bucket()}/store"
        hosts = make_hosts(tmp_path, blazepose_pack.parent, store, redis_server.url)
        trouble = Trouble(server.kill, server.start)
        assert (
            run(hosts, walk, trouble, drill_row, "S3 server killed, back after 30 s") == undisturbed
        )
    finally:
        server.kill()


def test_the_s3_server_is_full_for_a_while(
    tmp_path: Path,
    blazepose_pack: Path,
    redis_server: RedisServer,
    small_disk: Path,
    walk: Path,
    undisturbed: bytes,
    drill_row: Callable[..., None],
) -> None:
    server = S3Server(tmp_path / "s3", ("-volume.max=0", f"-dir={small_disk}"))
    server.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            environ_of(server, patch)
            store = f"s3://{server.new_bucket()}/store"
            hosts = make_hosts(tmp_path, blazepose_pack.parent, store, redis_server.url)
            trouble = Trouble(lambda: fill(small_disk), (small_disk / "filler").unlink)
            exported = run(hosts, walk, trouble, drill_row, "S3 server's disk full for 30 s")
        assert exported == undisturbed
    finally:
        server.kill()


def test_a_shared_folder_is_full_for_a_while(
    tmp_path: Path,
    blazepose_pack: Path,
    redis_server: RedisServer,
    small_disk: Path,
    walk: Path,
    undisturbed: bytes,
    drill_row: Callable[..., None],
) -> None:
    store = str(small_disk / "store")
    hosts = make_hosts(tmp_path, blazepose_pack.parent, store, redis_server.url)
    filler = small_disk / "filler"
    trouble = Trouble(lambda: fill(small_disk), filler.unlink)
    assert run(hosts, walk, trouble, drill_row, "shared folder full for 30 s") == undisturbed


def test_a_full_disk_stops_a_lone_host_and_the_same_command_goes_on(
    tmp_path: Path, blazepose_pack: Path, small_disk: Path, walk: Path, undisturbed: bytes
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    host = Host(small_disk / "store", blazepose_pack.parent, home)
    process = host.start("submit", walk, "--detect-every", "1")
    assert host.next_heartbeat(process) is not None
    filler = fill(small_disk)
    _, err = process.communicate(timeout=120)
    assert process.returncode == ExitCode.STORE, err
    assert "disk is full" in err
    filler.unlink()
    host.run("submit", walk, "--detect-every", "1")
    assert host.exported() == undisturbed
