"""`annotate models quantize`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotate.cli.options import JsonOption
from annotate.domain.settings import settings_from
from annotate.use_cases.find_pack import installed_pack

if TYPE_CHECKING:
    from annotate.use_cases.quantize import QuantizedModel


def quantize(
    name: Annotated[
        str | None, typer.Argument(metavar="PACK", show_default="the one that `submit` takes")
    ] = None,
    *,
    videos: Annotated[
        list[Path],
        typer.Option(
            "--videos", metavar="VIDEO", help="A video to calibrate with; may be repeated."
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Make a pack with 8-bit models, calibrated on crops of your videos.

    Such a pack is faster on NPUs and on CPUs with 8-bit dot products. It is judged on crops of the
    last third of each video, which are not used for calibration, and refused if the median error
    there is more than 1% of the crop.

    Examples:

      annotate models quantize --videos a.mp4 --videos b.mp4

      annotate submit videos/*.mp4 --pack blazepose-full-w8a8
    """
    from annotate.cli.progress import phases
    from annotate.use_cases.quantize import quantize_pack

    with phases() as phase:
        folder, found = quantize_pack(installed_pack(settings_from().packs, name), videos, phase)
    if as_json:
        fields = {
            stage: {"float_layers": one.float_layers, "fidelity": one.fidelity.to_fields()}
            for stage, one in found.items()
        }
        typer.echo(json.dumps(fields, indent=2))
        return
    _print(found)
    typer.echo(f"Model pack {folder.name} is in {folder}")
    typer.echo(f"Next: annotate submit VIDEO... --pack {folder.name}")


def _print(found: "dict[str, QuantizedModel]") -> None:
    typer.echo("| Model | Median error | 95th percentile | Lost | People | Float convolutions |")
    typer.echo("|---|---|---|---|---|---|")
    for stage, one in found.items():
        first, last = one.float_layers
        fidelity = one.fidelity
        typer.echo(
            f"| {stage} | {fidelity.median_error:.2%} | {fidelity.p95_error:.2%} "
            f"| {fidelity.lost} | {fidelity.people} | first {first}, last {last} |"
        )
