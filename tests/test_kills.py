"""Nothing that is killed loses work or changes a byte of the result."""

import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from annotate.domain.errors import ExitCode
from annotate.domain.options import SubmitOptions
from annotate.domain.video import Chunk
from annotate.queue.job_status import is_alive
from annotate.use_cases.find_videos import FoundVideos
from annotate.use_cases.submit import submit
from tests.command import PATIENCE_S, Host

# With a memory from frame to frame, so short a video would be a single chunk.
EXACT = ("--detect-every", "1")
OPTIONS = SubmitOptions(detect_every=1)
CHUNK = 24

# A worker process dies as it writes the part of one chunk.
DEADLY = """
import os, signal, sys
rename = os.replace
def replace(source, target, **options):
    if "{name}" in str(target) and "--billiard-fork" in sys.orig_argv:
        with open("deaths", "a") as file:
            file.write("died\\n")
        os.kill(os.getpid(), signal.SIGKILL)
    rename(source, target, **options)
os.replace = replace
"""


def cut_finely(host: Host, video: Path, options: SubmitOptions = OPTIONS) -> None:
    """Plans the video's chunks before the first submission: smaller ones than it would make."""
    store = host.opened()
    settings = host.settings()
    job = submit(store, FoundVideos((video,)), options, settings, workers=1)
    results = store.results(job.recipe, job.videos[0])
    (whole,) = results.read_chunks() or ()
    chunks = [Chunk(start, min(start + CHUNK, whole.stop)) for start in range(0, whole.stop, CHUNK)]
    results.write_chunks(chunks)


def parts_of(host: Host) -> set[Path]:
    """The parts and tracks files of its store."""
    files = Path(host.store).rglob("*.parquet")
    return {file for file in files if file.parent.name in ("parts", "tracks")}


def at_a_moment(host: Host, process: "subprocess.Popen[str]", moments: np.random.Generator) -> None:
    """Waits a little after the start, a worker's first sign of life, or a new part."""
    before, now = parts_of(host), moments.integers(4)
    while process.poll() is None and (
        (now == 1 and not any(map(is_alive, host.opened().heartbeats())))
        or (now >= 2 and parts_of(host) <= before)
    ):
        time.sleep(0.01)
    time.sleep(moments.uniform(0.0, 0.3))


@pytest.mark.parametrize(
    "kills", [6, pytest.param(60, marks=[pytest.mark.drill, pytest.mark.timeout(3600)])]
)
def test_kill_9_of_everything_at_random_moments(
    host: Host, walk: Path, undisturbed: bytes, kills: int
) -> None:
    moments = np.random.default_rng(11)
    cut_finely(host, walk)
    while kills > 0:
        process = host.start("submit", walk, *EXACT)
        at_a_moment(host, process, moments)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            kills -= 1
        process.communicate()
        if process.returncode == 0:
            assert host.exported() == undisturbed
            for part in parts_of(host):
                part.unlink()
    host.run("submit", walk, *EXACT)
    assert host.exported() == undisturbed


@pytest.mark.parametrize(
    ("pack", "video", "rotations"),
    [
        ("lightning_pack", "stroll", 1),
        ("lightning_pack", "stroll", 4),
        ("full_and_yolox_pack", "stroll", 1),
        ("simcc_pack", "markers", 1),
        ("heatmap_pack", "markers", 1),
    ],
)
def test_kill_9_with_a_pack_that_finds_whole_people(
    pack: str, video: str, rotations: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder: Path = request.getfixturevalue(pack)
    film: Path = request.getfixturevalue(video)
    asked = SubmitOptions("all", detect_every=1, rotations=rotations, end=1, pack=folder.name)
    which = ("--people", "all", "--end", "1", "--pack", folder.name)
    command = ("submit", film, *EXACT, "--rotations", str(rotations), *which)
    alone, killed = (Host(tmp_path / name, folder.parent, tmp_path) for name in ("a", "b"))
    alone.run(*command)
    cut_finely(killed, film, asked)
    process = killed.start(*command)
    assert killed.next_heartbeat(process) is not None
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    killed.run(*command)
    assert killed.exported("killed.json") == alone.exported()


def test_a_worker_process_that_is_killed_is_replaced(
    host: Host, walk: Path, undisturbed: bytes
) -> None:
    cut_finely(host, walk)
    process = host.start("submit", walk, *EXACT)
    beat = host.next_heartbeat(process)
    assert beat is not None
    os.kill(int(beat.worker.rpartition("-")[2]), signal.SIGKILL)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert host.exported() == undisturbed


def test_after_three_deaths_in_one_chunk_it_fails_and_the_job_goes_on(
    host: Host, walk: Path, undisturbed: bytes
) -> None:
    cut_finely(host, walk)
    deadly = host.with_program(DEADLY.format(name=Chunk(CHUNK, 2 * CHUNK).name))
    said = deadly.run("submit", walk, *EXACT, "--processes", "1", code=ExitCode.PARTIAL)
    assert "died 3 times" in said.err
    assert (host.home / "deaths").read_text() == "died\n" * 3

    refused = host.run("export", "--out", "people.json", code=ExitCode.PARTIAL)
    assert "failed" in refused.err
    assert not (host.home / "people.json").exists()
    host.run("export", "--partial", "--out", "people.json", code=ExitCode.PARTIAL)
    assert (host.home / "people.json").exists()

    host.run("retry")
    assert host.exported() == undisturbed
