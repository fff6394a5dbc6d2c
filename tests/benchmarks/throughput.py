"""Frames a second and core-milliseconds a frame of the whole way from file to poses.

    python -m tests.benchmarks.throughput VIDEO... [--processes 2] [--repeats 5]

Each process loads its models, waits for the others, and does its chunk of the video, as workers
do. The median of the repeats is printed; loading the models is not counted.
"""

import argparse
import multiprocessing
import statistics
import time
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

from annotate.chunking import chunk_frames, cut, restart_every
from annotate.domain import Chunk, VideoIndex
from annotate.inference import load_models
from annotate.pack import read_pack
from annotate.pipeline import PoseEstimator
from annotate.pipeline.prefetch import prefetch
from annotate.settings import settings_from
from annotate.video import decode, probe
from workers.process import prepare_process


def run_chunks(
    path: Path,
    index: VideoIndex,
    chunk: Chunk,
    detect_every: int,
    repeats: int,
    barrier: Barrier,
    out: Connection,
) -> None:
    """Does the chunk `repeats` times; sends seconds and core-seconds of each."""
    prepare_process()
    folder = settings_from().packs / "blazepose-full"
    models = load_models(read_pack(folder), folder)
    estimator = PoseEstimator(models, detect_every=detect_every)
    estimator.run(decode(path, index, Chunk(chunk.start, chunk.start + 1)), index)
    for _ in range(repeats):
        barrier.wait()
        began, cpu = time.perf_counter(), time.process_time()
        estimator.run(prefetch(decode(path, index, chunk)), index)
        cpu = time.process_time() - cpu
        barrier.wait()
        out.send((time.perf_counter() - began, cpu))


def measure(
    path: Path, detect_every: int, processes: int, repeats: int
) -> tuple[int, float, float]:
    """Chunks, median frames a second, and median core-milliseconds a frame."""
    index = probe(path)
    target = chunk_frames(len(index), processes, "near", detect_every)
    chunks = cut(index, target, restart_every(detect_every))
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(len(chunks))
    pipes = [context.Pipe() for _ in chunks]
    workers = [
        context.Process(
            target=run_chunks, args=(path, index, chunk, detect_every, repeats, barrier, pipe[1])
        )
        for chunk, pipe in zip(chunks, pipes, strict=True)
    ]
    for worker in workers:
        worker.start()
    runs = [[pipe[0].recv() for pipe in pipes] for _ in range(repeats)]
    for worker in workers:
        worker.join()
    seconds = statistics.median(max(wall for wall, _ in run) for run in runs)
    core_seconds = statistics.median(sum(cpu for _, cpu in run) for run in runs)
    return len(chunks), len(index) / seconds, core_seconds / len(index) * 1000


def main() -> None:
    """Prints a row a video."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    folder = settings_from().packs / "blazepose-full"
    print(f"model pack {read_pack(folder).digest[:12]}, up to {arguments.processes} processes")
    print(
        f"{'video':24} {'detect every':>12} {'chunks':>6} {'frames/s':>9} {'core-ms a frame':>16}"
    )
    for video in arguments.videos:
        for every in (1, 5):
            row = measure(video, every, arguments.processes, arguments.repeats)
            print(f"{video.name:24} {every:12} {row[0]:6} {row[1]:9.1f} {row[2]:16.2f}")


if __name__ == "__main__":
    main()
