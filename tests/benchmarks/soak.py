"""A soak: random faults over a running job of many short videos, until the time is up.

    python -m tests.benchmarks.soak [--minutes 120] [--videos 500] [--seed 1]

Two workers of one process each on a real queue and a folder. Every few seconds something happens to
them, to the queue, to the folder of the videos or to that of the store. When a job is done, its
export is compared with that of a quiet run, and the next one begins in a new store. Packs are from
ANNOTATE_PACKS. Ends with the table of faults; the exit code is 1 where something was lost or stuck.
"""

import argparse
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from annotate.domain.errors import AnnotateError
from annotate.domain.settings import settings_from
from annotate.queue.job_status import JobStatus, job_status
from annotate.synthetic.film import render_video
from annotate.video.writer import Encoding
from tests.benchmarks.many_clips import make_clips
from tests.command import Host
from tests.fleet import kill
from tests.made_scenes import walk_scene
from tests.servers import RedisServer

# Seconds between two faults, and seconds that a fault lasts which has an end.
BETWEEN_S, LASTS_S = (4.0, 15.0), (1.0, 8.0)
# Seconds without a new part after which a job counts as stuck.
STUCK_S = 900.0
EXACT = ("--detect-every", "1")


@dataclass
class Soak:
    """A queue, two workers, and what happens to them.

    Attributes:
        happened: how often each fault came.
        wrong: what should not have been, a line each.
        logs: what each worker said, by its process id.
        numbers: of the logs.
    """

    host: Host
    server: RedisServer
    videos: Path
    chance: random.Random
    workers: list["subprocess.Popen[str]"] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    logs: dict[int, Path] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def start_worker(self) -> None:
        path = self.host.home / f"worker-{next(self.numbers)}.log"
        with path.open("w") as log:
            options = ("--concurrency", "1", "--provider", "cpu")
            worker = self.host.start("worker", *options, stdout=log, stderr=log)
        self.workers.append(worker)
        self.logs[worker.pid] = path

    def kill_worker(self) -> None:
        victim = self.chance.choice(self.workers)
        self.workers.remove(victim)
        kill(victim)
        self.pause()
        self.start_worker()

    def kill_process(self) -> None:
        """Any process of a worker but its supervisor."""
        worker = psutil.Process(self.chance.choice(self.workers).pid)
        if family := worker.children(recursive=True):
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.kill(self.chance.choice(family).pid, signal.SIGKILL)

    def drop_connections(self) -> None:
        with self.server.client() as client:
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    def freeze_redis(self) -> None:
        self.server.freeze()
        self.pause()
        self.server.thaw()

    def restart_redis(self) -> None:
        self.server.kill()
        self.pause()
        self.server.start()

    def wipe_redis(self) -> None:
        with self.server.client() as client:
            client.flushall()

    def move_videos(self) -> None:
        self.move_away(self.videos)

    def move_store(self) -> None:
        self.move_away(Path(self.host.store))

    def move_away(self, folder: Path) -> None:
        away = folder.with_name(f"{folder.name}-away")
        folder.rename(away)
        self.pause()
        away.rename(folder)

    def pause(self) -> None:
        time.sleep(self.chance.uniform(*LASTS_S))

    def faults(self) -> dict[str, Callable[[], None]]:
        """All that may happen."""
        return {
            "a worker killed, another started": self.kill_worker,
            "a process of a worker killed": self.kill_process,
            "all connections dropped": self.drop_connections,
            "Redis frozen": self.freeze_redis,
            "Redis killed and started": self.restart_redis,
            "Redis wiped": self.wipe_redis,
            "folder of the videos away": self.move_videos,
            "folder of the store away": self.move_store,
        }

    def restart_ended(self) -> None:
        """Does what a service manager does, and records that none should have ended."""
        for worker in [one for one in self.workers if one.poll() is not None]:
            self.workers.remove(worker)
            said = self.logs[worker.pid].read_text(errors="replace")
            self.wrong.append(f"a worker ended with {worker.returncode}: {said[-1000:]}")
            self.start_worker()

    def status(self) -> JobStatus:
        store = self.host.opened()
        return job_status(store, store.newest_job())

    def run_job(self, until: float) -> bool:
        """Submits the videos and disturbs the work until it is done; False where it is stuck."""
        self.host.run("submit", self.videos, *EXACT, "--detach")
        done, since = -1, time.monotonic()
        while True:
            time.sleep(self.chance.uniform(*BETWEEN_S))
            name = self.chance.choice(list(self.faults()))
            if time.monotonic() < until:
                self.happened[name] += 1
                self.faults()[name]()
            self.restart_ended()
            status = self.status()
            now = sum(len(video.done) + video.merged for video in status.videos)
            if status.stopped:
                return True
            if now != done:
                done, since = now, time.monotonic()
            elif time.monotonic() - since > STUCK_S:
                self.wrong.append(f"stuck after {done} units")
                return False

    def check(self, expected: bytes) -> None:
        """What was given up, as its processes were killed thrice, is done by the same command."""
        given_up = sum(len(video.failures) for video in self.status().videos)
        if given_up:
            self.happened["(chunks given up, then done by the same submit)"] += given_up
            self.host.run("submit", self.videos, *EXACT)
        if not self.status().complete:
            self.wrong.append("the job is not complete")
        elif self.host.exported() != expected:
            self.wrong.append("the export differs from that of the quiet run")

    def close(self) -> None:
        for worker in self.workers:
            kill(worker)
        self.server.kill()


def soak(folder: Path, videos: Path, minutes: float, seed: int) -> tuple[Soak, int]:
    """Jobs, one after the other; how many were compared."""
    packs = settings_from().packs
    quiet = Host(folder / "quiet", packs, folder)
    print("quiet run", flush=True)
    subprocess.run(
        [sys.executable, "-m", "annotate", "submit", str(videos), *EXACT, "--processes", "1"],
        env=quiet.environ(),
        check=True,
    )
    expected = quiet.exported()
    server = RedisServer(folder / "redis")
    server.start()
    shared = Host(folder / "store-0", packs, folder, {"ANNOTATE_BROKER": server.url})
    made = Soak(shared, server, videos, random.Random(seed))  # noqa: S311 - the same each time
    until, compared = time.monotonic() + 60 * minutes, 0
    try:
        while time.monotonic() < until and not made.wrong:
            made.host = replace(shared, store=folder / f"store-{compared}")
            made.start_worker()
            made.start_worker()
            if made.run_job(until):
                made.check(expected)
                compared += 1
                print(f"job {compared}: {made.wrong or 'the same bytes'}", flush=True)
            for worker in made.workers:
                kill(worker)
            made.workers.clear()
    except (AnnotateError, AssertionError, OSError, psutil.Error) as error:
        made.wrong.append(f"{type(error).__name__}: {error}")
    finally:
        made.close()
    return made, compared


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--videos", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="annotate-soak-"))
    clip = folder / "clip.mp4"
    render_video(walk_scene(seconds=0.2), clip, Encoding(gop=6))
    videos = folder / "videos"
    make_clips(videos, clip, asked.videos)
    began = time.monotonic()
    made, compared = soak(folder, videos, asked.minutes, asked.seed)
    for name, times in sorted(made.happened.items()):
        print(f"{times:5}  {name}")
    took = (time.monotonic() - began) / 60
    print(f"{compared} jobs of {asked.videos} videos in {took:.0f} min, wrong: {made.wrong or 0}")
    if made.wrong:
        sys.exit(f"see {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
