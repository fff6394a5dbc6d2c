"""The benchmark `throughput`: the names of what it prints, and why it refuses to compare."""

import json
import os
import sys
from pathlib import Path

import pytest

from annotate.packs.blazepose import NAME
from annotate.synthetic.film import render_video
from annotate.video.writer import Encoding
from tests.benchmarks import throughput
from tests.benchmarks.peers import PEERS, LacksError, peer_cost
from tests.benchmarks.ways import Cost
from tests.made_scenes import walk_scene

FRAMES = 5
# Rows of the packs that every host has, by which other programs follow what changes.
ROWS = {
    "bare decode",
    "bare copy",
    "bare detector",
    "bare landmarks",
    "whole, detector every 1",
    "whole, detector every 5",
    "whole, detector every 30",
    "whole, all people, detector every 10",
}
RATIOS = {f"whole / bare, detector every {every}" for every in (1, 5, 30)} | {
    "whole / bare, all people, detector every 10"
}


@pytest.fixture
def packs(blazepose_pack: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ANNOTATE_PACKS", str(blazepose_pack.parent))
    return blazepose_pack.parent


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("short") / "short.mp4"
    render_video(walk_scene(FRAMES / 30), path, Encoding())
    return path


def reason(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> str:
    """Why the benchmark ended."""
    monkeypatch.setattr(sys, "argv", ["throughput", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        throughput.main()
    return str(ended.value)


@pytest.mark.usefixtures("packs")
def test_its_names_are_stable(
    short: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--repeats", "1", "--json", "--no-submit", "--only-pack", NAME]
    monkeypatch.setattr(sys, "argv", ["throughput", str(short), *arguments])
    throughput.main()
    report = json.loads(capsys.readouterr().out)["short.mp4"]
    assert set(report["costs"]) == ROWS
    assert set(report["ratios"]) == RATIOS
    assert all(ratio > 0 for ratio in report["ratios"].values())
    assert {row for peer in PEERS for row in peer.rows()} == set(report["lacks"])
    assert report["lacks"]["MediaPipe tracking"] == "no --mediapipe PYTHON was given"


def test_a_host_without_the_pack_is_told_how_to_get_it(
    short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANNOTATE_PACKS", str(tmp_path))
    assert "annotate models pull" in reason(monkeypatch, short)


@pytest.mark.usefixtures("packs")
def test_what_is_no_video_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "missing.mp4"
    assert f"{missing} is no video to measure with" in reason(monkeypatch, missing)
    notes = tmp_path / "notes.mp4"
    notes.write_text("text")
    assert f"{notes} is no video to measure with" in reason(monkeypatch, notes)


def test_an_interpreter_that_cannot_be_run_or_lacks_the_program_is_named(
    short: Path, tmp_path: Path
) -> None:
    peer = PEERS[1]
    with pytest.raises(SystemExit, match=r"--rtmlib .* cannot be run: No such file"):
        peer_cost(peer, tmp_path / "python", short, "balanced")
    with pytest.raises(SystemExit) as ended:
        peer_cost(peer, Path(sys.executable), short, "balanced")
    assert "ModuleNotFoundError: No module named 'rtmlib'" in str(ended.value)
    assert "pip install rtmlib" in str(ended.value)


@pytest.mark.skipif(os.name == "nt", reason="the made interpreter is a shell script")
def test_a_program_says_what_it_lacks_or_how_many_people_it_finds(
    short: Path, tmp_path: Path
) -> None:
    python = tmp_path / "python"

    def said(text: str) -> Path:
        python.write_text(f"#!/bin/sh\necho '{text}'\n")
        python.chmod(0o755)
        return python

    with pytest.raises(LacksError, match="its weights"):
        peer_cost(PEERS[1], said('{"lacks": "its weights"}'), short, "balanced")
    figures = '{"frames": 10, "poses": 5, "seconds": 1.0, "core_seconds": 2.0}'
    found = peer_cost(PEERS[1], said(figures), short, "balanced")
    assert (found.core_ms, found.wall_ms, found.more) == (200.0, 100.0, {"poses": 0.5})


def of_poses(poses: float) -> Cost:
    return Cost(1.0, 1.0, {"poses": poses})


def test_unequal_people_are_not_compared() -> None:
    same = {f"whole, detector every {every}": of_poses(1.0) for every in throughput.EVERY}
    throughput.check_people("v.mp4", {**same, "MediaPipe static": of_poses(1.0)})
    with pytest.raises(SystemExit, match="nobody is found by whole, detector every 5"):
        throughput.check_people("v.mp4", {**same, "whole, detector every 5": of_poses(0.0)})
    submits = {"submit, 1 process": of_poses(1.0), "submit, 2 processes": of_poses(0.9)}
    with pytest.raises(SystemExit, match="one process and two find different people"):
        throughput.check_people("v.mp4", {**same, **submits})
    fewer = {**same, "whole, detector every 30": of_poses(0.5)}
    with pytest.raises(SystemExit, match=r"every 30 finds 0\.50 poses a frame, MediaPipe static"):
        throughput.check_people("v.mp4", {**fewer, "MediaPipe static": of_poses(1.0)})


def test_runs_that_differ_are_not_averaged() -> None:
    with pytest.raises(SystemExit, match=r"two runs find 0\.900 and 1\.000 poses a frame"):
        throughput.median_cost("whole", [of_poses(1.0), of_poses(0.9)])


def test_poses_are_compared_as_each_program_finds_them() -> None:
    costs = {
        "bare decode": Cost(1.0, 1.0),
        "bare detector": Cost(2.0, 2.0),
        "bare landmarks": Cost(3.0, 3.0),
        **{
            f"whole, detector every {every}": Cost(
                10.0,
                10.0,
                {"poses": 2.0, "runs of detector": 1 / every, "runs of landmarks": 2.0},
            )
            for every in throughput.EVERY
        },
        "MediaPipe static": Cost(30.0, 30.0, {"poses": 1.0}),
        "MediaPipe tracking": Cost(20.0, 20.0, {"poses": 0.5}),
    }
    found = throughput.ratios(costs)
    assert found["whole / bare, detector every 5"] == pytest.approx(10 / (1 + 2 / 5 + 6))
    assert found["frames a core-second, every 1 / MediaPipe static"] == pytest.approx(3)
    assert found["poses a core-second, every 1 / MediaPipe static"] == pytest.approx(6)
    assert found["poses a core-second, every 30 / MediaPipe tracking"] == pytest.approx(8)
