"""The command that makes the picture of the README."""

from dataclasses import replace
from pathlib import Path

import av

from annotate.synthetic import demo_scene
from annotate.synthetic.film import render_video
from tests.benchmarks.picture import FPS, MAX_BYTES, WIDTH, main

README_PICTURE = Path(__file__).parents[1] / "docs" / "demo.gif"


def test_a_video_becomes_a_small_animated_gif(tmp_path: Path) -> None:
    scene = replace(demo_scene(1.0), width=320, height=240)
    render_video(scene, tmp_path / "overlay.mp4")
    main(tmp_path / "overlay.mp4", tmp_path / "new" / "demo.gif")
    with av.open(str(tmp_path / "new" / "demo.gif")) as container:
        frames = list(container.decode(video=0))
    assert len(frames) == FPS
    assert (frames[0].width, frames[0].height) == (WIDTH, 240)


def test_the_picture_of_the_readme_is_small() -> None:
    assert README_PICTURE.read_bytes().startswith(b"GIF89a")
    assert README_PICTURE.stat().st_size <= MAX_BYTES
