"""`annotate models`: the model packs of this host."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from annotate.cli.models_pull import list_available, pull_pack
from annotate.cli.options import JsonOption
from annotate.domain.errors import with_hint
from annotate.domain.model_spec import ModelSpec
from annotate.domain.settings import settings_from
from annotate.use_cases.find_pack import installed_pack

app = typer.Typer(no_args_is_help=True, help="Fetch, list and show model packs.")
app.command("pull")(pull_pack)


@app.command("add")
def add(
    zip_file: Annotated[Path, typer.Argument(metavar="FILE.zip", show_default=False)],
    *,
    detector: Annotated[
        Path | None,
        typer.Option(
            help="The person detector of a landmark model: a YOLOX model, such as yolox_nano.onnx, "
            "or a zip of RTMDet or YOLOX."
        ),
    ] = None,
) -> None:
    """Add models from a zip for ONNX, as AI Hub or OpenMMLab publishes it.

    AI Hub: MediaPipe-Pose-Estimation (25 landmarks, from the head to the hips: in COCO, knees and
    ankles have v = 0), RTMPose-Body2d, HRNetPose, LiteHRNet. OpenMMLab: RTMPose with 17, 26 or 133
    keypoints, from the lists in rtmlib's README. All but the first need a person detector.

    Examples:

      annotate models add mediapipe_pose-onnx-float.zip

      annotate models add rtmpose_body2d-onnx-float.zip --detector yolox_nano.onnx

      annotate submit videos/*.mp4 --pack qualcomm-rtmpose-body2d
    """
    from annotate.use_cases.add_pack import add_pack

    folder = add_pack(zip_file, settings_from().packs, detector)
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
    packs, errors = installed_packs(root)
    for error in errors:
        typer.echo(with_hint(f"left out: {error.message}", error.hint), err=True)
    if as_json:
        typer.echo(json.dumps([{"name": p.name, "digest": p.digest} for p in packs], indent=2))
        return
    for pack in packs:
        typer.echo(f"{pack.name}  {pack.skeleton}  {pack.digest[:12]}  {root / pack.name}")
    if not packs and not errors:
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
    from annotate.packs.model_size import parameter_count

    folder = installed_pack(settings_from().packs, name)
    pack = verify_pack(folder)
    files = {stage: folder / spec.file for stage, spec in pack.stages.items()}
    if as_json:
        sizes = {
            stage: {"parameters": parameter_count(file), "bytes": file.stat().st_size}
            for stage, file in files.items()
        }
        fields = {**asdict(pack), "digest": pack.digest, "sizes": sizes}
        typer.echo(json.dumps(fields, indent=2))
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
        ("detector", _stats(pack.detector, files["detector"])),
        ("landmarks", _stats(pack.landmark, files["landmark"])),
        ("skeleton", f"{pack.skeleton}, {pack.landmark.count} landmarks"),
        ("COCO", f"lacks {', '.join(missing)} (v = 0)" if missing else "all 17 keypoints"),
        ("files", "match their digests"),
    ]
    for key, value in rows:
        typer.echo(f"{key:10} {value}")


def _stats(spec: ModelSpec, file: Path) -> str:
    """What model cards state: the size of the input, the parameters, the size of the file."""
    from annotate.packs.model_size import parameter_count

    width, height = spec.size
    size = f"{file.stat().st_size / 2**20:.1f} MiB"
    parameters = f"{parameter_count(file) / 1e6:.2f} M parameters"
    return f"{file.name}, {width} x {height} px, {parameters}, {size}"
