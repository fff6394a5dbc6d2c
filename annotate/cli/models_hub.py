"""`annotate models hub`: Qualcomm AI Hub."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotate.cli.options import JsonOption, with_options
from annotate.domain.errors import ExitCode, UsageError
from annotate.domain.hub_options import HubOptions, Precision, Runtime
from annotate.domain.settings import settings_from
from annotate.use_cases.find_pack import installed_pack

if TYPE_CHECKING:
    from annotate.cli.progress import Phases
    from annotate.hub.table import ProfileRow
    from annotate.pipeline.calibration_crops import Crops
    from annotate.use_cases.hub import HubPack
    from annotate.use_cases.hub_verify import Verdict

# Frames that crops are taken from, over all videos together.
CALIBRATION_FRAMES, VERIFY_FRAMES = 96, 24

app = typer.Typer(
    no_args_is_help=True,
    help="Compile, profile and verify a pack on devices that Qualcomm AI Hub hosts.",
)


NameArgument = Annotated[
    str | None, typer.Argument(metavar="PACK", show_default="the one that `submit` takes")
]


class Form(StrEnum):
    """How the results of a profile are printed."""

    CARD = "card"
    TABLE = "table"
    JSON = "json"


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
@with_options(HubOptions)
def compile_pack(
    name: NameArgument = None, *, options: HubOptions, videos: VideosOption = None
) -> None:
    """Compile a pack on AI Hub and download it into the pack's folder.

    You may interrupt it: the same command continues with the same jobs. Workers use the compiled
    models once they pass `verify`.

    Examples:

      annotate models hub compile --device "Snapdragon X Elite CRD"

      annotate models hub compile --device "QCS8550 (Proxy)" --precision w8a8 --videos a.mp4
    """
    with _opened(name, options) as (hub_pack, phase):
        files = _compile(hub_pack, videos, phase)
    _print_files(files)
    typer.echo(f"Next: annotate models hub verify {_same_options(hub_pack)} --videos VIDEO")


@app.command("fetch")
@with_options(HubOptions)
def fetch(
    name: NameArgument = None,
    *,
    options: HubOptions,
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
    jobs, wanted = job or [], len(options.stages)
    if len(jobs) not in (0, wanted):
        raise UsageError(
            f"--job must be given {'once' if wanted == 1 else 'twice'}",
            "First the detector's job, then the landmark model's; with --component only its own.",
        )
    with _opened(name, options) as (hub_pack, _):
        files = hub_pack.fetch(jobs)
    _print_files(files)


@app.command("profile")
@with_options(HubOptions)
def profile(
    name: NameArgument = None,
    *,
    options: HubOptions,
    form: Annotated[
        Form, typer.Option("--format", help="The table or the text of AI Hub's cards, or JSON.")
    ] = Form.TABLE,
    as_json: JsonOption = False,
) -> None:
    """Time compiled models on the device, and print it as AI Hub's model cards do."""
    with _opened(name, options) as (hub_pack, _):
        rows = hub_pack.profile()
    typer.echo(_profiled(rows, Form.JSON if as_json else form))


@app.command("verify")
@with_options(HubOptions)
def verify(
    name: NameArgument = None,
    *,
    options: HubOptions,
    videos: VideosOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run crops of your videos on the device and compare with the CPU.

    Models pass if every output of the landmark model agrees to 30 dB and landmarks lie within 1% of
    the crop, both in the median, and at most 5% of the people are lost, or added. Precompiled
    models for a known SoC that pass are installed where workers find them: float models in the
    pack, 8-bit models in a new pack.
    """
    with _opened(name, options) as (hub_pack, phase):
        verdict, installed, why_not = _verify(hub_pack, videos, phase)
    if as_json:
        fields = {
            "fidelity": {stage: one.to_fields() for stage, one in verdict.fidelity.items()},
            "reason": verdict.reason,
            "passed": not verdict.reason,
            "variant": str(installed) if installed else None,
            "not_installed": why_not,
        }
        typer.echo(json.dumps(fields, indent=2))
    else:
        _print(verdict, installed, why_not)
    if verdict.reason:
        raise typer.Exit(ExitCode.BAD_PACK)


@app.command("export")
@with_options(HubOptions)
def export(
    name: NameArgument = None,
    *,
    options: HubOptions,
    videos: VideosOption = None,
    skip_profile: Annotated[bool, typer.Option(help="Do not time the models.")] = False,
    skip_verify: Annotated[
        bool, typer.Option(help="Do not compare with the CPU; --videos are not needed.")
    ] = False,
) -> None:
    """Compile, download, profile and verify a pack for a device: all that AI Hub does, in one.

    Examples:

      annotate models hub export --device "Snapdragon X Elite CRD" --videos a.mp4

      annotate models hub export --device "Samsung Galaxy S23" --runtime tflite --skip-verify
    """
    if not videos and not skip_verify:
        raise UsageError(
            "the models cannot be verified without crops of a video",
            "Give at least one: --videos VIDEO. Or leave it out: --skip-verify.",
        )
    verdict = None
    with _opened(name, options) as (hub_pack, phase):
        _print_files(_compile(hub_pack, videos, phase))
        if not skip_profile:
            typer.echo(_profiled(hub_pack.profile(), Form.CARD))
        if not skip_verify:
            verdict, installed, why_not = _verify(hub_pack, videos, phase)
            _print(verdict, installed, why_not)
    if verdict and verdict.reason:
        raise typer.Exit(ExitCode.BAD_PACK)


@contextmanager
def _opened(name: str | None, options: HubOptions) -> Iterator[tuple["HubPack", "Phases"]]:
    """The pack and target of the command line, and a progress bar."""
    from annotate.cli.progress import phases
    from annotate.hub import Hub
    from annotate.inference import load_models
    from annotate.packs.installed import verify_pack
    from annotate.use_cases.hub import HubPack, with_own_sdk

    folder = installed_pack(settings_from().packs, name)
    pack = verify_pack(folder)
    with phases() as phase:
        try:
            models = load_models(pack, folder)
            yield HubPack(Hub(), models, folder, with_own_sdk(options), phase), phase
        except KeyboardInterrupt:
            typer.echo(
                "Stopped waiting; the jobs go on. Run the same command again to continue.", err=True
            )
            raise typer.Exit(ExitCode.INTERRUPTED) from None


def _compile(hub_pack: "HubPack", videos: list[Path] | None, phase: "Phases") -> list[Path]:
    crops = None
    if hub_pack.options.precision is not Precision.FLOAT:
        crops, _ = _crops(hub_pack, videos, CALIBRATION_FRAMES, phase)
    return hub_pack.compile(crops)


def _verify(
    hub_pack: "HubPack", videos: list[Path] | None, phase: "Phases"
) -> tuple["Verdict", Path | None, str]:
    """The verdict, the folder where the models were installed, and why they were not."""
    from annotate.hub.precompiled import UnknownSocError
    from annotate.use_cases.hub_verify import adopt
    from annotate.use_cases.hub_verify import verify as verify_pack

    _, crops = _crops(hub_pack, videos, VERIFY_FRAMES, phase)
    verdict = verify_pack(hub_pack, crops)
    options = hub_pack.options
    if verdict.reason:
        return verdict, None, "the models did not pass"
    if options.runtime is not Runtime.PRECOMPILED:
        return verdict, None, f"workers use {Runtime.PRECOMPILED.value} only"
    if options.component is not None:
        return verdict, None, "workers need both models"
    try:
        return verdict, adopt(hub_pack, crops), ""
    except UnknownSocError as error:
        return verdict, None, error.message


def _profiled(rows: list["ProfileRow"], form: Form) -> str:
    """The rows as text."""
    from annotate.hub.table import card, markdown

    if form is Form.CARD:
        return card(rows)
    if form is Form.TABLE:
        return markdown(rows)
    return json.dumps([{**asdict(row), "compute_unit": row.compute_unit} for row in rows], indent=2)


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


def _print(verdict: "Verdict", installed: Path | None, why_not: str) -> None:
    typer.echo("| Model | Output | PSNR (dB) | Median error | p95 | Lost | Added | People |")
    typer.echo("|---|---|---|---|---|---|---|---|")
    for stage, found in verdict.fidelity.items():
        for output, decibel in found.agreement_db.items():
            typer.echo(
                f"| {stage} | {output} | {decibel:.1f} | {found.median_error:.2%} "
                f"| {found.p95_error:.2%} | {found.lost} | {found.added} | {found.people} |"
            )
    typer.echo(f"Failed: {verdict.reason}" if verdict.reason else "Passed.")
    if installed:
        typer.echo(f"Workers will use the models in {installed}")
    elif not verdict.reason:
        typer.echo(f"Not installed for workers: {why_not}.")
