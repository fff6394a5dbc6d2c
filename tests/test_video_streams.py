"""Files with several video streams: the best one is annotated, or the one that was chosen."""

import json
from pathlib import Path

import pytest

from annotate.domain.errors import ExitCode, VideoError
from annotate.domain.video import Chunk
from annotate.video import decode, probe
from tests.command import Host
from tests.made_films import two_streams as films
from tests.made_videos import number_of

SIZES = [(160, 120), (200, 160)]
FRAMES = [6, 8]


def two_streams(path: Path, default: int) -> Path:
    """A file whose two video streams have `SIZES` and `FRAMES`; one is marked as default."""
    return films(path, SIZES, FRAMES, default)


@pytest.mark.parametrize("default", [0, 1])
def test_the_default_stream_is_the_best_one(default: int, tmp_path: Path) -> None:
    index = probe(two_streams(tmp_path / "two.mkv", default))
    assert (index.stream, index.video_streams) == (default, (0, 1))
    assert ((index.width, index.height), len(index)) == (SIZES[default], FRAMES[default])


def test_the_best_stream_of_a_public_file_is_not_the_first(shared_data: Path) -> None:
    index = probe(shared_data / "cases" / "09_torchcodec_nasa_13013.mp4")
    assert (len(index), index.width, index.height) == (390, 480, 270)


@pytest.mark.parametrize("stream", [0, 1])
def test_a_chosen_stream_is_probed_and_decoded(stream: int, tmp_path: Path) -> None:
    path = two_streams(tmp_path / "two.mkv", default=1)
    index = probe(path, stream=stream)
    frames = list(decode(path, index, Chunk(0, len(index))))
    assert [number_of(frame.rgb) for frame in frames] == list(range(FRAMES[stream]))
    width, height = SIZES[stream]
    assert {frame.rgb.shape for frame in frames} == {(height, width, 3)}


def test_a_stream_that_is_not_a_video_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    path = two_streams(tmp_path / "two.mkv", default=1)
    with pytest.raises(VideoError, match=r"stream 7 of .* is not a video") as caught:
        probe(path, stream=7)
    assert "0, 1" in caught.value.hint


def test_the_command_says_which_stream_it_takes_and_takes_another(
    host: Host, tmp_path: Path
) -> None:
    path = two_streams(tmp_path / "two.mkv", default=1)
    best = host.run("submit", path)
    assert "two.mkv: stream 1 is annotated; it also has 0" in best.err
    chosen = host.run("submit", path, "--stream", "0")
    assert "two.mkv: stream 0 is annotated; it also has 1" in chosen.err
    content = json.loads(host.exported())
    assert (content["videos"][0]["width"], len(content["images"])) == (SIZES[0][0], FRAMES[0])
    assert "No person was found" in host.run("export", "--out", tmp_path / "x.json").err
    absent = host.run("submit", path, "--stream", "5", code=ExitCode.BAD_VIDEO)
    assert "stream 5" in absent.err
