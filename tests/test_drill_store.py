"""Fault drill of the store: it goes away, it is full; the job ends with the same bytes.

Run with `pytest -m drill tests/test_drill_store.py`; it prints a table.
"""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from annotate.errors import ExitCode
from annotate.use_cases.status import JobStatus, job_status
from tests.command import Host
from tests.fleet import finish, make_hosts, submitted, working
from tests.servers import RedisServer, S3Server

AWAY_S = 30.0
pytestmark = [pytest.mark.drill, pytest.mark.timeout(900)]


@dataclass
class Trouble:
    """Begins a fault once some chunks are done, ends it later, and times the recovery.

    Attributes:
        begin, end: of the fault.
        lasts_s: between the two.
    """

    begin: Callable[[], None]
    end: Callable[[], None]
    lasts_s: float = AWAY_S
    done_before: int = 0
    ended_at: float = 0.0
    recovery_s: float = 0.0
    timer: threading.Timer | None = None

    def watch(self, status: JobStatus) -> None:
        done = sum(len(video.done) for video in status.videos)
        if self.timer is None and done >= 2:
            self.done_before = done
            self.begin()
            self.timer = threading.Timer(self.lasts_s, self._end)
            self.timer.start()
        elif self.ended_at and not self.recovery_s and done > self.done_before:
            self.recovery_s = time.monotonic() - self.ended_at

    def _end(self) -> None:
        self.end()
        self.ended_at = time.monotonic()


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, blazepose_pack: Path, walk: Path
) -> bytes:
    home = tmp_path_factory.mktemp("undisturbed")
    host = Host(home / "store", blazepose_pack.parent, home)
    host.run("submit", walk, "--detect-every", "1")
    return host.exported()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a tmpfs")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607


def fill(disk: Path) -> Path:
    """A file that takes all the room there is."""
    filler = disk / "filler"
    with filler.open("wb") as file:
        try:
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        except OSError:
            pass
    return filler


def run(
    hosts: list[Host], video: Path, trouble: Trouble, row: Callable[..., None], fault: str
) -> None:
    """Sees a job through the trouble and files a row of the table."""
    laptop, *workers = hosts
    job = submitted(laptop, video)
    with working(*workers):
        finish(laptop, job, trouble.watch, again_s=90.0)
    assert trouble.recovery_s, "the job was done before the fault was over"
    lines = [line for host in workers for line in (host.home / "log").read_text().splitlines()]
    begun = sum("annotate.chunk[" in line and line.endswith("received") for line in lines)
    (status,) = job_status(laptop.opened(), job).videos
    row(fault, trouble.recovery_s, begun - len(status.chunks), len(status.missing))


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
):
    server = S3Server(tmp_path / "s3")
    server.start()
    try:
        environ_of(server, monkeypatch)
        store = f"s3://{server.new_bucket()}/store"
        hosts = make_hosts(tmp_path, blazepose_pack.parent, store, redis_server.url, {})
        trouble = Trouble(server.kill, server.start)
        run(hosts, walk, trouble, drill_row, "S3 server killed, back after 30 s")
        assert hosts[0].exported() == undisturbed
    finally:
        server.kill()


def test_the_s3_server_is_full_until_somebody_makes_room(
    tmp_path: Path,
    blazepose_pack: Path,
    redis_server: RedisServer,
    small_disk: Path,
    walk: Path,
    undisturbed: bytes,
    monkeypatch: pytest.MonkeyPatch,
    drill_row: Callable[..., None],
):
    server = S3Server(small_disk / "s3")
    server.start()
    try:
        environ_of(server, monkeypatch)
        store = f"s3://{server.new_bucket()}/store"
        hosts = make_hosts(tmp_path, blazepose_pack.parent, store, redis_server.url, {})
        filler = small_disk / "filler"
        trouble = Trouble(lambda: fill(small_disk) and None, filler.unlink)
        run(hosts, walk, trouble, drill_row, "S3 server's disk full for 30 s")
        assert hosts[0].exported() == undisturbed
    finally:
        server.kill()


def test_a_shared_folder_is_full_until_somebody_makes_room(
    tmp_path: Path,
    blazepose_pack: Path,
    redis_server: RedisServer,
    small_disk: Path,
    walk: Path,
    undisturbed: bytes,
    drill_row: Callable[..., None],
):
    store = str(small_disk / "store")
    hosts = make_hosts(tmp_path, blazepose_pack.parent, store, redis_server.url, {})
    filler = small_disk / "filler"
    trouble = Trouble(lambda: fill(small_disk) and None, filler.unlink)
    run(hosts, walk, trouble, drill_row, "shared folder full for 30 s")
    assert hosts[0].exported() == undisturbed


def test_a_full_disk_stops_a_lone_host_and_the_same_command_goes_on(
    tmp_path: Path, blazepose_pack: Path, small_disk: Path, walk: Path, undisturbed: bytes
):
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
