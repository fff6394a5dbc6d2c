"""Many short clips against the same frames in one video: what each clip costs beside its frames.

    python -m tests.benchmarks.many_clips [--clips 500] [--frames 30] [--profile]

Submits both in one process, with a pipeline that costs nothing: all else is the real thing, from
hashing, probing and decoding to the merge, the store and the export. Time is that of the processor,
so other programs disturb little. Packs are taken from ANNOTATE_PACKS.

The ratio adds the same model time to both sides: FRAME_CORE_MS a frame, that of the default pack on
one core.
"""

import argparse
import cProfile
import pstats
import shutil
import tempfile
import time
from pathlib import Path

from annotate.domain.settings import settings_from
from annotate.synthetic.film import render_video
from annotate.video.writer import Encoding
from tests.benchmarks.looped import looped
from tests.in_process import InProcess, cheap_work
from tests.made_scenes import walk_scene

# Processor time of the models for a frame with two people, in ms: about 30 frames/s a core.
FRAME_CORE_MS = 33.0
FPS = 30


def make_clips(folder: Path, clip: Path, count: int) -> list[Path]:
    """Copies that differ in a box that players skip."""
    folder.mkdir()
    data, made = clip.read_bytes(), []
    for number in range(count):
        free = (12).to_bytes(4, "big") + b"free" + number.to_bytes(4, "big")
        made.append(folder / f"{number:05}.mp4")
        made[-1].write_bytes(data + free)
    return made


def core_s(home: Path, videos: list[Path]) -> dict[str, float]:
    """Processor seconds of each command, in a store of its own."""
    home.mkdir()
    host = InProcess(home, settings_from().packs, videos)
    out = home / "people.json"
    commands = {
        "submit": ("submit", videos[0].parent, "--detect-every", "1"),
        "again": ("submit", videos[0].parent, "--detect-every", "1"),
        "status": ("status",),
        "export": ("export", "--out", out),
    }
    spent = {}
    for name, arguments in commands.items():
        began = time.process_time()
        said = host.run(*arguments)
        spent[name] = time.process_time() - began
        assert (said.code, said.defect) == (0, None), said
    return spent


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=500)
    parser.add_argument("--frames", type=int, default=30, help="of a clip")
    parser.add_argument("--profile", action="store_true", help="show what the clips cost")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="annotate-clips-"))
    clip = folder / "clip.mp4"
    render_video(walk_scene(seconds=asked.frames / FPS), clip, Encoding(gop=asked.frames))
    clips = make_clips(folder / "clips", clip, asked.clips)
    (folder / "one").mkdir()
    one = [looped(clip, asked.clips, folder / "one" / "one.mp4")]
    try:
        with cheap_work():
            core_s(folder / "warm", make_clips(folder / "few", clip, 2))
            whole = core_s(folder / "whole", one)
            profile = cProfile.Profile()
            if asked.profile:
                profile.enable()
            many = core_s(folder / "many", clips)
            profile.disable()
    finally:
        shutil.rmtree(folder)
    print(f"{asked.clips} clips of {asked.frames} frames    one video    clips    core-ms a clip")
    for name in many:
        more = 1000 * (many[name] - whole[name]) / asked.clips
        print(f"{name:20} {whole[name]:16.1f} s {many[name]:6.1f} s {more:12.1f}")
    models = asked.clips * asked.frames * FRAME_CORE_MS / 1000
    ratio = (models + many["submit"]) / (models + whole["submit"])
    print(f"submit with the models' {models:.0f} core-s: {ratio:.2f} times one video")
    if asked.profile:
        pstats.Stats(profile).sort_stats("cumulative").print_stats(45)


if __name__ == "__main__":
    main()
