"""How throughput grows with workers, and what the queue costs a chunk.

    python -m tests.benchmarks.scale [--workers 1 2 4 8 16 32] [--chunks 6] [--frames 900]

Real workers on a real queue and a shared folder; their models are replaced by sleeps of a
Snapdragon X Elite's times (1.0 ms detector, 1.35 ms landmarks), see `tests.benchmarks.sleeping`. A
chunk of 900 frames then takes 2.1 s: much less than the 30 to 90 s that a job is cut into, so that
the queue's share is larger than in a real job. Ideal is that sleeping alone takes the time.

Last line: one worker whose chunks are empty, which leaves what each chunk costs.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from annotate.domain.job import STORED, Job, JobVideo, Recipe
from annotate.domain.video import Chunk
from annotate.queue.app import make_app
from annotate.queue.board import Board, open_board
from annotate.queue.dispatch import reconcile
from annotate.queue.messages import Queue
from annotate.store import open_store
from tests.benchmarks.sleeping import FRAME_S
from tests.servers import RedisServer

FINGERPRINT = "5" * 64
EMPTY_CHUNKS = 500
# Seconds until workers that were just started have reported and are idle.
SETTLE_S = 15
# Short chunks for each worker, before time is taken: each loads its libraries at its first one.
WARM_CHUNKS, WARM_FRAMES = 4, 100


class Bench:
    """A queue, a folder, and workers that sleep."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = RedisServer(folder / "redis")
        self.server.start()
        self.store = open_store(str(folder / "store"))
        self.workers: list[subprocess.Popen[bytes]] = []
        self.runs = 0

    def start(self, count: int, frame_s: float) -> None:
        """Brings the number of workers to `count`."""
        environ = {
            **os.environ,
            "ANNOTATE_BROKER": self.server.url,
            "ANNOTATE_STORE": str(self.folder / "store"),
            "SLEEPING_FRAME_S": str(frame_s),
        }
        options = ("--pool", "threads", "--concurrency", "1", "--without-mingle")
        while len(self.workers) < count:
            name = f"w{len(self.workers)}"
            command = (sys.executable, "-m", "celery", "-A", "tests.benchmarks.sleeping", "worker")
            worker = subprocess.Popen(
                [*command, *options, "--without-gossip", "--loglevel", "error", "-n", name],
                env=environ,
                start_new_session=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            self.workers.append(worker)
        while len(self.workers) > count:
            worker = self.workers.pop()
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
        board = self.board()
        with self.server.client() as client:
            # Those who were killed are not counted; the others soon say again that they are there.
            client.delete(f"{board.prefix}workers")
        while len(board.reports.workers()) < count:
            time.sleep(0.2)

    def board(self) -> Board:
        """What the workers tell each other."""
        return open_board(self.server.url, self.store.id())

    def run(self, chunks: int, frames: int) -> tuple[float, float]:
        """Seconds from handing a job over to its last part, and the most that Redis held, in MB."""
        self.runs += 1
        store = self.store
        # The recipe's digest differs from run to run, so every run has its own results.
        recipe = Recipe(f"run-{self.runs}", f"{self.runs:064x}")
        video = JobVideo("sleep.mp4", FINGERPRINT, STORED, "")
        job = Job(f"20260101-000000-{self.runs:06x}", recipe, None, (video,))
        cut = [Chunk(n * frames, (n + 1) * frames) for n in range(chunks)]
        results = store.results(recipe, video)
        results.write_chunks(cut)
        store.write_job(job)
        board, queue = self.board(), Queue(make_app(self.server.url, self.store.id()))
        most = 0
        with self.server.client() as client:
            began = time.monotonic()
            board.jobs.add(job.id)
            reconcile(board, queue, store, job)
            while len(results.parts()) < chunks:
                most = max(most, int(client.info("memory")["used_memory"]))
                time.sleep(0.05)
            took = time.monotonic() - began
        store.cancel_job(job.id)
        board.forget_job(job.id)
        return took, most / 1e6

    def close(self) -> None:
        """Ends everything."""
        for worker in self.workers:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
        self.workers.clear()
        self.server.kill()


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32])
    parser.add_argument("--chunks", type=int, default=6, help="for each worker")
    parser.add_argument("--frames", type=int, default=900, help="of a chunk")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="annotate-scale-"))
    bench = Bench(folder)
    print("workers  chunks  seconds  frames/s  of ideal  overhead ms/chunk  Redis MB", flush=True)
    try:
        # The most first: workers are only ended between the runs, and start-up disturbs none.
        for count in sorted(asked.workers, reverse=True):
            bench.start(count, FRAME_S)
            bench.run(count * WARM_CHUNKS, WARM_FRAMES)
            time.sleep(SETTLE_S)
            took, megabytes = bench.run(count * asked.chunks, asked.frames)
            ideal = asked.chunks * asked.frames * FRAME_S
            done = count * asked.chunks
            print(
                f"{count:7}  {done:6}  {took:7.1f}  {done * asked.frames / took:8,.0f}"
                f"  {ideal / took:8.3f}  {1000 * (took - ideal) / asked.chunks:17.1f}"
                f"  {megabytes:8.1f}",
                flush=True,
            )
        bench.start(0, 0.0)
        bench.start(1, 0.0)
        bench.run(WARM_CHUNKS, 1)
        took, megabytes = bench.run(EMPTY_CHUNKS, 1)
        print(
            f"empty    {EMPTY_CHUNKS:6}  {took:7.1f}  {1000 * took / EMPTY_CHUNKS:.1f} ms a chunk"
        )
    finally:
        bench.close()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
