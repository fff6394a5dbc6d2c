"""`annotate probe` and `submit --dry-run`: what is in a video, against how it was made."""

import json
import re
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from annotate.domain.errors import ExitCode
from annotate.use_cases.probe_videos import has_variable_rate
from tests.command import Host
from tests.in_process import InProcess
from tests.made_videos import LAYOUTS, Layout

PQ = {"x264-params": "transfer=smpte2084:colorprim=bt2020:colormatrix=bt2020nc"}
# People come and go in the walk, so that eight frames tell only about how many there are.
SAME_SIZE = 0.35
HLG = {"x264-params": "transfer=arib-std-b67:colorprim=bt2020:colormatrix=bt2020nc"}


def probed(host: Host, *videos: Path, code: int = 0) -> list[dict[str, Any]]:
    content = json.loads(host.run("probe", *videos, "--json", code=code).out)
    assert content["cost"] is None, "a host without packs"
    found: list[dict[str, Any]] = content["videos"]
    return found


@pytest.fixture
def bare(tmp_path: Path) -> Host:
    """A host without packs: looking at videos needs none."""
    return Host(tmp_path / "store", tmp_path / "packs", tmp_path)


def test_the_facts_are_those_of_how_a_video_was_made(bare: Host, tmp_path: Path) -> None:
    plain = Layout(".mp4", frames=25).make(tmp_path / "plain.mp4").path
    turned = LAYOUTS["displayed turned by 90 degrees"].make(tmp_path / "turned.mp4").path
    variable = LAYOUTS["H.264 with variable frame rate"].make(tmp_path / "variable.mp4").path
    pq = Layout(".mp4", options=PQ).make(tmp_path / "pq.mp4").path
    hlg = Layout(".mkv", options=HLG, pix_fmt="yuv420p10le").make(tmp_path / "hlg.mkv").path
    fields = Layout(".mp4", options={"x264-params": "tff=1"}).make(tmp_path / "fields.mp4").path
    by_name = {
        Path(one["path"]).stem: one
        for one in probed(bare, plain, turned, variable, pq, hlg, fields)
    }
    assert by_name["plain"] | {"fingerprint": "", "size_bytes": 0, "estimated_core_s": 0} == {
        "path": str(plain),
        "rejected": None,
        "fingerprint": "",
        "size_bytes": 0,
        "stream": 0,
        "video_streams": [0],
        "codec": "h264",
        "pixel_format": "yuv420p",
        "stored_width": 160,
        "stored_height": 120,
        "width": 160,
        "height": 120,
        "rotation": 0,
        "mirrored": False,
        "pixel_aspect": "1",
        "crop": {"left": 0, "top": 0, "right": 0, "bottom": 0},
        "frames": 25,
        "declared_frames": 25,
        "selected_frames": 25,
        "fps": 25.0,
        "duration_s": 0.96,
        "time_base": by_name["plain"]["time_base"],
        "variable_rate": False,
        "interlaced": False,
        "hdr": None,
        "missing_s": 0.0,
        "undecodable": 0,
        "interpolated": 0,
        "assumed_fps": None,
        "image_gaps": None,
        "estimated_core_s": 0,
    }
    sizes = ("stored_width", "stored_height", "width", "height", "rotation")
    assert [by_name["turned"][size] for size in sizes] == [120, 160, 160, 120, 90]
    assert [name for name, one in by_name.items() if one["variable_rate"]] == ["variable"]
    assert [name for name, one in by_name.items() if one["interlaced"]] == ["fields"]
    assert {name: one["hdr"] for name, one in by_name.items() if one["hdr"]} == {
        "pq": "PQ",
        "hlg": "HLG",
    }


def test_it_counts_what_libav_decodes_in_the_real_cases(bare: Host, shared_data: Path) -> None:
    cases = shared_data / "cases"
    names = ("09_torchcodec_nasa_13013.mp4", "21_two_pal169_720.mp4", "12_encrypted_cenc.mp4")
    nasa, pal, encrypted = probed(bare, *(cases / n for n in names), code=ExitCode.PARTIAL)
    with av.open(str(cases / names[0])) as container:
        stream = container.streams.best("video")
        assert stream is not None
        assert (nasa["stream"], nasa["frames"]) == (
            stream.index,
            sum(1 for _ in container.decode(stream)),
        )
    assert len(nasa["video_streams"]) == 2
    assert Fraction(pal["pixel_aspect"]) == Fraction(64, 45)
    assert (pal["stored_width"], pal["width"]) == (720, 1024)
    assert "is encrypted" in encrypted["rejected"]["reason"]
    assert encrypted["rejected"]["hint"]


def test_a_table_names_what_is_unusual_and_the_expected_time(bare: Host, tmp_path: Path) -> None:
    turned = LAYOUTS["displayed turned by 90 degrees"].make(tmp_path / "turned.mp4").path
    (tmp_path / "notes.mp4").write_text("text")
    said = bare.run("probe", turned, tmp_path / "notes.mp4", code=ExitCode.PARTIAL)
    assert "turned by 90" in said.out
    assert "120x160" in said.out
    assert "160x120" in said.out
    assert "annotate models pull" in said.out
    assert said.out.count("turned.mp4") == 1
    assert "notes.mp4 is not a video file" in said.err
    assert bare.run("probe", tmp_path / "notes.mp4", code=ExitCode.BAD_VIDEO).out == ""


def test_a_dry_run_submits_nothing_and_knows_the_options(host: Host, walk: Path) -> None:
    shutil.copy(walk, host.home / "walk.mp4")
    said = host.run("submit", host.home, "--dry-run", "--fps", "10")
    assert "80 frames selected" in said.out
    assert "Estimate for blazepose-full, --people near, --detect-every 5, and " in said.out
    assert re.search(r"about \d+(\.\d)? core-(seconds|minutes)", said.out)
    assert "Nothing was submitted" in said.out
    assert "No jobs" in host.run("jobs").out
    # What was read is not read again.
    assert "1 of 1 videos done, 80 frames" in host.run("submit", host.home, "--fps", "10").out


def test_the_expected_cost_follows_the_options(host: Host, walk: Path) -> None:
    def cost(*options: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(host.run("probe", walk, "--json", *options).out)["cost"]
        return found

    usual, half = cost(), cost("--end", "4", "--detect-every", "1")
    assert 1 <= usual["people_a_frame"] <= 2
    assert usual["sampled_frames"] == 8
    assert (usual["frames"], half["frames"]) == (240, 120)
    assert (usual["runs"]["detector"], half["runs"]["detector"]) == (48, 120)
    assert usual["total_core_s"] == pytest.approx(sum(usual["core_s"].values()), abs=0.3)
    timed = sum(usual["runs"][stage] * ms for stage, ms in usual["model_ms"].items()) / 1e3
    assert usual["core_s"]["models"] == pytest.approx(timed, abs=0.1)
    assert usual["npus"][0]["soc"] == "Snapdragon X Elite"
    assert not usual["npus"][0]["scaled"]


def test_the_expected_sizes_are_those_of_the_files(host: Host, walk: Path) -> None:
    expected = json.loads(host.run("probe", walk, "--json").out)["cost"]["disk_b"]
    host.run("submit", walk, "--processes", "1")
    host.run("export", "--out", "people.json")
    results = Path(host.store) / "results"
    found = {
        what: sum(file.stat().st_size for file in results.rglob(f"{what}/*.parquet"))
        for what in ("parts", "tracks")
    }
    found["coco"] = (host.home / "people.json").stat().st_size
    assert expected.keys() == found.keys()
    for what, size in found.items():
        assert expected[what] == pytest.approx(size, rel=SAME_SIZE), what


@pytest.mark.parametrize(
    ("pts", "variable"),
    [
        ([0], False),
        ([0, 1, 2, 3], False),
        ([0, 33, 67, 100, 133], False),
        ([0, 33, 67, 133, 167], True),
        ([0, 3003, 6006, 9009, 9909], True),
    ],
)
def test_a_rate_varies_by_more_than_rounding(pts: list[int], variable: bool) -> None:
    assert has_variable_rate(np.array(pts)) == variable


def test_a_submission_that_is_interrupted_while_it_reads_says_how_to_continue(
    tmp_path: Path, blazepose_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Layout(".mp4", frames=3).make(tmp_path / "video.mp4").path

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("annotate.use_cases.submit.read_videos", interrupted)
    said = InProcess(tmp_path, blazepose_pack.parent).run("submit", path)
    assert said.code == ExitCode.INTERRUPTED
    assert "Run the same command to continue: what was read is kept" in said.text
