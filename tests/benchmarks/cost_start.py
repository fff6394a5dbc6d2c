"""What a job takes however short it is: start and end, a worker process, a video."""

import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from annotate.packs.blazepose import NAME
from annotate.synthetic.film import render_video
from annotate.video.writer import Encoding
from tests.benchmarks.many_clips import make_clips
from tests.benchmarks.ways import submit
from tests.made_scenes import walk_scene

FPS = 10
# Next to nothing of what is measured.
FRAMES = 1
CLIPS = 20


def measure_start(_videos: list[Path], repeats: int) -> Iterator[tuple[str, float]]:
    """Seconds of one core."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = folder / "clip.mp4"
        render_video(walk_scene(FRAMES / FPS, FPS), clip, Encoding(fps=Fraction(FPS)))
        few, many = folder / "few", folder / "many"
        make_clips(few, clip, 2)
        make_clips(many, clip, CLIPS)

        def core_s(videos: Path, processes: int) -> float:
            runs = (submit(videos, 1, processes, NAME) for _ in range(repeats))
            return min(run.core_ms for run in runs) / 1e3

        one, two = core_s(few / "00000.mp4", 1), core_s(few, 2)
        video_s = (core_s(many, 1) - one) / (CLIPS - 1)
    process_s = two - one - video_s
    yield "video_s", video_s
    yield "process_s", process_s
    yield "start_s", one - process_s - video_s
