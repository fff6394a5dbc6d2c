"""Many short clips against the same frames in one video: what each clip costs beside its frames.

    python -m tests.benchmarks.many_clips [--clips 500] [--frames 30] [--profile]

Submits both in one process, with a pipeline that costs nothing: all else is the real thing, from
hashing, probing and decoding to the merge, the store and the export. Time is that of the processor,
so other programs disturb little. ANNOTATE_PACKS holds blazepose-full.

The ratio adds the same model time to both sides: FRAME_CORE_MS a frame, that of the default pack on
one core.

    python -m tests.benchmarks.many_clips --grow 100 1000 10000 --frames 2

shows instead how the cost of each command grows with the number of clips.
"""

import argparse
import cProfile
import pstats
import shutil
import tempfile
import time
from pathlib import Path

from annotate.domain.settings import settings_from
from annotate.queue.job_watch import JobWatch
from annotate.store import Store
from annotate.synthetic.film import render_video
from annotate.video.writer import Encoding
from tests.benchmarks.looped import looped
from tests.in_process import InProcess, cheap_work
from tests.made_scenes import walk_scene

# Processor time of the models for a frame with two people, in ms: about 30 frames/s a core.
FRAME_CORE_MS = 33.0
FPS = 30
# The pack whose poses the costless pipeline makes.
PACK = "blazepose-full"
# Of more clips, only the commands of a usual day are measured: the others take minutes.
MANY = 1000


def make_clips(folder: Path, clip: Path, count: int) -> list[Path]:
    """Copies that differ in a box that players skip."""
    folder.mkdir()
    data, made = clip.read_bytes(), []
    for number in range(count):
        free = (12).to_bytes(4, "big") + b"free" + number.to_bytes(4, "big")
        made.append(folder / f"{number:05}.mp4")
        made[-1].write_bytes(data + free)
    return made


def core_s(home: Path, videos: list[Path], *, every: bool = False) -> dict[str, float]:
    """Processor seconds of each command, in a store of its own.

    Args:
        every: more commands than those of a usual day too.
    """
    home.mkdir()
    host = InProcess(home, settings_from().packs, videos)
    submit = ("submit", videos[0].parent, "--pack", PACK, "--detect-every", "1")
    commands: dict[str, tuple[str | Path, ...]] = {
        "submit": submit,
        "again": submit,
        "status": ("status",),
        "export": ("export", "--out", home / "people.json"),
        "jobs": ("jobs",),
    }
    if every:
        commands |= {
            "status --json": ("status", "--json"),
            "export one": ("export", "--video", videos[0].name, "--out", home / "one.json"),
            "edits": ("edits",),
            "retry": ("retry",),
            "check": ("check",),
            "check --deep": ("check", "--deep"),
            "clean": ("clean",),
            "probe": ("probe", videos[0].parent),
        }
    spent = {}
    for name, arguments in commands.items():
        began = time.process_time()
        said = host.run(*arguments)
        spent[name] = time.process_time() - began
        assert (said.code, said.defect) == (0, None), said
    return spent | looks(host.opened())


def looks(store: Store) -> dict[str, float]:
    """Processor seconds of the looks at a job while it runs: the first, and the others."""
    watch = JobWatch(store, store.newest_job())
    spent = {}
    for name in ("first look", "next look"):
        began = time.process_time()
        list(watch.look().pending())
        spent[name] = time.process_time() - began
    return spent


def grow(folder: Path, counts: list[int], frames: int) -> None:
    """Prints what each command costs with so many clips."""
    clip = made_clip(folder, frames)
    columns: list[dict[str, float]] = []
    for count in counts:
        clips = make_clips(folder / f"clips-{count}", clip, count)
        spent = core_s(folder / f"home-{count}", clips, every=count <= MANY)
        columns.append(spent)
        print(f"{count:,} clips: " + ", ".join(f"{k} {s:.2f}" for k, s in spent.items()))
    print(f"core-s for clips of {frames} frames" + "".join(f"{count:>10,}" for count in counts))
    for name in columns[0]:
        row = (f"{spent[name]:10.2f}" if name in spent else f"{'':10}" for spent in columns)
        print(f"{name:32}" + "".join(row))


def made_clip(folder: Path, frames: int) -> Path:
    """A video of two people who walk."""
    clip = folder / "clip.mp4"
    render_video(walk_scene(seconds=frames / FPS), clip, Encoding(gop=frames))
    return clip


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=500)
    parser.add_argument("--frames", type=int, default=30, help="of a clip")
    parser.add_argument("--grow", type=int, nargs="+", metavar="CLIPS")
    parser.add_argument("--profile", action="store_true", help="show what the clips cost")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="annotate-clips-"))
    try:
        with cheap_work():
            if asked.grow:
                grow(folder, asked.grow, asked.frames)
            else:
                compare(folder, asked.clips, asked.frames, profiled=asked.profile)
    finally:
        shutil.rmtree(folder)


def compare(folder: Path, count: int, frames: int, *, profiled: bool) -> None:
    """Prints what clips cost, and the same frames in one video."""
    clip = made_clip(folder, frames)
    clips = make_clips(folder / "clips", clip, count)
    (folder / "one").mkdir()
    one = [looped(clip, count, folder / "one" / "one.mp4")]
    core_s(folder / "warm", make_clips(folder / "few", clip, 2))
    whole = core_s(folder / "whole", one)
    profile = cProfile.Profile()
    if profiled:
        profile.enable()
    many = core_s(folder / "many", clips)
    profile.disable()
    print(f"{count} clips of {frames} frames    one video    clips    core-ms a clip")
    for name in many:
        more = 1000 * (many[name] - whole[name]) / count
        print(f"{name:20} {whole[name]:16.1f} s {many[name]:6.1f} s {more:12.1f}")
    models = count * frames * FRAME_CORE_MS / 1000
    ratio = (models + many["submit"]) / (models + whole["submit"])
    print(f"submit with the models' {models:.0f} core-s: {ratio:.2f} times one video")
    if profiled:
        pstats.Stats(profile).sort_stats("cumulative").print_stats(45)


if __name__ == "__main__":
    main()
