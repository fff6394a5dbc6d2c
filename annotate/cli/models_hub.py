"""`annotate models hub`: Qualcomm AI Hub."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotate.cli.options import JsonOption
from annotate.domain.errors import ExitCode, UsageError
from annotate.domain.settings import settings_from
from annotate.use_cases.find_pack import installed_pack

if TYPE_CHECKING:
    from annotate.cli.progress import Phases
    from annotate.pipeline.calibration_crops import Crops
    from annotate.use_cases.hub import HubPack
    from annotate.use_cases.hub_verify import Verdict

# Frames that crops are taken from, over all videos together.
CALIBRATION_FRAMES, VERIFY_FRAMES = 96, 24

app = typer.Typer(
    no_args_is_help=True,
    help="Compile, profile and verify a pack on devices that Qualcomm AI Hub hosts.",
)


class Runtime(StrEnum):
    """The runtimes that AI Hub compiles for."""

    ONNX = "onnx"
    PRECOMPILED = "precompiled_qnn_onnx"
    CONTEXT_BINARY = "qnn_context_binary"
    DLC = "qnn_dlc"
    TFLITE = "tflite"


class Precision(StrEnum):
    """The number formats that compiled models compute in."""

    FLOAT = "float"
    W8A8 = "w8a8"


NameArgument = Annotated[
    str | None, typer.Argument(metavar="PACK", show_default="the one that `submit` takes")
]
DeviceOption = Annotated[
    str, typer.Option(help="A name from `annotate models hub devices`.", show_default=False)
]
RuntimeOption = Annotated[Runtime, typer.Option(help="The runtime to compile for.")]
PrecisionOption = Annotated[Precision, typer.Option(help="float, or w8a8 for 8 bits.")]
VideosOption = Annotated[
    list[Path] | None,
    typer.Option("--videos", metavar="VIDEO", help="A video to take crops from; may be repeated."),
]


@app.command("devices")
def devices(*, as_json: JsonOption = False) -> None:
    """List the devices of AI Hub."""
    from annotate.hub import Hub

    found = Hub().devices()
    if as_json:
        typer.echo(json.dumps([asdict(device) for device in found], indent=2))
        return
    width = max((len(device.name) for device in found), default=0)
    for device in found:
        typer.echo(f"{device.name:{width}}  {device.os:8}  {device.chipset}")


@app.command("compile")
def compile_pack(
    name: NameArgument = None,
    *,
    device: DeviceOption,
    runtime: RuntimeOption = Runtime.PRECOMPILED,
    precision: PrecisionOption = Precision.FLOAT,
    videos: VideosOption = None,
) -> None:
    """Compile a pack on AI Hub and download it into the pack's folder.

    You may interrupt it: the same command continues with the same jobs. Workers use the compiled
    models once they pass `verify`.

    Examples:

      annotate models hub compile --device "Snapdragon X Elite CRD"

      annotate models hub compile --device "QCS8550 (Proxy)" --precision w8a8 --videos a.mp4
    """
    with _opened(name, device, runtime, precision) as (hub_pack, phase):
        crops = None
        if precision is not Precision.FLOAT:
            crops, _ = _crops(hub_pack, videos, CALIBRATION_FRAMES, phase)
        files = hub_pack.compile(crops)
    _print_files(files)
    typer.echo(f"Next: annotate models hub verify {_same_options(hub_pack)} --videos VIDEO")


@app.command("fetch")
def fetch(
    name: NameArgument = None,
    *,
    device: DeviceOption,
    runtime: RuntimeOption = Runtime.PRECOMPILED,
    precision: PrecisionOption = Precision.FLOAT,
    job: Annotated[
        list[str] | None,
        typer.Option(
            "--job",
            metavar="ID",
            help="The detector's compile job, then the landmark model's.",
        ),
    ] = None,
) -> None:
    """Wait for models that AI Hub is compiling, and download them. Nothing is compiled again."""
    jobs = job or []
    if len(jobs) not in (0, 2):
        raise UsageError(
            "--job must be given twice", "First the detector's job, then the landmark model's."
        )
    with _opened(name, device, runtime, precision) as (hub_pack, _):
        files = hub_pack.fetch(jobs)
    _print_files(files)


@app.command("profile")
def profile(
    name: NameArgument = None,
    *,
    device: DeviceOption,
    runtime: RuntimeOption = Runtime.PRECOMPILED,
    precision: PrecisionOption = Precision.FLOAT,
    as_json: JsonOption = False,
) -> None:
    """Time compiled models on the device; print a Markdown table like AI Hub's model cards."""
    from annotate.hub.table import markdown

    with _opened(name, device, runtime, precision) as (hub_pack, _):
        rows = hub_pack.profile()
    if as_json:
        listed = [{**asdict(row), "compute_unit": row.compute_unit} for row in rows]
        typer.echo(json.dumps(listed, indent=2))
    else:
        typer.echo(markdown(rows))


@app.command("verify")
def verify(
    name: NameArgument = None,
    *,
    device: DeviceOption,
    runtime: RuntimeOption = Runtime.PRECOMPILED,
    precision: PrecisionOption = Precision.FLOAT,
    videos: VideosOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run crops of your videos on the device and compare with the CPU.

    Models pass if every output agrees to 30 dB and landmarks lie within 1% of the crop, both in the
    median, and at most 5% of the people are lost. Precompiled models for a known SoC that pass are
    installed where workers find them: float models in the pack, 8-bit models in a new pack.
    """
    from annotate.use_cases.hub_verify import PRECOMPILED, adopt
    from annotate.use_cases.hub_verify import verify as verify_pack

    with _opened(name, device, runtime, precision) as (hub_pack, phase):
        _, crops = _crops(hub_pack, videos, VERIFY_FRAMES, phase)
        verdict = verify_pack(hub_pack, crops)
        if not as_json:
            _print(verdict)
        installed = (
            adopt(hub_pack, crops) if not verdict.reason and runtime == PRECOMPILED else None
        )
    if as_json:
        fields = {
            "fidelity": {stage: one.to_fields() for stage, one in verdict.fidelity.items()},
            "reason": verdict.reason,
            "passed": not verdict.reason,
            "variant": str(installed) if installed else None,
        }
        typer.echo(json.dumps(fields, indent=2))
    elif installed:
        typer.echo(f"Workers will use the models in {installed}")
    if verdict.reason:
        raise typer.Exit(ExitCode.BAD_PACK)


@contextmanager
def _opened(
    name: str | None, device: str, runtime: Runtime, precision: Precision
) -> Iterator[tuple["HubPack", "Phases"]]:
    """The pack and target of the command line, and a progress bar."""
    from annotate.cli.progress import phases
    from annotate.hub import Hub, Target
    from annotate.inference import load_models
    from annotate.packs.installed import verify_pack
    from annotate.use_cases.hub import HubPack

    folder = installed_pack(settings_from().packs, name)
    pack = verify_pack(folder)
    target = Target(device, runtime.value, precision.value)
    with phases() as phase:
        try:
            hub = Hub()
            yield HubPack(hub, load_models(pack, folder), folder, target, phase), phase
        except KeyboardInterrupt:
            typer.echo(
                "Stopped waiting; the jobs go on. Run the same command again to continue.", err=True
            )
            raise typer.Exit(ExitCode.INTERRUPTED) from None


def _crops(
    hub_pack: "HubPack", videos: list[Path] | None, frames: int, phase: "Phases"
) -> tuple["Crops", "Crops"]:
    """Crops for calibration, and held-out ones."""
    from annotate.pipeline.calibration_crops import take_crops

    if not videos:
        raise UsageError(
            "crops are needed, but no video is given", "Give at least one: --videos VIDEO."
        )
    return take_crops(videos, hub_pack.models, frames, phase)


def _same_options(hub_pack: "HubPack") -> str:
    target = hub_pack.target
    return (
        f'{hub_pack.models.pack.name} --device "{target.device}" --runtime {target.runtime} '
        f"--precision {target.precision}"
    )


def _print_files(files: list[Path]) -> None:
    for file in files:
        typer.echo(f"{file}  {file.stat().st_size / 1e6:.1f} MB")


def _print(verdict: "Verdict") -> None:
    typer.echo("| Model | Output | PSNR (dB) | Median error | 95th percentile | Lost | People |")
    typer.echo("|---|---|---|---|---|---|---|")
    for stage, found in verdict.fidelity.items():
        for output, decibel in found.agreement_db.items():
            typer.echo(
                f"| {stage} | {output} | {decibel:.1f} | {found.median_error:.2%} "
                f"| {found.p95_error:.2%} | {found.lost} | {found.people} |"
            )
    typer.echo(f"Failed: {verdict.reason}" if verdict.reason else "Passed.")
