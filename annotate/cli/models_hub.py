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
from annotate.use_cases.find_pack import DEFAULT_PACK

if TYPE_CHECKING:
    from annotate.cli.progress import Phases
    from annotate.pipeline.calibration_crops import Crops
    from annotate.use_cases.hub import HubPack
    from annotate.use_cases.hub_verify import Verdict

CALIBRATION_FRAMES, VERIFY_FRAMES = 96, 24

app = typer.Typer(
    no_args_is_help=True,
    help="Compile, profile and verify a pack on devices that Qualcomm AI Hub hosts.",
)


class Runtime(StrEnum):
    """What AI Hub compiles for."""

    ONNX = "onnx"
    PRECOMPILED = "precompiled_qnn_onnx"
    CONTEXT_BINARY = "qnn_context_binary"
    DLC = "qnn_dlc"
    TFLITE = "tflite"


class Precision(StrEnum):
    """What the compiled models compute in."""

    FLOAT = "float"
    W8A8 = "w8a8"


NameArgument = Annotated[
    str | None, typer.Argument(metavar="PACK", show_default="the default pack")
]
DeviceOption = Annotated[
    str, typer.Option(help="As `annotate models hub devices` calls it.", show_default=False)
]
RuntimeOption = Annotated[Runtime, typer.Option(help="What to compile for.")]
PrecisionOption = Annotated[Precision, typer.Option(help="What the models compute in.")]
VideosOption = Annotated[
    list[Path] | None,
    typer.Option("--videos", metavar="VIDEO", help="Videos of yours, to take real crops from."),
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

    Interrupt it whenever you like: the same command goes on with the same jobs. Workers take what
    was compiled once `verify` has passed it.

    Examples:

      annotate models hub compile --device "Snapdragon X Elite CRD"

      annotate models hub compile --device "QCS8550 (Proxy)" --precision w8a8 --videos a.mp4
    """
    with _asked(name, device, runtime, precision) as (asked, phase):
        crops = None
        if precision is not Precision.FLOAT:
            crops = _crops(asked, videos, CALIBRATION_FRAMES, phase, judge=False)
        files = asked.compile(crops)
    _tell(files)
    typer.echo(f"Next: annotate models hub verify {_again(asked)} --videos VIDEO")


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
            help="Compile jobs of detector and landmark model, in this order.",
        ),
    ] = None,
) -> None:
    """Download what AI Hub compiled, waiting for it where it must; nothing is compiled anew."""
    jobs = job or []
    if len(jobs) not in (0, 2):
        raise UsageError("--job is needed twice", "First the detector's job, then the other's.")
    with _asked(name, device, runtime, precision) as (asked, _):
        files = asked.fetch(jobs)
    _tell(files)


@app.command("profile")
def profile(
    name: NameArgument = None,
    *,
    device: DeviceOption,
    runtime: RuntimeOption = Runtime.PRECOMPILED,
    precision: PrecisionOption = Precision.FLOAT,
    as_json: JsonOption = False,
) -> None:
    """Time compiled models on the device; prints the table of AI Hub's model cards in Markdown."""
    from annotate.hub.table import markdown

    with _asked(name, device, runtime, precision) as (asked, _):
        rows = asked.profile()
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

    Models pass when every output agrees to 30 dB and landmarks lie within 1% of the crop, both in
    the median, and at most 5% of the people are lost. What passes and is precompiled for a known
    SoC is put where workers take it: float models into the pack, 8-bit ones into a pack of their
    own.
    """
    from annotate.use_cases.hub_verify import PRECOMPILED, adopt
    from annotate.use_cases.hub_verify import verify as verify_pack

    with _asked(name, device, runtime, precision) as (asked, phase):
        crops = _crops(asked, videos, VERIFY_FRAMES, phase, judge=True)
        verdict = verify_pack(asked, crops)
        if not as_json:
            _print(verdict)
        used = adopt(asked, crops) if not verdict.reason and runtime == PRECOMPILED else None
    if as_json:
        fields = {
            "fidelity": {stage: one.to_fields() for stage, one in verdict.fidelity.items()},
            "reason": verdict.reason,
            "passed": not verdict.reason,
            "variant": str(used) if used else None,
        }
        typer.echo(json.dumps(fields, indent=2))
    elif used:
        typer.echo(f"Workers take the models from {used}")
    if verdict.reason:
        raise typer.Exit(ExitCode.BAD_PACK)


@contextmanager
def _asked(
    name: str | None, device: str, runtime: Runtime, precision: Precision
) -> Iterator[tuple["HubPack", "Phases"]]:
    """The pack and target that the command line names, and a bar for what is waited for."""
    from annotate.cli.progress import phases
    from annotate.hub import Hub, Target
    from annotate.inference import load_models
    from annotate.packs.installed import verify_pack
    from annotate.use_cases.hub import HubPack

    folder = settings_from().packs / (name or DEFAULT_PACK)
    pack = verify_pack(folder)
    target = Target(device, runtime.value, precision.value)
    with phases() as phase:
        try:
            hub = Hub()
            yield HubPack(hub, load_models(pack, folder), folder, target, phase), phase
        except KeyboardInterrupt:
            typer.echo("Stopped waiting; the jobs go on. So does the same command.", err=True)
            raise typer.Exit(ExitCode.INTERRUPTED) from None


def _crops(
    asked: "HubPack", videos: list[Path] | None, frames: int, phase: "Phases", *, judge: bool
) -> "Crops":
    from annotate.pipeline.calibration_crops import real_crops

    if not videos:
        raise UsageError(
            "real crops are needed, and no video is named", "Name some: --videos VIDEO."
        )
    return real_crops(videos, asked.models, frames, phase)[judge]


def _again(asked: "HubPack") -> str:
    target = asked.target
    return (
        f'{asked.models.pack.name} --device "{target.device}" --runtime {target.runtime} '
        f"--precision {target.precision}"
    )


def _tell(files: list[Path]) -> None:
    for file in files:
        typer.echo(f"{file}  {file.stat().st_size / 1e6:.1f} MB")


def _print(verdict: "Verdict") -> None:
    typer.echo("| Model | Output | PSNR (dB) | Median error | 95% below | Lost | People |")
    typer.echo("|---|---|---|---|---|---|---|")
    for stage, found in verdict.fidelity.items():
        for output, decibel in found.agreement_db.items():
            typer.echo(
                f"| {stage} | {output} | {decibel:.1f} | {found.median_error:.2%} "
                f"| {found.p95_error:.2%} | {found.lost} | {found.people} |"
            )
    typer.echo(f"Blocked: {verdict.reason}" if verdict.reason else "Passed.")
