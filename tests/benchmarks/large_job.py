"""A job of 100,000 chunks: how long its commands take, and how much Redis keeps of it.

    python -m tests.benchmarks.large_job [--chunks 100000]

A small video with a keyframe at each frame is cut into chunks of one frame. Timed from outside, as
a user would: `annotate submit --detach`, `annotate status` before and after half of the chunks are
done, and a worker from its start to its first part. Packs are taken from ANNOTATE_PACKS.
"""

import argparse
import shutil
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import psutil

from annotate.domain.settings import settings_from
from annotate.video.writer import Encoding, VideoWriter
from tests.command import Host
from tests.servers import RedisServer


def make_video(path: Path, frames: int) -> None:
    """Noise of 64x64, every frame a keyframe."""
    noise = np.random.default_rng(5).integers(0, 255, (16, 64, 64, 3), dtype=np.uint8)
    encoding = Encoding(codec="mjpeg", fps=Fraction(30), pix_fmt="yuvj420p", gop=1)
    with VideoWriter(path, encoding) as video:
        for number in range(frames):
            video.write(noise[number % len(noise)])


def timed(host: Host, *arguments: str | Path) -> float:
    """Seconds of a command."""
    began = time.monotonic()
    process = host.start(*arguments)
    out, err = process.communicate()
    if process.returncode:
        sys.exit(f"annotate {arguments[0]}: {out}{err}")
    return time.monotonic() - began


def first_part(host: Host, folder: Path) -> float:
    """Seconds from the start of a worker to its first part."""
    before = len(list(folder.iterdir())) if folder.exists() else 0
    began = time.monotonic()
    worker = host.start("worker", "--concurrency", "1")
    try:
        while not folder.exists() or len(list(folder.iterdir())) == before:
            time.sleep(0.02)
            if worker.poll() is not None:
                sys.exit(f"the worker ended: {worker.communicate()}")
        return time.monotonic() - began
    finally:
        root = psutil.Process(worker.pid)
        for process in [*root.children(recursive=True), root]:
            process.kill()
        worker.communicate()


def main() -> None:
    """Prints one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=100_000)
    chunks = parser.parse_args().chunks
    folder = Path(tempfile.mkdtemp(prefix="annotate-large-"))
    server = RedisServer(folder / "redis")
    server.start()
    try:
        video = folder / "large.avi"
        make_video(video, chunks)
        broker = {"ANNOTATE_BROKER": server.url}
        host = Host(folder / "store", settings_from().packs, folder, broker)
        submitted = timed(
            host, "submit", video, "--detect-every", "1", "--processes", str(chunks), "--detach"
        )
        job = host.opened().newest_job()
        fingerprint = job.videos[0].fingerprint
        cut = host.opened().results(job.recipe, job.videos[0]).read_chunks() or ()
        parts = folder / "store" / "results" / job.recipe.digest / fingerprint / "parts"
        print(f"chunks                      {len(cut):10,}")
        print(f"submit --detach             {submitted:10.1f} s")
        print(f"status, nothing done        {timed(host, 'status'):10.1f} s")
        with server.client() as client:
            print(f"Redis                       {client.info()['used_memory'] / 1e6:10.1f} MB")
        print(f"worker start to first part  {first_part(host, parts):10.1f} s", flush=True)
        parts.mkdir(parents=True, exist_ok=True)
        for chunk in cut[: len(cut) // 2]:
            (parts / f"{chunk.name}.parquet").touch()
        print(f"status, half done           {timed(host, 'status'):10.1f} s")
        print(f"status --json, half done    {timed(host, 'status', '--json'):10.1f} s")
        print(f"worker start to first part  {first_part(host, parts):10.1f} s", flush=True)
        with server.client() as client:
            print(f"Redis                       {client.info()['used_memory'] / 1e6:10.1f} MB")
    finally:
        server.kill()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
