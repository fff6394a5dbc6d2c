"""What `submit --precision` finds on videos, each alone: in bfloat16, and with a pack in 8 bits.

python -m tests.benchmarks.precision_trial PACK_FOLDER VIDEO...
"""

import argparse
from pathlib import Path

from annotate.domain.pack import read_pack
from annotate.domain.progress import silent
from annotate.inference import load_models
from annotate.pipeline.bursts import take_bursts
from annotate.use_cases.quantize import quantized_name
from annotate.use_cases.try_precision import BURSTS, compare
from annotate.video import probe


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("videos", type=Path, nargs="+")
    arguments = parser.parse_args()
    pack = read_pack(arguments.pack)
    reference = load_models(pack, arguments.pack)
    tried = {"bf16": load_models(pack, arguments.pack, precision="bf16")}
    eight_bits = arguments.pack.with_name(quantized_name(pack))
    if eight_bits.exists():
        tried["int8"] = load_models(read_pack(eight_bits), eight_bits)
    print("| video | precision | faster | median error | jitter | people | refused |")
    print("|---|---|---|---|---|---|---|")
    for video in arguments.videos:
        crops = take_bursts([(video, probe(video))], reference, BURSTS, silent)
        for name, models in tried.items():
            found = compare(models, reference, crops)
            print(
                f"| {video.stem} | {name} | {found.faster:.2f} | {found.median_error:.2%} "
                f"| {found.jitter:.2f} | {found.people} | {found.refused} |"
            )


if __name__ == "__main__":
    main()
