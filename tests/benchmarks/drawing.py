"""Draws a long video with sound, and compares the drawing with its source.

    python -m tests.benchmarks.drawing [--minutes 10] [--size 1280 720] [--folder FOLDER]

A made person is drawn into every frame of a made video, with `--trail 2 --audio`, first of a tenth
of the length, which shows whether memory grows. Prints core-milliseconds a frame and peak memory;
exits with 1 if the number of frames, a time or a packet of sound differs.
"""

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from annotate.domain.look import Look
from annotate.domain.settings import settings_from
from annotate.video import probe
from tests.benchmarks.export_scale import RSS_UNIT
from tests.made_drawings import annotated, sound_of
from tests.made_videos import FPS, Layout

PACK = "blazepose-full"
# Times in the drawing's time base and in the source's, in seconds.
TIME_TOLERANCE_S = 0.001


def draw(source: Path) -> None:
    """Draws the video, and prints its row of the table."""
    frames = len(probe(source))
    made = annotated(source, settings_from().packs / PACK, range(frames))
    began = time.process_time()
    target = made.drawing().write_video(source.parent / "out", Look(audio=True, trail=2))
    core_ms = 1000 * (time.process_time() - began) / frames
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT / 1e6
    differs = differences(source, target)
    print(f"{frames:9,} {core_ms:14.1f} {peak:9.0f}   {', '.join(differs) or 'same'}", flush=True)
    sys.exit(bool(differs))


def differences(source: Path, target: Path) -> list[str]:
    """What of the drawing is not as in its source."""
    old, new = probe(source), probe(target)
    if len(old) != len(new):
        return [f"{len(new)} frames"]
    found = []
    if np.abs(old.player_s - new.player_s).max() > TIME_TOLERANCE_S:
        found.append("times")
    if [data for _, data in sound_of(source)] != [data for _, data in sound_of(target)]:
        found.append("sound")
    return found


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 720))
    parser.add_argument("--folder", type=Path, help="where to work; default: the system's folder")
    asked = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    print("   frames  core-ms a frame  peak MB   times, sound and number of frames")
    codes = []
    for share in (0.1, 1.0):
        with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
            seconds = 60 * asked.minutes * share
            layout = Layout(
                ".mp4", size=tuple(asked.size), frames=round(seconds * FPS), sound_s=seconds
            )
            source = layout.make(Path(folder) / "film.mp4").path
            process = context.Process(target=draw, args=(source,))
            process.start()
            process.join()
            codes.append(process.exitcode)
    sys.exit(any(codes))


if __name__ == "__main__":
    main()
