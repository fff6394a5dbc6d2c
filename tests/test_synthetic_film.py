"""Scenes as video files: the frames, their times, and the truth that goes with them."""

from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from annotate.domain.errors import VideoError
from annotate.domain.video import Chunk, VideoIndex
from annotate.synthetic import Renderer, Scene, demo_scene, steady_times, truth, uneven_times
from annotate.synthetic.film import render_video
from annotate.video import decode, probe
from annotate.video.writer import Encoding

MEAN_DIFFERENCE = 4.0  # of 255, between a frame and what the codec made of it


@pytest.fixture
def scene() -> Scene:
    return replace(demo_scene(), width=160, height=120, times_s=steady_times(25, 0.6))


def assert_shows(path: Path, index: VideoIndex, scene: Scene) -> None:
    renderer = Renderer(scene)
    frames = list(decode(path, index, Chunk(0, len(index))))
    assert len(frames) == len(scene)
    for frame in frames:
        drawn = renderer.frame(frame.index)
        assert np.abs(frame.rgb.astype(int) - drawn).mean() < MEAN_DIFFERENCE


def test_a_video_shows_the_scene_at_its_rate_and_tells_the_truth(
    scene: Scene, tmp_path: Path
) -> None:
    path = tmp_path / "walk.mp4"
    known = render_video(scene, path, Encoding(fps=Fraction(25), gop=5))
    index = probe(path)
    np.testing.assert_allclose(index.time_s, scene.frame_times(), atol=1e-9)
    assert list(index.keyframes) == [0, 5, 10]
    assert_shows(path, index, scene)
    for field in fields(known):
        np.testing.assert_array_equal(getattr(known, field.name), getattr(truth(scene), field.name))


@pytest.mark.parametrize(
    "times",
    [uneven_times(30, 0.6, seed=2), steady_times(60, 0.25)],
    ids=["uneven", "another rate than the encoding's"],
)
def test_frames_keep_the_times_of_the_scene(
    times: tuple[float, ...], scene: Scene, tmp_path: Path
) -> None:
    path, timed = tmp_path / "walk.mp4", replace(scene, times_s=times)
    render_video(timed, path)
    index = probe(path)
    np.testing.assert_allclose(index.time_s, timed.frame_times(), atol=1e-4)
    assert_shows(path, index, timed)


@pytest.mark.parametrize(
    ("suffix", "encoding"),
    [
        (".mp4", Encoding(rotation=90)),
        (".mkv", Encoding(codec="ffv1", pix_fmt="yuv444p")),
        (".webm", Encoding(codec="libvpx-vp9", options={"deadline": "realtime"})),
    ],
    ids=["rotated", "lossless", "VP9"],
)
def test_any_encoding_shows_the_same_scene(
    suffix: str, encoding: Encoding, scene: Scene, tmp_path: Path
) -> None:
    path = tmp_path / f"walk{suffix}"
    render_video(scene, path, replace(encoding, fps=Fraction(25)))
    index = probe(path)
    assert (index.width, index.height, index.rotation) == (160, 120, encoding.rotation)
    assert_shows(path, index, scene)


def test_progress_is_reported_after_every_frame(scene: Scene, tmp_path: Path) -> None:
    reported: list[float] = []
    render_video(
        replace(scene, times_s=(0.0, 0.1)), tmp_path / "walk.mp4", progress=reported.append
    )
    assert reported == [0.5, 1.0]


def test_a_file_that_cannot_be_written_is_a_clear_error(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="missing"):
        render_video(scene, tmp_path / "missing" / "walk.mp4")
