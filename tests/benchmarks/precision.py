"""What a frame costs in float and in bfloat16, and against MediaPipe.

    python -m tests.benchmarks.precision PACK_FOLDER VIDEO [--detect-every N] [--mediapipe PYTHON]
        [--repeats 3]

The whole pipeline in one process, models loaded before; the ways run in turns, and medians of
core-milliseconds are printed. `poses` is the number of poses a frame, `frames with most` how many
frames have as many people as any.
"""

import argparse
import json
import os
import statistics
import subprocess
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from annotate.domain.arrays import IntArray
from annotate.domain.options import SubmitOptions
from annotate.domain.pack import read_pack
from annotate.domain.video import Chunk
from annotate.inference import Models, load_models
from annotate.pipeline import PoseEstimator
from annotate.use_cases.submit import recipe_of
from annotate.video import decode, probe
from workers.process import prepare_process

SCRIPT = Path(__file__).with_name("mediapipe_pose.py")


def whole(path: Path, models: Models, options: SubmitOptions) -> tuple[float, IntArray]:
    """Core-milliseconds a frame, and the number of people of every frame."""
    index, recipe = probe(path), recipe_of(models.pack, options)
    estimator = PoseEstimator(models, people=recipe.people, detect_every=recipe.detect_every)
    frames = decode(path, index, Chunk(0, len(index)))
    began = time.process_time()
    poses = estimator.run(frames, index)
    return (time.process_time() - began) / len(index) * 1000, np.diff(poses.offsets)


def mediapipe(python: Path, path: Path) -> float:
    """Core-milliseconds a frame of MediaPipe when tracking."""
    environ = {key: os.environ[key] for key in ("HOME", "PATH")}
    out = subprocess.check_output(
        [python, SCRIPT, path, "tracking"], stderr=subprocess.DEVNULL, env=environ
    )
    said = json.loads(out)
    return float(said["core_seconds"] / said["frames"] * 1000)


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("video", type=Path)
    parser.add_argument("--detect-every", type=int)
    parser.add_argument("--mediapipe", type=Path, metavar="PYTHON")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    prepare_process()
    pack, options = read_pack(arguments.pack), SubmitOptions(detect_every=arguments.detect_every)
    models = {
        "float": load_models(pack, arguments.pack),
        "bf16": load_models(pack, arguments.pack, precision="bf16"),
    }
    spent: dict[str, list[float]] = defaultdict(list)
    people = {}
    for _ in range(arguments.repeats):
        for name, one in models.items():
            ms, people[name] = whole(arguments.video, one, options)
            spent[name].append(ms)
        if arguments.mediapipe:
            spent["MediaPipe"].append(mediapipe(arguments.mediapipe, arguments.video))
    print("| | core-ms a frame | poses | frames with most | poses a core-second / MediaPipe |")
    print("|---|---|---|---|---|")
    for name, counts in people.items():
        ms, poses = statistics.median(spent[name]), float(counts.mean())
        ratio = statistics.median(spent["MediaPipe"]) / ms * poses if "MediaPipe" in spent else 0
        most = int((counts == counts.max()).sum())
        print(f"| {name} | {ms:.1f} | {poses:.2f} | {most} of {len(counts)} | {ratio:.2f} |")
    if "MediaPipe" in spent:
        print(f"| MediaPipe, tracking | {statistics.median(spent['MediaPipe']):.1f} | | | |")


if __name__ == "__main__":
    main()
