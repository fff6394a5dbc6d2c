"""Speed and error of an 8-bit pack against the float one it was made of, on one core.

    python -m tests.benchmarks.quantized FLOAT_PACK_FOLDER PACK_FOLDER VIDEO... [--rounds 60]

The models of both packs run in turn, so that other load on the machine slows both. The error is
that of landmarks on crops of the last third of each video, as in `annotate models quantize`.
"""

import argparse
import statistics
import time
from pathlib import Path

import onnxruntime as ort

from annotate.inference import Models, load_models
from annotate.packs.installed import verify_pack
from annotate.pipeline.calibration_crops import Crops, take_crops
from annotate.use_cases.quantize import FRAMES, pack_fidelity

WARM_UP = 5


def times_ms(both: tuple[Models, Models], stage: str, crops: Crops, rounds: int) -> list[float]:
    """Median time of a run of each pack's model."""
    pictures = crops.of(stage)
    times: list[list[float]] = [[], []]
    for turn in range(rounds + WARM_UP):
        picture = pictures[turn % len(pictures)]
        for models, taken in zip(both, times, strict=True):
            began = time.perf_counter()
            models.stage(stage).run(picture)
            taken.append((time.perf_counter() - began) * 1000)
    return [statistics.median(taken[WARM_UP:]) for taken in times]


def main() -> None:
    """Prints the table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packs", nargs=2, type=Path)
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=60)
    arguments = parser.parse_args()
    float_models, models = (load_models(verify_pack(folder), folder) for folder in arguments.packs)
    _, crops = take_crops(arguments.videos, float_models, FRAMES, lambda *_: None)
    found = pack_fidelity(models, float_models, crops)
    print(f"onnxruntime {ort.__version__}, one core, {models.pack.source}\n")
    print("| model | float (ms) | 8 bits (ms) | faster | median error | p95 | lost | people |")
    print("|---|---|---|---|---|---|---|---|")
    for stage, fidelity in found.items():
        slow, quick = times_ms((float_models, models), stage, crops, arguments.rounds)
        print(
            f"| {stage} | {slow:.2f} | {quick:.2f} | {slow / quick:.2f} x "
            f"| {fidelity.median_error:.2%} | {fidelity.p95_error:.2%} "
            f"| {fidelity.lost} | {fidelity.people} |"
        )


if __name__ == "__main__":
    main()
