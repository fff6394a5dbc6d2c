"""Poses a second and peak memory of the merge of very long videos.

    python -m tests.benchmarks.merge_scale [--hours 10] [--folder FOLDER] [--profile]

The parts hold two people who walk, wave and now and then vanish, at 30 frames a second, with noise
and outliers; 10 hours take about 2 GB of FOLDER, and their tracks 4 GB. The merge reads the parts
from a store and files the tracks, in a separate process that uses one core; making the parts is
not counted. Wanted of 10 hours: 20,000 poses a second or more, and less than 1 GB.
"""

import argparse
import cProfile
import multiprocessing
import pstats
import resource
import sys
import tempfile
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from annotate.domain.merge_settings import MergeSettings
from annotate.domain.poses import Poses
from annotate.domain.skeleton import SKELETONS
from annotate.domain.video import Chunk
from annotate.merge.merge import merge
from annotate.store import LocalFiles
from annotate.store.results import VideoResults
from tests.made_tracks import poses_of, walker

FPS, SIZE = 30, (1920, 1080)
SKELETON = SKELETONS["blazepose-33"]
CHUNK_FRAMES = 3600
# Of `ru_maxrss`, which macOS counts in bytes.
RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def two_minutes() -> Poses:
    """Two people who cross twice, one of them hidden for a moment here and there."""
    time_s = np.arange(CHUNK_FRAMES) / FPS
    there = np.abs((time_s / 60) % 2 - 1)
    people = [walker(time_s, (0, 0)), walker(time_s, (0, 0), y=430, phase=2)]
    moved = [
        replace(people[0], xy=people[0].xy + np.stack([200 + 1400 * there, 0 * there], 1)[:, None]),
        replace(
            people[1], xy=people[1].xy + np.stack([1600 - 1400 * there, 0 * there], 1)[:, None]
        ),
    ]
    moved[1].seen[np.sin(time_s) > 0.98] = False
    return poses_of(moved, time_s, noise_px=2, outliers=0.01)


def make(folder: Path, chunks: list[Chunk]) -> None:
    """Files the parts."""
    results = VideoResults(LocalFiles(folder), "recipe", "video")
    once = two_minutes()
    for chunk in chunks:
        poses = replace(
            once,
            frame_index=once.frame_index + chunk.start,
            pts=once.pts + chunk.start * 90_000 // FPS,
            time_s=once.time_s + chunk.start / FPS,
        )
        results.write_part(chunk, poses, {})


def measure(folder: Path, chunks: list[Chunk], profile: bool) -> None:
    """Merges, and prints what it took."""
    pa.set_cpu_count(1)
    results = VideoResults(LocalFiles(folder), "recipe", "video")
    poses = len(chunks) * len(two_minutes().score)
    profiler = cProfile.Profile()
    if profile:
        profiler.enable()
    wall, cpu = time.perf_counter(), time.process_time()
    parts = (results.read_part(chunk) for chunk in chunks)
    blocks = merge(parts, MergeSettings(), SKELETON, SIZE)
    results.write_tracks("merge", blocks, len(SKELETON.landmarks), {})
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    profiler.disable()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT / 1e6
    print(f"{poses:,} poses in {len(chunks)} parts of {CHUNK_FRAMES:,} frames")
    print(f"{wall:.1f} s, {cpu:.1f} core-seconds: {poses / cpu:,.0f} poses a core-second")
    print(f"peak memory {peak:.0f} MB")
    if profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=10.0)
    parser.add_argument("--folder", type=Path, help="Where to work; the system's, if not named.")
    parser.add_argument("--profile", action="store_true", help="Also say where the time goes.")
    arguments = parser.parse_args()
    count = max(1, round(arguments.hours * 3600 * FPS / CHUNK_FRAMES))
    chunks = [Chunk(a, b) for a, b in pairwise(range(0, (count + 1) * CHUNK_FRAMES, CHUNK_FRAMES))]
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for work, more in ((make, ()), (measure, (arguments.profile,))):
            process = context.Process(target=work, args=(Path(folder), chunks, *more))
            process.start()
            process.join()


if __name__ == "__main__":
    main()
