"""What one video may take of a host: each limit has its own message, and what it says helps."""

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from annotate.domain.errors import ExitCode, VideoError
from annotate.domain.limits import LIMITS_VARIABLE, Limits
from annotate.domain.poses import Poses
from annotate.domain.video import Chunk, Frame, VideoIndex
from annotate.video import Reading, decode, probe
from annotate.video.file import VideoFile
from tests.command import Host
from tests.in_process import CheapPipeline, InProcess, cheap_work
from tests.made_videos import LAYOUTS, Layout
from workers.memory_limit import EXIT_CODE

FRAMES = 50


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("limits") / "film.mp4"
    return LAYOUTS["H.264 with B-frames in MP4"].make(path).path


def refusal(path: Path, limits: Limits) -> VideoError:
    with pytest.raises(VideoError) as caught:
        probe(path, limits=limits)
    assert str(path) in caught.value.message
    assert caught.value.hint
    return caught.value


def test_more_frames_than_the_limit(film: Path) -> None:
    assert len(probe(film, limits=Limits(frames=FRAMES))) == FRAMES
    assert "over 49 frames" in refusal(film, Limits(frames=FRAMES - 1)).message


def test_more_packets_than_the_limit(tmp_path: Path) -> None:
    """Packets without data repeat the frame before them, and cost no byte."""
    layout = Layout(".avi", codec="mpeg4", frames=FRAMES)
    path = layout.make(tmp_path / "film.avi").path
    assert len(probe(path, limits=Limits(packets=FRAMES))) == FRAMES
    assert "over 49 packets" in refusal(path, Limits(packets=FRAMES - 1)).message


def test_more_pixels_than_the_limit(film: Path) -> None:
    with VideoFile(film) as video:
        width, height = video.stream.width, video.stream.height
    message = refusal(film, Limits(pixels=1000)).message
    assert f"has frames of {width}x{height}, over 1,000 pixels" in message


def test_a_frame_that_takes_long_to_decode(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index, seconds = probe(film), 0.0

    def clock() -> float:
        nonlocal seconds
        seconds += 2.0
        return seconds

    monkeypatch.setattr("annotate.video.file.thread_time", clock)
    assert len(probe(film, limits=Limits(decode_s=2.0))) == FRAMES
    assert "takes over 1.5 s to decode a frame" in refusal(film, Limits(decode_s=1.5)).message
    with pytest.raises(VideoError, match=r"takes over 1\.5 s"):
        list(decode(film, index, Chunk(0, 9), reading=Reading(limits=Limits(decode_s=1.5))))


def test_time_that_a_busy_host_takes_does_not_count(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only that of the processor does."""
    clock = iter(range(0, 10**9, 1000))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    assert len(probe(film, limits=Limits(decode_s=20.0))) == FRAMES


def test_the_limits_of_a_host_are_those_of_its_commands(film: Path, host: Host) -> None:
    strict = replace(host, more={**host.more, LIMITS_VARIABLE: "frames=49"})
    said = strict.run("submit", film, code=ExitCode.BAD_VIDEO)
    assert "film.mp4 has over 49 frames" in said.err
    assert "Cut it into parts." in said.err
    said = strict.run("probe", film, code=ExitCode.BAD_VIDEO)
    assert "film.mp4 has over 49 frames" in said.out + said.err


def test_a_worker_that_takes_too_much_memory_is_ended_and_the_chunk_can_be_retried(
    host: Host, stroll: Path
) -> None:
    strict = replace(host, more={**host.more, LIMITS_VARIABLE: "memory_gb=0.02"})
    said = strict.run("submit", stroll, "--processes", "1", code=ExitCode.PARTIAL)
    assert "died 3 times in it (over 0.02 GB of memory)" in said.err
    assert "`memory_gb` in ANNOTATE_LIMITS" in said.err
    assert "1 of 1 videos done" in host.run("retry").out


def test_frames_with_too_many_people_are_said_by_submit_and_status(
    tmp_path: Path, film: Path, blazepose_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = CheapPipeline.run

    def run(
        pipeline: CheapPipeline,
        frames: Iterable[Frame],
        index: VideoIndex,
        *,
        first: int | None = None,
        crowded: list[int] | None = None,
    ) -> Poses:
        if crowded is not None:
            crowded += [12, 22]
        return whole(pipeline, frames, index, first=first)

    monkeypatch.setattr(CheapPipeline, "run", run)
    host = InProcess(tmp_path, blazepose_pack.parent)
    with cheap_work():
        said = host.run("submit", film)
        assert (said.code, said.defect) == (0, None), said.text
        line = "film.mp4: over 500 people in 2 frames, the surest 500 are annotated: 12-22"
        assert line in said.text
        assert line in host.run("status").text
        (video,) = json.loads(host.run("status", "--json").text)["videos"]
    assert video["crowded"] == [{"start": 12, "stop": 23, "count": 2, "most": 500}]


PROGRAM = """
import sys, time
from workers.memory_limit import within_memory
limit, within, after = map(float, sys.argv[1:])
with within_memory(limit, sys.stderr):
    kept = bytearray(int(within * 1e9))
    time.sleep(1.0)
kept += bytearray(int(after * 1e9))
time.sleep(0.6)
"""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["5", "0.2", "0"], 0), (["0.15", "0.2", "0"], EXIT_CODE), (["0.15", "0", "0.2"], 0)],
    ids=["within", "over", "over once the unit is done"],
)
def test_only_work_on_a_unit_that_takes_too_much_memory_ends_the_process(
    arguments: list[str], code: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == code, done.stderr
    assert ("GB of memory" in done.stderr) == bool(code)
