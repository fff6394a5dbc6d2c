"""Fault drill of a host: the folder of its videos goes away; nothing is recorded as failed.

Run with `pytest -m drill tests/test_drill_host.py`; it prints a table.
"""

import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from annotate.domain.errors import ExitCode
from annotate.queue.job_status import JobStatus, job_status
from tests.command import Host

VIDEOS = 80
EXACT = ("--detect-every", "1", "--end", "0.2")
# After so many seconds a command on a busy host, too, has looked at the store.
LOOKED_AFTER_S = 30.0
pytestmark = [pytest.mark.drill, pytest.mark.timeout(900)]


@pytest.fixture
def folder(tmp_path: Path, stroll: Path) -> Path:
    """A folder of videos that differ in a box that players skip."""
    folder = tmp_path / "videos"
    folder.mkdir()
    data = stroll.read_bytes()
    for number in range(VIDEOS):
        free = (12).to_bytes(4, "big") + b"free" + number.to_bytes(4, "big")
        (folder / f"{number:02}.mp4").write_bytes(data + free)
    return folder


def status_of(host: Host) -> JobStatus:
    return job_status(host.opened(), host.opened().newest_job())


def begun(host: Host, folder: Path) -> "subprocess.Popen[str]":
    """A submission of the folder that has done some of the videos."""
    process = host.start("submit", folder, *EXACT)
    while not host.opened().job_ids() or not any(v.done for v in status_of(host).videos):
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    return process


@pytest.mark.parametrize("away_s", [3.0, 60.0])
def test_the_folder_of_the_videos_is_away_for_a_while(
    host: Host, folder: Path, away_s: float, drill_row: Callable[..., None]
) -> None:
    process = begun(host, folder)
    away = folder.with_name("away")
    folder.rename(away)
    back = threading.Timer(away_s, away.rename, [folder])
    back.start()
    began = time.monotonic()
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, out + err
    assert f"{VIDEOS} of {VIDEOS} videos done" in out
    lines = [line for line in err.splitlines() if line.startswith("waiting ")]
    assert len(lines) == 2, err
    assert str(folder) in lines[0]
    assert lines[1].endswith("over: the work goes on")
    failed = sum(len(video.failures) for video in status_of(host).videos)
    drill_row(
        f"folder of {VIDEOS} videos away for {away_s:.0f} s", time.monotonic() - began, 0, failed
    )


def test_the_folder_of_the_videos_stays_away(
    host: Host, folder: Path, drill_row: Callable[..., None]
) -> None:
    process = begun(host, folder)
    away = folder.with_name("away")
    folder.rename(away)
    began = time.monotonic()
    out, err = process.communicate(timeout=300)
    stopped_s = time.monotonic() - began
    assert process.returncode == ExitCode.STORE, out + err
    assert str(folder) in err
    assert "same command" in err
    failed = sum(len(video.failures) for video in status_of(host).videos)
    assert failed == 0
    away.rename(folder)
    host.run("submit", folder, *EXACT)
    assert status_of(host).complete
    drill_row("the same folder stays away: exit 6, the same command", stopped_s, 0, failed)


@pytest.mark.parametrize("away_s", [3.0, 60.0])
def test_the_folder_of_the_store_is_away_for_a_while(
    host: Host, folder: Path, away_s: float, drill_row: Callable[..., None]
) -> None:
    process = begun(host, folder)
    store = Path(host.store)
    away = store.with_name("away")
    store.rename(away)
    threading.Timer(away_s, away.rename, [store]).start()
    began = time.monotonic()
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, out + err
    assert f"{VIDEOS} of {VIDEOS} videos done" in out
    waits = err.count("waiting, up to 120 s: ")
    assert waits == err.count("and the work goes on"), err
    # A short absence may fall between two looks of the command.
    assert waits == 1 or (waits == 0 and away_s < LOOKED_AFTER_S), err
    failed = sum(len(video.failures) for video in status_of(host).videos)
    drill_row(f"folder of the store away for {away_s:.0f} s", time.monotonic() - began, 0, failed)
