"""Sizes and compile times of the context binaries, as a Markdown table.

    python -m tests.benchmarks.compile_table PACK_FOLDER [SOC...]

Compiles a copy of the pack for these SoCs, else for every known one, each NPU once; those whose
NPUs do not take it are named with the reason. The pack itself is not changed.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from annotate.domain.errors import ProviderError
from annotate.domain.soc import SOCS, Soc, find_soc, with_same_npu
from annotate.inference.compiled import compile_variant
from annotate.inference.isolated import run_isolated
from annotate.inference.qnn import versions
from annotate.packs.installed import verify_pack


def main(source: Path, socs: Iterable[Soc]) -> None:
    """Prints the table."""
    print(", ".join(f"{name} {version}" for name, version in versions().items()), end="; ")
    print(f"{os.cpu_count()} cores\n")
    print("| SoC | HTP | model | ONNX (MB) | context binary (MB) | compile (s) |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        folder = shutil.copytree(source, Path(scratch) / source.name)
        pack = verify_pack(folder)
        for soc in dict.fromkeys(map(with_same_npu, socs)):
            try:
                done = run_isolated(compile_variant, pack, folder, soc)
            except ProviderError as error:
                print(f"| {soc.title} | v{soc.htp_arch} | not compiled: {error.hint} | | | |")
                continue
            for one in done:
                onnx = (folder / one.model).stat().st_size
                print(
                    f"| {soc.title} | v{soc.htp_arch} | {one.model} | {onnx / 1e6:.1f} "
                    f"| {one.size_bytes / 1e6:.1f} | {one.compile_s:.2f} |"
                )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path)
    parser.add_argument("socs", nargs="*")
    given = parser.parse_args()
    main(given.pack, [find_soc(name) for name in given.socs] or SOCS)
