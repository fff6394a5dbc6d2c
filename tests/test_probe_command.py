"""`annotate probe` and `submit --dry-run`: what is in a video, against how it was made."""

import json
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from annotate.domain.errors import ExitCode
from annotate.domain.options import SubmitOptions
from annotate.domain.progress import silent
from annotate.numeric.chunking import model_core_seconds
from annotate.use_cases.find_pack import installed_pack
from annotate.use_cases.find_videos import find_videos
from annotate.use_cases.probe_videos import VideoFacts, has_variable_rate, probe_videos
from tests.command import Host
from tests.in_process import InProcess
from tests.made_videos import LAYOUTS, Layout

PQ = {"x264-params": "transfer=smpte2084:colorprim=bt2020:colormatrix=bt2020nc"}
HLG = {"x264-params": "transfer=arib-std-b67:colorprim=bt2020:colormatrix=bt2020nc"}


def probed(host: Host, *videos: Path, code: int = 0) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads(host.run("probe", *videos, "--json", code=code).out)
    return content


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
    assert "an estimate" in said.out
    assert "Nothing was submitted" in said.out
    assert "No jobs" in host.run("jobs").out
    # What was read is not read again.
    assert "1 of 1 videos done, 80 frames" in host.run("submit", host.home, "--fps", "10").out


def test_the_expected_time_follows_the_work(host: Host, walk: Path) -> None:
    def expected(**options: Any) -> float:
        found = find_videos([walk])
        (one,) = probe_videos(
            host.opened(), found, SubmitOptions(**options), host.settings(), silent
        )
        assert isinstance(one, VideoFacts)
        assert one.core_s is not None
        return one.core_s

    usual = expected()
    # 240 frames of one or two people: docs/speed.md has 12.5 and 20.5 core-ms a frame, on a core
    # whose bare landmark model takes 5.7.
    landmark = installed_pack(host.settings().packs, None) / "pose_landmark_full.onnx"
    bare = 240 * model_core_seconds(landmark.stat().st_size, 256 * 256)
    assert 12.5 / 5.7 * bare < usual < 20.5 / 5.7 * bare
    assert expected(people="all") > 2 * usual
    assert expected(end=4.0) == pytest.approx(usual / 2, rel=0.01)


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
