"""Both models of packs on the HTP emulator against the CPU: placement and difference, in Markdown.

    python -m tests.benchmarks.emulator PACK_FOLDER... --videos VIDEO... [--frames 12]

Each pack is compared with itself on the CPU, on real crops. The difference of landmarks
is a fraction of the crop's side, that of the detector's points one of the ROI's side.
"""

import argparse
import tempfile
from pathlib import Path

from annotate.domain.soc import SOCS
from annotate.inference import QnnSettings, load_models
from annotate.inference.placement import placement
from annotate.inference.qnn import PROVIDER, open_session, versions
from annotate.packs.installed import verify_pack
from annotate.pipeline.calibration_crops import take_crops
from annotate.use_cases.quantize import pack_fidelity

SOC = SOCS[0]


def rows(folder: Path, videos: list[Path], frames: int) -> list[str]:
    """A row for each model of the pack."""
    pack = verify_pack(folder)
    on_cpu = load_models(pack, folder)
    _, crops = take_crops(videos, on_cpu, frames, lambda *_: None)
    with tempfile.TemporaryDirectory() as cache:
        settings = QnnSettings(SOC, {}, Path(cache))
        on_npu = load_models(pack, folder, provider="qnn", qnn=settings)
        found = pack_fidelity(on_npu, on_cpu, crops)
    lines = []
    for stage, fidelity in found.items():
        file = folder / pack.stages[stage].file
        placed = placement(open_session(file, SOC, {}))
        elsewhere = sum(count for name, count in placed.items() if name != PROVIDER)
        lines.append(
            f"| {pack.name} | {stage} | {placed[PROVIDER]} | {elsewhere} "
            f"| {min(fidelity.agreement_db.values()):.0f} dB | {fidelity.median_error:.3%} "
            f"| {fidelity.p95_error:.2%} | {fidelity.lost} of {fidelity.people} |"
        )
    return lines


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packs", nargs="+", type=Path)
    parser.add_argument("--videos", nargs="+", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=12)
    arguments = parser.parse_args()
    print(", ".join(f"{name} {version}" for name, version in versions().items()))
    print(f"htp-emulator, {SOC.title}\n")
    print("| pack | model | nodes on QNN | on the CPU | least output | median | p95 | lost |")
    print("|---|---|---|---|---|---|---|---|")
    for folder in arguments.packs:
        print("\n".join(rows(folder, arguments.videos, arguments.frames)))


if __name__ == "__main__":
    main()
