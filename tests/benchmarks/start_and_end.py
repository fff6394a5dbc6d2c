"""What `annotate submit` of a short clip takes beside its work, from shell to prompt.

    python -m tests.benchmarks.start_and_end CLIP... [--frames 30] [--rounds 3] [--against FOLDER]

Submits the first frames of each clip into fresh stores, as a shell does, and does the same frames
in one process whose libraries and models are loaded: decoding and both models on one core. Medians
of the rounds. With `--against`, another checkout of this program takes turns with this one. Without
clips, a made one of 640x360 is taken. ANNOTATE_PACKS holds blazepose-full.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from annotate.domain.pack import read_pack
from annotate.domain.settings import settings_from
from annotate.domain.video import Chunk
from annotate.inference import load_models
from annotate.pipeline import PoseEstimator
from annotate.synthetic.film import render_video
from annotate.video import decode, probe
from annotate.video.writer import Encoding
from tests.made_scenes import walk_scene
from workers.process import prepare_process

PACK, DETECT_EVERY = "blazepose-full", 5
ROOT = Path(__file__).parents[2]


def made_clip(folder: Path) -> Path:
    """Three seconds of two people who walk, 640x360."""
    clip = folder / "made.mp4"
    render_video(replace(walk_scene(seconds=3), width=640, height=360), clip, Encoding(gop=30))
    return clip


def cut(clip: Path, frames: int, folder: Path) -> Path:
    """The first frames of a clip, encoded again."""
    short = folder / f"{clip.stem}-{frames}.mp4"
    command = ["ffmpeg", "-v", "error", "-i", str(clip), "-frames:v", str(frames), str(short)]
    subprocess.run(command, check=True)
    return short


def work_s(clip: Path) -> float:
    """Seconds of the clip's work in this process, with loaded models."""
    folder = settings_from().packs / PACK
    prepare_process()
    estimator = PoseEstimator(load_models(read_pack(folder), folder), detect_every=DETECT_EVERY)
    index = probe(clip)
    took = []
    for _ in range(2):  # the first one is slower
        began = time.perf_counter()
        estimator.run(decode(clip, index, Chunk(0, len(index))), index)
        took.append(time.perf_counter() - began)
    return took[1]


def taken(checkout: Path, *arguments: str) -> tuple[float, float]:
    """Seconds on the wall and of the processor that a command takes, in a store of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {
            **os.environ,
            "PYTHONPATH": str(checkout),
            "ANNOTATE_STORE": f"{folder}/store",
            "ANNOTATE_CACHE": f"{folder}/cache",
            "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "start-and-end"),
        }
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        before, began = core_s(), time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "annotate", *arguments],
            check=True,
            capture_output=True,
            env=environ,
            cwd=folder,
        )
        return time.perf_counter() - began, core_s() - before


def core_s() -> float:
    """Processor seconds of the commands that have ended, and of their processes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path, nargs="*")
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--against", type=Path, metavar="FOLDER")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="annotate-start-"))
    checkouts = {"this": ROOT} | ({"against": asked.against} if asked.against else {})
    try:
        clips = [cut(clip, asked.frames, folder) for clip in asked.clips] or [made_clip(folder)]
        commands: dict[str, tuple[str, ...]] = {
            clip.name: ("submit", str(clip), "--pack", PACK) for clip in clips
        }
        commands |= {"--help": ("--help",), "jobs": ("jobs",)}
        spent = defaultdict(list)
        for _ in range(asked.rounds + 1):
            for name, command in commands.items():
                for which, checkout in checkouts.items():
                    spent[name, which].append(taken(checkout, *command))
        for clip in clips:
            print(f"{clip.name}: the work alone {work_s(clip):.2f} s")
        for (name, which), pairs in spent.items():
            wall, core = (statistics.median(one) for one in zip(*pairs[1:], strict=True))
            least = min(pair[0] for pair in pairs[1:])
            print(f"{name:24} {which:8} {wall:5.2f} s (least {least:.2f}), {core:5.2f} core-s")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
