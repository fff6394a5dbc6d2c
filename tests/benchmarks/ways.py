"""Ways to annotate a video, or to do a part of that, and what a frame costs by each."""

import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import psutil

from annotate.domain.arrays import FloatArray
from annotate.domain.job import Recipe
from annotate.domain.video import Chunk, Frame, VideoIndex
from annotate.inference import Model, Models
from annotate.pipeline import PoseEstimator
from annotate.store import open_store
from annotate.video import VideoFile, decode

POSES = "poses"
DETECTORS = ("detector", "person_detector")
LANDMARKS = "landmarks"


@dataclass(frozen=True)
class Cost:
    """Of one run: core-milliseconds and wall milliseconds a frame, more where it is known."""

    core_ms: float
    wall_ms: float
    more: dict[str, float] = field(default_factory=dict)


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


def bare_copy(width: int, height: int, frames: int) -> None:
    """Copies as many RGB pictures: no program that looks at whole frames touches less memory.

    They do not stay in the processor's caches: each is copied from and to another place.
    """
    places = 16
    pictures = np.zeros((places, height, width, 3), np.uint8)
    copies = np.ones_like(pictures)
    for frame in range(frames):
        copies[frame % places] = pictures[frame % places]


def bare_model(model: Model, size: tuple[int, int], frames: int) -> None:
    """As many runs as the video has frames."""
    image = np.zeros((*size[::-1], 3), np.float32)
    for _ in range(frames):
        model.run(image)


def whole(
    path: Path, index: VideoIndex, models: Models, recipe: Recipe, most: int | None = None
) -> dict[str, float]:
    """From file to poses; a frame's core-milliseconds by stage, runs by model, and poses.

    Args:
        most: of the video, at most so many frames.
    """
    count = min(len(index), most or len(index))
    clock = Clock()
    person = models.person_detector
    timed = replace(
        models,
        detector=clock.model("detector", models.detector),
        person_detector=person and clock.model("person_detector", person),
        landmark=clock.model(LANDMARKS, models.landmark),
    )
    estimator = PoseEstimator(
        timed,
        people=recipe.people,
        detect_every=recipe.detect_every,
        rotations=recipe.rotations,
    )
    frames = decode(path, index, Chunk(0, count), planes=estimator.takes_planes)
    began = time.thread_time()
    poses = estimator.run(clock.frames("decode and RGB", frames), index)
    total = (time.thread_time() - began) * 1000
    found = {
        **clock.ms,
        "between": total - sum(clock.ms.values()),
        **{runs_of(stage): runs for stage, runs in clock.runs.items()},
        POSES: len(poses.score),
    }
    return {what: value / count for what, value in found.items()}


def runs_of(stage: str) -> str:
    """Under which name a cost says how often that model ran."""
    return f"runs of {stage}"


def submit(path: Path, frames: int, processes: int, pack: str) -> Cost:
    """The command, with a store of its own; the greatest resident size of a process beside, and
    the poses of its tracks.

    Raises:
        SystemExit: the command failed; what it said is in it.
    """
    with tempfile.TemporaryDirectory() as store:
        command = [sys.executable, "-m", "annotate", "submit", str(path), "--store", store]
        command += ["--pack", pack, "--processes", str(processes)]
        began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        with tempfile.TemporaryFile("w+") as said:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
            peak = _peak_mb(process)
            wall = time.perf_counter() - began
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            if process.returncode:
                said.seek(0)
                line = [*said.read().strip().splitlines(), ""][-1]
                raise SystemExit(f"annotate submit ended with {process.returncode}: {line}")
        poses = _poses(store)
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    more = {"peak MB of a process": peak, POSES: poses / frames}
    return Cost(cpu / frames * 1000, wall / frames * 1000, more)


def _poses(location: str) -> int:
    """Rows of all tracks of the newest job."""
    store = open_store(location)
    job = store.newest_job()
    return sum(
        len(tracks.score)
        for video in job.videos
        for tracks in store.results(job.recipe, video).read_tracks(job.merge_digest)
    )


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
