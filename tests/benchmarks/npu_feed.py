"""How well one process keeps an NPU busy: the models are replaced by waits of its times.

    python -m tests.benchmarks.npu_feed [VIDEO...] [--threads 1 2 3 4] [--seconds 10]

A Snapdragon X Elite runs the detector in 1.04 ms and the landmark model in 1.35 ms (the model's
card). One NPU serves one call at a time, so the waits queue up. Each thread does a chunk of its
own, over and over, as the threads of a worker with an NPU do; decoding runs ahead in a thread
beside it. Without VIDEO, a made one of 640x360 with one person is used.

Printed: the share of time in which the NPU works, frames a second, and what the cores do meanwhile:
core-milliseconds a frame, and the cores that it takes to keep the NPU busy all the time.
"""

import argparse
import ctypes
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from annotate.domain.arrays import FloatArray
from annotate.domain.pack import read_pack
from annotate.domain.settings import settings_from
from annotate.domain.video import Chunk, Frame
from annotate.inference import Model, load_models
from annotate.packs.blazepose import NAME
from annotate.pipeline import PoseEstimator
from annotate.pipeline.prefetch import prefetch
from annotate.synthetic import Camera, Scene, ScenePerson, WayPoint, steady_times
from annotate.synthetic.film import render_video
from annotate.video import decode, probe
from annotate.video.writer import Encoding
from workers.process import prepare_process

DETECTOR_MS, LANDMARKS_MS = 1.04, 1.35
_PR_SET_TIMERSLACK = 29


class Npu:
    """Serves one call at a time; its queue goes on to the next call by itself, as a driver's does,
    whether or not Python has the time to look.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free_at = 0.0
        self.busy_s = 0.0

    def work(self, seconds: float) -> None:
        """Returns when the call, behind those that wait already, is done."""
        with self._lock:
            self._free_at = max(self._free_at, time.perf_counter()) + seconds
            done_at = self._free_at
            self.busy_s += seconds
        time.sleep(max(0.0, done_at - time.perf_counter()))


class OnNpu(Model):
    """Waits, and answers as the real model answered to a frame with a person."""

    def __init__(self, npu: Npu, ms: float, outputs: list[FloatArray]) -> None:
        self._npu = npu
        self._seconds = ms / 1000
        self._outputs = outputs

    def run(self, image: FloatArray) -> list[FloatArray]:  # noqa: ARG002 - as Model has it
        """The recorded outputs."""
        self._npu.work(self._seconds)
        return self._outputs


class Recorder(Model):
    """The real model; keeps its newest answer."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.outputs: list[FloatArray] = []

    def run(self, image: FloatArray) -> list[FloatArray]:
        """As the real model."""
        self.outputs = self._model.run(image)
        return self.outputs


def counted(frames: Iterator[Frame], until: float, count: Callable[[], None]) -> Iterator[Frame]:
    """The frames, until that time."""
    for frame in frames:
        if time.perf_counter() >= until:
            return
        count()
        yield frame


def one_person() -> Scene:
    """A person who walks through a frame of 640x360."""
    path = (WayPoint(0.0, -0.7, 3.2), WayPoint(6.0, 0.7, 3.2))
    return Scene(640, 360, steady_times(30, 6), (ScenePerson(path),), camera=Camera(height_m=1.2))


def measure(path: Path, threads: int, seconds: float) -> str:
    """A row of the table."""
    folder = settings_from().packs / NAME
    models, index = load_models(read_pack(folder), folder), probe(path)
    detector, landmark = Recorder(models.detector), Recorder(models.landmark)
    real = PoseEstimator(replace(models, detector=detector, landmark=landmark))
    real.poses(next(decode(path, index, Chunk(0, 1))).rgb)
    if not landmark.outputs:
        raise SystemExit(f"{path}: no person is found in the first frame")
    npu = Npu()
    fake = replace(
        models,
        detector=OnNpu(npu, DETECTOR_MS, detector.outputs),
        landmark=OnNpu(npu, LANDMARKS_MS, landmark.outputs),
    )
    done = [0] * threads
    until = time.perf_counter() + seconds

    def work(number: int) -> None:
        def count() -> None:
            done[number] += 1

        estimator, chunk = PoseEstimator(fake), Chunk(0, len(index))
        while time.perf_counter() < until:
            frames = prefetch(decode(path, index, chunk))
            estimator.run(counted(frames, until, count), index)

    began, cpu = time.perf_counter(), time.process_time()
    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    frames = sum(done)
    core_ms = cpu / frames * 1000
    return (
        f"{path.name:20} {index.width:5}x{index.height:<5} {threads:7} {npu.busy_s / wall:9.1%} "
        f"{frames / wall:9.1f} {core_ms:8.2f} {core_ms / (DETECTOR_MS + LANDMARKS_MS):6.2f}"
    )


def main() -> None:
    """Prints a row for each video and number of threads."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="*", type=Path)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--seconds", type=float, default=10)
    arguments = parser.parse_args()
    prepare_process()
    if sys.platform == "linux":
        # Sleeps end up to 50 us late otherwise.
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.mp4"
        if not arguments.videos:
            render_video(one_person(), made, Encoding(gop=60))
        print(
            f"{'video':20} {'size':11} {'threads':>7} {'NPU busy':>9} {'frames/s':>9} "
            f"{'core-ms':>8} {'cores':>6}"
        )
        for path in arguments.videos or [made]:
            for threads in arguments.threads:
                print(measure(path, threads, arguments.seconds), flush=True)


if __name__ == "__main__":
    main()
