"""Fault drills of a disk and of a clock: EIO from below Python, files torn anywhere, the year 2037.

Run with `pytest -m drill tests/test_drill_disk.py`; it prints a table.
"""

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from annotate.domain.errors import ExitCode
from annotate.queue.job_status import JobStatus, job_status
from tests.benchmarks.many_clips import make_clips
from tests.command import Host
from tests.faulty_io import faulty_io
from tests.in_process import InProcess, cheap_work, made_host

VIDEOS = 12
SHORT = ("--detect-every", "1", "--end", "0.2")
# Places in a file at which it is cut off.
CUTS = 60
# From today to the year 2037.
TO_2037_S = 11 * 365 * 86400
pytestmark = [pytest.mark.drill, pytest.mark.timeout(1800)]
Row = Callable[[str, float, int, int], None]


def status_of(host: Host) -> JobStatus:
    return job_status(host.opened(), host.opened().newest_job())


@pytest.fixture
def videos(tmp_path: Path, stroll: Path) -> Path:
    make_clips(tmp_path / "videos", stroll, VIDEOS)
    return tmp_path / "videos"


def begun(host: Host, videos: Path) -> "subprocess.Popen[str]":
    """A submission that has done some of the videos."""
    process = host.start("submit", videos, *SHORT)
    while not host.opened().job_ids() or not any(v.done for v in status_of(host).videos):
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    return process


@pytest.mark.parametrize("broken", ["videos", "store"])
def test_a_disk_fails_for_a_while(
    host: Host, videos: Path, tmp_path: Path, drill_row: Row, broken: str
) -> None:
    flag = tmp_path / "broken"
    folder = {"videos": videos, "store": Path(host.store)}[broken]
    more = {**faulty_io(tmp_path), "EIO_FOLDER": str(folder), "EIO_FLAG": str(flag)}
    process = begun(replace(host, more=more), videos)
    flag.touch()
    began = time.monotonic()
    threading.Timer(5.0, flag.unlink).start()
    out, err = process.communicate(timeout=900)
    assert process.returncode == 0, out + err
    assert f"{VIDEOS} of {VIDEOS} videos done" in out
    failed = sum(len(video.failures) for video in status_of(host).videos)
    drill_row(f"EIO from the disk of the {broken} for 5 s", time.monotonic() - began, 0, failed)
    assert failed == 0


def test_a_disk_stays_broken(host: Host, videos: Path, tmp_path: Path, drill_row: Row) -> None:
    flag = tmp_path / "broken"
    more = {**faulty_io(tmp_path), "EIO_FOLDER": str(videos), "EIO_FLAG": str(flag)}
    process = begun(replace(host, more=more), videos)
    flag.touch()
    began = time.monotonic()
    out, err = process.communicate(timeout=900)
    assert process.returncode == ExitCode.STORE, out + err
    assert "Input/output error" in err
    failed = sum(len(video.failures) for video in status_of(host).videos)
    assert failed == 0
    host.run("submit", videos, *SHORT)
    assert status_of(host).complete
    drill_row("EIO stays: exit 6, the same command", time.monotonic() - began, 0, failed)


@pytest.fixture(scope="module")
def cheap(tmp_path_factory: pytest.TempPathFactory, blazepose_pack: Path) -> Iterator[InProcess]:
    """A host with a finished job, whose pipeline costs nothing."""
    home = tmp_path_factory.mktemp("torn")
    with cheap_work():
        made = made_host(home, blazepose_pack.parent)
        shutil.copytree(made.folder, home / "sound")
        yield made


def content(host: InProcess) -> Any:
    said, data = host.exported()
    whole = json.loads(data or b"{}")
    whole.pop("info", None)
    return said.code, whole


@pytest.mark.parametrize("kind", ["parts/*.parquet", "tracks/*.parquet", "jobs/*.json"])
def test_a_file_is_torn_anywhere(cheap: InProcess, kind: str, drill_row: Row) -> None:
    """A power cut keeps the name of a file and the first part of its bytes."""
    cheap.restore(cheap.home / "sound")
    cheap.submit()
    expected = content(cheap)
    path = sorted((cheap.home / "sound").rglob(kind))[0]
    key, size, began, wrong = path.relative_to(cheap.home / "sound"), path.stat().st_size, 0.0, []
    began = time.monotonic()
    for cut in sorted({size * number // CUTS for number in range(CUTS)}):
        cheap.restore(cheap.home / "sound")
        data = (cheap.folder / key).read_bytes()[:cut]
        (cheap.folder / key).unlink()
        (cheap.folder / key).write_bytes(data)
        exported = cheap.run("export", "--partial", "--out", cheap.home / "torn.json", "--force")
        again = cheap.submit()
        if exported.defect or again.defect or content(cheap) != expected:
            wrong.append((cut, exported, again))
    assert wrong == []
    drill_row(f"{kind}: torn at {CUTS} places", time.monotonic() - began, 0, len(wrong))


def test_the_year_is_2037(host: Host, tmp_path: Path, stroll: Path, drill_row: Row) -> None:
    began = time.monotonic()
    wrong = replace(host, more={**faulty_io(tmp_path), "WRONG_CLOCK_S": str(TO_2037_S)})
    first, second = make_clips(tmp_path / "two", stroll, 2)
    wrong.run("submit", first, *SHORT)
    (of_2037,) = host.opened().job_ids()
    assert of_2037.startswith(("2036", "2037"))
    host.run("submit", second, *SHORT)
    assert host.opened().newest_job().videos[0].name == second.name, "the counter tells the order"
    exported = json.loads(host.exported())
    assert {image["file_name"].split("/")[0] for image in exported["images"]} == {second.stem}
    # Neither clock takes what the other has just written for old.
    assert "2036" not in wrong.run("clean").err
    assert "Nothing" in wrong.run("clean").out
    assert "Nothing" in host.run("clean").out
    wrong.run("submit", second, *SHORT)
    assert status_of(host).complete
    drill_row("a host's clock in 2037", time.monotonic() - began, 0, 0)


def test_two_submits_on_one_folder(host: Host, videos: Path, drill_row: Row) -> None:
    """Without a queue one of them works, and the other says which."""
    began = time.monotonic()
    processes = [host.start("submit", videos, *SHORT) for _ in range(2)]
    ends = []
    for process in processes:
        out, err = process.communicate(timeout=900)
        ends.append((process.returncode, out + err))
    assert min(code for code, _ in ends) == 0
    for code, said in ends:
        assert code == 0 or "is being worked on by process" in said, said
    assert status_of(host).complete
    parts = sum(len(video.done) for video in status_of(host).videos)
    assert parts == VIDEOS
    drill_row("two submits on one folder", time.monotonic() - began, 0, 0)
