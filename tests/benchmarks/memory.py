"""Whether a worker's memory grows: one process over a long video, made of the same packets.

    python -m tests.benchmarks.memory VIDEO [--frames 100000] [--detect-every 5]

Prints the resident memory of every process of `annotate submit` at each tenth of the way.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from annotate.queue.job_status import job_status
from annotate.store import open_store
from annotate.video import probe
from tests.benchmarks.looped import looped


def resident_mb(process: "subprocess.Popen[bytes]") -> Iterator[float]:
    """Of the command and of each process below it, the largest first."""
    sizes = []
    root = psutil.Process(process.pid)
    for one in [root, *root.children(recursive=True)]:
        try:
            sizes.append(one.memory_info().rss / 1e6)
        except psutil.NoSuchProcess:
            continue
    return iter(sorted(sizes, reverse=True))


def main() -> None:
    """Runs the command and prints a row for each tenth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--detect-every", default="5")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        times = -(-arguments.frames // len(probe(arguments.video)))
        long = looped(arguments.video, times, Path(folder) / "long.mp4")
        where = f"{folder}/store"
        options = ("--processes", "1", "--detect-every", arguments.detect_every, "--store", where)
        process = subprocess.Popen(
            [sys.executable, "-m", "annotate", "submit", str(long), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _watch(process, where)
        if process.wait():
            raise SystemExit(f"annotate submit ended with {process.returncode}")


def _watch(process: "subprocess.Popen[bytes]", where: str) -> None:
    print(f"{'frames':>8}   resident MB, process by process")
    store, next_share, peak = open_store(where), 0.1, 0.0
    while process.poll() is None:
        time.sleep(1)
        if not store.job_ids() or process.poll() is not None:
            continue
        status = job_status(store, store.newest_job())
        sizes = [f"{size:.0f}" for size in resident_mb(process)]
        peak = max(peak, float(sizes[0]) if sizes else 0.0)
        if status.frames_done / status.frames >= next_share:
            next_share += 0.1
            print(f"{status.frames_done:8}   {' '.join(sizes)}", flush=True)
    print(f"at the most {peak:.0f} MB")


if __name__ == "__main__":
    main()
