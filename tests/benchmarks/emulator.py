"""Quantized packs on the CPU and on the HTP emulator, against the float pack, in Markdown.

    python -m tests.benchmarks.emulator FLOAT_PACK [PACK...] --videos VIDEO... [--frames 12]

Both answer for the same real crops as the float models on the CPU do. The error of landmarks is a
fraction of the crop's side, that of the detector's points one of the ROI's side. A run of a model
takes the emulator a second, so a few frames must do: their number is printed.
"""

import argparse
import tempfile
from pathlib import Path

from annotate.domain.soc import SOCS
from annotate.inference import Models, QnnSettings, load_models
from annotate.inference.placement import placement
from annotate.inference.qnn import PROVIDER, open_session, versions
from annotate.packs.installed import verify_pack
from annotate.pipeline.calibration_crops import Crops, take_crops
from annotate.use_cases.quantize import pack_fidelity

SOC = SOCS[0]


def rows(folder: Path, reference: Models, crops: Crops) -> list[str]:
    """A row for each model of the pack on the CPU, and on the emulator."""
    pack = verify_pack(folder)
    with tempfile.TemporaryDirectory() as cache:
        settings = QnnSettings(SOC, {}, Path(cache))
        on_npu = load_models(pack, folder, provider="qnn", qnn=settings)
        everywhere = {"CPU": load_models(pack, folder), "emulator": on_npu}
        found = {name: pack_fidelity(one, reference, crops) for name, one in everywhere.items()}
    lines = []
    for stage, spec in pack.stages.items():
        file = folder / spec.file
        placed = placement(open_session(file, SOC, {}))
        elsewhere = sum(count for name, count in placed.items() if name != PROVIDER)
        for name, each in found.items():
            one = each[stage]
            lines.append(
                f"| {pack.name} | {stage} | {name} | {one.median_error:.2%} | {one.p95_error:.2%} "
                f"| {one.lost} | {one.added} | {one.people} | {placed[PROVIDER]} + {elsewhere} "
                f"| {file.stat().st_size / 1e6:.1f} MB |"
            )
    return lines


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packs", nargs="+", type=Path, metavar="PACK")
    parser.add_argument("--videos", nargs="+", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=12)
    arguments = parser.parse_args()
    first = arguments.packs[0]
    reference = load_models(verify_pack(first), first)
    _, crops = take_crops(arguments.videos, reference, arguments.frames, lambda *_: None)
    print(", ".join(f"{name} {version}" for name, version in versions().items()))
    print(f"htp-emulator, {SOC.title}; {len(crops.detector)} frames, {len(crops.landmark)} crops\n")
    print("| pack | model | on | median | p95 | lost | added | people | nodes, NPU + CPU | size |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for folder in arguments.packs:
        print("\n".join(rows(folder, reference, crops)), flush=True)


if __name__ == "__main__":
    main()
