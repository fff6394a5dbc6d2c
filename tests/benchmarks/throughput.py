"""What a frame costs, against the sum of what it cannot do without, and against MediaPipe.

    python -m tests.benchmarks.throughput VIDEO... [--mediapipe PYTHON] [--repeats 5] [--json]

Everything is measured in one run, in turns, so that a noisy machine disturbs all alike; medians are
printed. Core-milliseconds are processor time of all threads and processes.

- bare: libav's decoder and each model alone, on one core;
- whole: the pipeline in one process, models loaded before, with the detector on every frame, every
  5th and every 30th;
- submit: the command itself, starting and merging included, on a longer video made of the same
  packets, with one process and with two;
- MediaPipe: where `--mediapipe` names a Python that has it.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import psutil

from annotate.domain.arrays import FloatArray
from annotate.domain.pack import read_pack
from annotate.domain.settings import settings_from
from annotate.domain.video import Chunk, Frame, VideoIndex
from annotate.inference import Model, Models, load_models
from annotate.packs.blazepose import NAME
from annotate.pipeline import PoseEstimator
from annotate.video import VideoFile, decode, probe
from tests.benchmarks.looped import looped
from workers.process import prepare_process

EVERY = (1, 5, 30)
# Two minutes, so that starting and merging are as small a part as in most jobs. Two processes get
# the same share of it: chunks begin at multiples of 300 frames.
LONG_FRAMES = 3600
POSES = "poses"
SCRIPT = Path(__file__).with_name("mediapipe_pose.py")


@dataclass(frozen=True)
class Cost:
    """Of one run: core-milliseconds and wall milliseconds a frame, more where it is known."""

    core_ms: float
    wall_ms: float
    more: dict[str, float]


class Clock:
    """Core-milliseconds by stage, and runs by model."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = defaultdict(float)
        self.runs: dict[str, int] = defaultdict(int)

    def model(self, stage: str, model: Model) -> Model:
        """The model, timed."""
        clock = self

        class Timed(Model):
            def __init__(self) -> None:
                pass

            def run(self, image: FloatArray) -> list[FloatArray]:
                began = time.thread_time()
                outputs = model.run(image)
                clock.ms[stage] += (time.thread_time() - began) * 1000
                clock.runs[stage] += 1
                return outputs

        return Timed()

    def frames(self, stage: str, frames: Iterator[Frame]) -> Iterator[Frame]:
        """The frames, timed."""
        while True:
            began = time.thread_time()
            frame = next(frames, None)
            self.ms[stage] += (time.thread_time() - began) * 1000
            if frame is None:
                return
            yield frame


def cost(frames: int, run: Callable[[], dict[str, float] | None]) -> Cost:
    """Of one run in this process."""
    began, cpu = time.perf_counter(), time.process_time()
    more = run() or {}
    cpu, wall = time.process_time() - cpu, time.perf_counter() - began
    return Cost(cpu / frames * 1000, wall / frames * 1000, more)


def bare_decode(path: Path) -> None:
    """Decodes every picture of the file, and does nothing with it."""
    with VideoFile(path) as video:
        for _ in video.frames(video.packets()):
            pass


def bare_model(model: Model, size: tuple[int, int], frames: int) -> None:
    """As many runs as the video has frames."""
    image = np.zeros((*size[::-1], 3), np.float32)
    for _ in range(frames):
        model.run(image)


def whole(path: Path, index: VideoIndex, models: Models, every: int) -> dict[str, float]:
    """From file to poses; a frame's core-milliseconds by stage, runs by model, and poses."""
    clock = Clock()
    timed = replace(
        models,
        detector=clock.model("detector", models.detector),
        landmark=clock.model("landmarks", models.landmark),
    )
    frames = decode(path, index, Chunk(0, len(index)))
    began = time.thread_time()
    estimator = PoseEstimator(timed, detect_every=every)
    poses = estimator.run(clock.frames("decode and RGB", frames), index)
    total = (time.thread_time() - began) * 1000
    found = {
        **clock.ms,
        "between": total - sum(clock.ms.values()),
        **{_runs(stage): runs for stage, runs in clock.runs.items()},
        POSES: len(poses.score),
    }
    return {what: value / len(index) for what, value in found.items()}


def _runs(stage: str) -> str:
    return f"runs of {stage}"


def submit(path: Path, frames: int, processes: int) -> Cost:
    """The command, with a store of its own; the greatest resident size of a process beside."""
    with tempfile.TemporaryDirectory() as store:
        command = [sys.executable, "-m", "annotate", "submit", str(path), "--store", store]
        began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        process = subprocess.Popen(
            [*command, "--processes", str(processes)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        peak = _peak_mb(process)
        wall = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(f"annotate submit ended with {process.returncode}")
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    return Cost(cpu / frames * 1000, wall / frames * 1000, {"peak MB of a process": peak})


def _peak_mb(process: "subprocess.Popen[bytes]") -> float:
    peak, root = 0, psutil.Process(process.pid)
    while process.poll() is None:
        for one in [root, *root.children(recursive=True)]:
            try:
                peak = max(peak, one.memory_info().rss)
            except psutil.NoSuchProcess:
                continue
        time.sleep(0.2)
    return peak / 1e6


def mediapipe(python: Path, path: Path, mode: str) -> Cost:
    """MediaPipe's own pipeline, decoding with OpenCV, models loaded before."""
    out = subprocess.run(
        [python, SCRIPT, path, mode],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={key: os.environ[key] for key in ("HOME", "PATH")},
    ).stdout
    said = json.loads(out)
    return Cost(
        said["core_seconds"] / said["frames"] * 1000, said["seconds"] / said["frames"] * 1000, {}
    )


def measure(path: Path, models: Models, python: Path | None, repeats: int) -> dict[str, Cost]:
    """The median cost of every way, run in turns."""
    index = probe(path)
    frames, pack = len(index), models.pack
    with tempfile.TemporaryDirectory() as folder:
        times = max(1, round(LONG_FRAMES / frames))
        long = looped(path, times, Path(folder) / path.name)
        ways: dict[str, Callable[[], Cost]] = {
            "bare decode": lambda: cost(frames, lambda: bare_decode(path)),
            "bare detector": lambda: cost(
                frames, lambda: bare_model(models.detector, pack.detector.size, frames)
            ),
            "bare landmarks": lambda: cost(
                frames, lambda: bare_model(models.landmark, pack.landmark.size, frames)
            ),
        }
        for every in EVERY:
            ways[f"whole, detector every {every}"] = partial(
                cost, frames, partial(whole, path, index, models, every)
            )
        for count in (1, 2):
            name = f"submit, {count} process{'es' * (count > 1)}"
            ways[name] = partial(submit, long, times * frames, count)
        if python is not None:
            for mode in ("static", "tracking"):
                ways[f"MediaPipe {mode}"] = partial(mediapipe, python, path, mode)
        runs = [{name: way() for name, way in ways.items()} for _ in range(repeats)]
    return {name: _median([run[name] for run in runs]) for name in ways}


def _median(costs: list[Cost]) -> Cost:
    def of(values: Iterator[float]) -> float:
        return round(statistics.median(values), 3)

    more = {key: of(cost.more[key] for cost in costs) for key in costs[0].more}
    return Cost(of(c.core_ms for c in costs), of(c.wall_ms for c in costs), more)


def ratios(costs: dict[str, Cost]) -> dict[str, float]:
    """What the project promises, from one run.

    The bare parts are as many runs of each model as the whole needed. MediaPipe answers for one
    person only, we for everyone, so that both frames and poses are compared.
    """
    core = {name: one.core_ms for name, one in costs.items()}
    found = {}
    for every in EVERY:
        name = f"whole, detector every {every}"
        bare = core["bare decode"] + sum(
            core[f"bare {stage}"] * costs[name].more[_runs(stage)]
            for stage in ("detector", "landmarks")
        )
        found[f"whole / bare, detector every {every}"] = core[name] / bare
        mode = "static" if every == 1 else "tracking"
        if f"MediaPipe {mode}" in core:
            ratio = core[f"MediaPipe {mode}"] / core[name]
            against = f"a core-second, every {every} / MediaPipe {mode}"
            found[f"frames {against}"] = ratio
            found[f"poses {against}"] = ratio * costs[name].more[POSES]
    one, two = costs["submit, 1 process"], costs["submit, 2 processes"]
    found["two processes / one, in frames a second"] = one.wall_ms / two.wall_ms
    return found


def main() -> None:
    """Prints a table a video, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--mediapipe", type=Path, metavar="PYTHON")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    prepare_process()
    folder = settings_from().packs / NAME
    models = load_models(read_pack(folder), folder)
    report = {}
    for video in arguments.videos:
        costs = measure(video, models, arguments.mediapipe, arguments.repeats)
        report[video.name] = {
            "costs": {name: vars(one) for name, one in costs.items()},
            "ratios": {name: round(ratio, 3) for name, ratio in ratios(costs).items()},
        }
        if not arguments.json:
            _print(video.name, costs)
    if arguments.json:
        print(json.dumps(report, indent=2))


def _print(name: str, costs: dict[str, Cost]) -> None:
    print(f"\n{name:32} {'core-ms':>8} {'frames/s':>9}   a frame")
    for way, one in costs.items():
        more = ", ".join(f"{key} {value:.2f}" for key, value in one.more.items())
        print(f"{way:32} {one.core_ms:8.2f} {1000 / one.wall_ms:9.1f}   {more}")
    for what, ratio in ratios(costs).items():
        print(f"{what:58} {ratio:.2f}")


if __name__ == "__main__":
    main()
