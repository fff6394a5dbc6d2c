"""Measures the constants of what annotating costs, and prints each beside the one that is held.

    python -m tests.benchmarks.cost_constants VIDEO... [--part NAME]... [--repeats 3]

The parts are `decode`, `pipeline`, `tracks` and `start`, each under three minutes with videos of
some seconds and two packs installed. Copy what has changed into
`annotate/numeric/cost_constants.py`, and say there what they were measured on. Times are those of
processor time; the least of the repeats counts, since other work can only add to it.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from annotate.domain.video import Chunk, VideoIndex
from annotate.numeric.cost_constants import MEASURED
from annotate.use_cases.host_speed import yardstick_ms
from annotate.video import decode, probe
from tests.benchmarks.cost_pipeline import measure_pipeline
from tests.benchmarks.cost_start import measure_start
from tests.benchmarks.cost_tracks import measure_tracks
from tests.benchmarks.encoded import ENCODERS, FRAMES, encoded
from tests.benchmarks.fits import fitted, least_ms
from tests.benchmarks.ways import bare_decode
from workers.process import prepare_process

# Of these, one frame is annotated.
THINNED = 8


def measure_decode(videos: list[Path], repeats: int) -> Iterator[tuple[str, float]]:
    """Nanoseconds for a stored pixel and a byte, and the share of a skipped frame, by codec."""
    os.environ["SVT_LOG"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        for codec in ENCODERS:
            work, took, thin = [], [], []
            for path in encoded(videos[0], codec, Path(folder)):
                index = probe(path)
                work.append((index.width * index.height, path.stat().st_size / len(index)))
                thin.append(least_ms(repeats, FRAMES, partial(thinned, path, index)) * 1e6)
                took.append(least_ms(repeats, FRAMES, partial(bare_decode, path)) * 1e6)
            pixel_ns, byte_ns = fitted(work, took)
            yield f"decode {codec} pixel_ns", pixel_ns
            yield f"decode {codec} byte_ns", byte_ns
            # The whole decode of what is thinned also makes pictures, of few frames.
            pictures = MEASURED.picture_pixel_ns * sum(pixels for pixels, _ in work) / THINNED
            share = (sum(thin) - pictures) / sum(took)
            yield f"decode {codec} skipped", (share - 1 / THINNED) / (1 - 1 / THINNED)


def thinned(path: Path, index: VideoIndex) -> None:
    """Decodes what is needed for some frames, and makes their pictures."""
    asked = np.arange(0, len(index), THINNED)
    for _ in decode(path, index, Chunk(0, len(asked)), asked=asked):
        pass


PARTS: Mapping[str, Callable[[list[Path], int], Iterator[tuple[str, float]]]] = {
    "decode": measure_decode,
    "pipeline": measure_pipeline,
    "tracks": measure_tracks,
    "start": measure_start,
}


def _held(name: str) -> float | None:
    kind, _, rest = name.partition(" ")
    if kind == "decode":
        codec, _, field = rest.partition(" ")
        known = MEASURED.decode.get(codec)
        return None if known is None else float(getattr(known, field))
    return getattr(MEASURED, name, None)


def main() -> None:
    """Prints a line a constant: its name, measured, held."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--part", action="append", choices=[*PARTS])
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    prepare_process()
    print(f"{'':32} {'measured':>10} {'held':>10}")
    print(_line("yardstick_ms", yardstick_ms()))
    for part in arguments.part or PARTS:
        for name, value in PARTS[part](arguments.videos, arguments.repeats):
            print(_line(name, value), flush=True)


def _line(name: str, value: float) -> str:
    held = _held(name)
    return f"{name:32} {value:10.4g} {'' if held is None else format(held, '10.4g')}"


if __name__ == "__main__":
    main()
