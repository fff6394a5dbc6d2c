"""How far the expected cost of jobs is from what they then take.

    python -m tests.benchmarks.cost_check VIDEO=PACK... [--processes 2] [--long FILE]

For each video, `annotate probe` says what it would cost with that pack, and `annotate submit` and
`annotate export` do it, in a store of their own. Core time is the processor time of all processes
of the command. `--long` first makes FILE, 1280x720 with two people who walk, unless it is there.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from annotate.synthetic import Camera, Scene, ScenePerson, WayPoint, steady_times
from annotate.synthetic.film import render_video
from annotate.video.writer import Encoding
from tests.benchmarks.looped import looped

FPS = 30
# The made video is this scene several times.
SCENE_S, TIMES = 10.0, 6


@dataclass(frozen=True)
class Row:
    """Of one job: what was expected, and what it took."""

    title: str
    people: tuple[float, float]
    core_s: tuple[float, float]
    disk_mb: tuple[float, float]


def made(path: Path) -> None:
    """A minute of 1280x720."""
    there, back = WayPoint(0.0, -1.2, 3.6), WayPoint(SCENE_S, 1.3, 3.8)
    scene = Scene(
        width=1280,
        height=720,
        times_s=steady_times(FPS, SCENE_S),
        people=(
            ScenePerson((there, back), stature_m=1.8),
            ScenePerson((WayPoint(0.0, 1.4, 4.6), WayPoint(SCENE_S, -1.2, 4.4)), stature_m=1.7),
        ),
        camera=Camera(height_m=1.2, focal=1.0),
        seed=3,
    )
    with tempfile.TemporaryDirectory() as folder:
        once = Path(folder) / path.name
        render_video(scene, once, Encoding(fps=Fraction(FPS)))
        looped(once, TIMES, path)


def check(video: Path, pack: str, processes: int) -> Row:
    """Expects, and does, one job."""
    with tempfile.TemporaryDirectory() as folder:
        store = ["--store", folder]
        asked = [str(video), *store, "--pack", pack]
        cost = json.loads(_run("probe", *asked, "--json")[0])["cost"]
        _, core_s = _run("submit", *asked, "--processes", str(processes))
        out = Path(folder) / "people.json"
        _run("export", *store, "--out", str(out))
        files = [*Path(folder).glob("results/**/*.parquet"), out]
        size = sum(file.stat().st_size for file in files)
        poses = len(json.loads(out.read_bytes())["annotations"])
    expected_s = cost["total_core_s"]
    # A probe counts on all cores.
    return Row(
        f"{video.name}, {pack}, {cost['frames']} frames",
        (cost["people_a_frame"], poses / cost["frames"]),
        (expected_s, core_s),
        (sum(cost["disk_b"].values()) / 1e6, size / 1e6),
    )


def _run(*arguments: str) -> tuple[str, float]:
    """What a command prints, and its core-seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "annotate", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"annotate {arguments[0]} ended with {done.returncode}: {done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Prints a row a job: people a frame, core-seconds and megabytes, expected and found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("jobs", nargs="*", metavar="VIDEO=PACK")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--long", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    if arguments.long and not arguments.long.exists():
        made(arguments.long)
    print(f"{'':56} {'people':>11} {'core-seconds':>22} {'MB':>14}")
    for job in arguments.jobs:
        video, _, pack = job.rpartition("=")
        row = check(Path(video), pack, arguments.processes)
        people, disk = (f"{a:.2f} {b:.2f}" for a, b in (row.people, row.disk_mb))
        expected, took = row.core_s
        core = f"{expected:.1f} {took:.1f} {expected / took:.2f}"
        print(f"{row.title:56} {people:>11} {core:>22} {disk:>14}", flush=True)


if __name__ == "__main__":
    main()
