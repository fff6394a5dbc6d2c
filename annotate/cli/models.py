"""`annotate models`: the model packs of this host."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from annotate.cli.models_pull import list_available, pull_pack
from annotate.cli.options import JsonOption
from annotate.domain.model_spec import ModelSpec
from annotate.domain.settings import settings_from
from annotate.use_cases.find_pack import installed_pack

app = typer.Typer(no_args_is_help=True, help="Fetch, list and show model packs.")
app.command("pull")(pull_pack)


@app.command("add")
def add(
    asset: Annotated[Path, typer.Argument(metavar="FILE.zip", show_default=False)],
) -> None:
    """Add AI Hub's MediaPipe-Pose-Estimation, from the zip for ONNX on its page.

    It has 25 landmarks, from the head to the hips: in COCO, knees and ankles have v = 0.

    Examples:

      annotate models add mediapipe_pose-onnx-float.zip

      annotate submit videos/*.mp4 --pack qualcomm-mediapipe-pose
    """
    from annotate.use_cases.add_pack import add_pack

    folder = add_pack(asset, settings_from().packs)
    typer.echo(f"Model pack {folder.name} is in {folder}")
    typer.echo(f"Next: annotate submit VIDEO... --pack {folder.name}")


@app.command("list")
def list_packs(
    *,
    available: Annotated[
        bool, typer.Option("--available", help="List the packs that `models pull` can make.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List the packs of this host, or those that can be had."""
    if available:
        list_available(as_json=as_json)
        return
    from annotate.packs.installed import installed_packs

    root = settings_from().packs
    packs = installed_packs(root)
    if as_json:
        typer.echo(json.dumps([{"name": p.name, "digest": p.digest} for p in packs], indent=2))
        return
    for pack in packs:
        typer.echo(f"{pack.name}  {pack.skeleton}  {pack.digest[:12]}  {root / pack.name}")
    if not packs:
        typer.echo(f"No model pack in {root}. Fetch the most accurate one: annotate models pull")


@app.command("show")
def show_pack(
    name: Annotated[str | None, typer.Argument(show_default="the one that `submit` takes")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show what a pack contains, and check its files."""
    from annotate.domain.skeleton import COCO_KEYPOINTS, SKELETONS
    from annotate.packs.installed import verify_pack

    folder = installed_pack(settings_from().packs, name)
    pack = verify_pack(folder)
    if as_json:
        typer.echo(json.dumps({**asdict(pack), "digest": pack.digest}, indent=2))
        return
    skeleton = SKELETONS[pack.skeleton]
    missing = [
        keypoint
        for keypoint, landmark in zip(COCO_KEYPOINTS, skeleton.coco17, strict=True)
        if landmark is None
    ]
    rows = [
        ("name", pack.name),
        ("source", pack.source),
        ("folder", str(folder)),
        ("digest", pack.digest),
        ("detector", f"{pack.detector.file}, {_pixels(pack.detector)}"),
        ("landmarks", f"{pack.landmark.file}, {_pixels(pack.landmark)}"),
        ("skeleton", f"{pack.skeleton}, {pack.landmark.count} landmarks"),
        ("COCO", f"lacks {', '.join(missing)} (v = 0)" if missing else "all 17 keypoints"),
        ("files", "match their digests"),
    ]
    for key, value in rows:
        typer.echo(f"{key:10} {value}")


def _pixels(spec: ModelSpec) -> str:
    """The size of a model's input."""
    return "{} x {} px".format(*spec.size)
