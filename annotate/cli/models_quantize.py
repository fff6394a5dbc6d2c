"""`annotate models quantize`."""

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotate.cli.options import JsonOption
from annotate.domain.settings import settings_from
from annotate.use_cases.find_pack import installed_pack

if TYPE_CHECKING:
    from annotate.inference.layer_errors import LayerError
    from annotate.use_cases.quantize import QuantizedModel


class Activations(StrEnum):
    """How many bits an activation has."""

    BITS_8 = "8"
    BITS_16 = "16"


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
    activations: Annotated[
        Activations,
        typer.Option(help="Bits of the activations. 16 are more exact, but slow on a CPU."),
    ] = Activations.BITS_8,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print the error of every layer too.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a pack with 8-bit models, calibrated on crops of your videos.

    Such a pack is faster on NPUs and on CPUs with 8-bit dot products. It is judged on crops of the
    last third of each video, which are not used for calibration, and refused if the median error
    there is more than 1% of the crop.

    Examples:

      annotate models quantize --videos a.mp4 --videos b.mp4

      annotate models quantize --videos a.mp4 --activations 16 --explain

      annotate submit videos/*.mp4 --pack blazepose-full-w8a8
    """
    from annotate.cli.progress import phases
    from annotate.use_cases.quantize import quantize_pack

    with phases() as phase:
        folder, found = quantize_pack(
            installed_pack(settings_from().packs, name),
            videos,
            phase,
            bits=8 if activations is Activations.BITS_8 else 16,
            explain=explain,
        )
    if as_json:
        typer.echo(json.dumps(_fields(found), indent=2))
        return
    _print(found)
    for stage, one in found.items():
        _print_layers(stage, one.layers)
    typer.echo(f"Model pack {folder.name} is in {folder}")
    typer.echo(f"Next: annotate submit VIDEO... --pack {folder.name}")


def _fields(found: "dict[str, QuantizedModel]") -> dict[str, object]:
    """How each stage was quantized, for JSON."""
    return {
        stage: {
            "float_layers": one.float_layers,
            "fidelity": one.fidelity.to_fields(),
            "layers": [layer.to_fields() for layer in one.layers],
        }
        for stage, one in found.items()
    }


def _print(found: "dict[str, QuantizedModel]") -> None:
    typer.echo("| Model | Median error | p95 | Lost | Added | People | Float convolutions |")
    typer.echo("|---|---|---|---|---|---|---|")
    for stage, one in found.items():
        first, last = one.float_layers
        fidelity = one.fidelity
        typer.echo(
            f"| {stage} | {fidelity.median_error:.2%} | {fidelity.p95_error:.2%} "
            f"| {fidelity.lost} | {fidelity.added} | {fidelity.people} "
            f"| first {first}, last {last} |"
        )


def _print_layers(stage: str, layers: "Sequence[LayerError]") -> None:
    if not layers:
        return
    typer.echo(f"\nSignal to noise of the {stage} model's layers in dB (40 dB: an error of 1%)")
    typer.echo("| Layer | Weights | Output, rounded alone | Output, with all errors before |")
    typer.echo("|---|---|---|---|")
    for layer in layers:
        each = (layer.weights_db, layer.rounding_db, layer.total_db)
        cells = ("float" if db is None else f"{db:.1f}" for db in each)
        typer.echo(f"| {layer.layer} | {' | '.join(cells)} |")
