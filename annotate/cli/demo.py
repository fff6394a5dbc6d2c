"""`annotate demo`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotate.domain.errors import ExitCode
from annotate.domain.settings import settings_from

if TYPE_CHECKING:
    from annotate.use_cases.nearness import Nearness


def demo(
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for its files.")] = Path("demo"),
    seconds: Annotated[float, typer.Option(min=1, max=60, help="Length of the video.")] = 6.0,
) -> None:
    """See it work on a made video: annotated, exported, drawn and compared with the truth."""
    from annotate.cli.models import ensure_pack
    from annotate.cli.progress import job_reporter, phases
    from annotate.queue.run_job import work_here
    from annotate.store import open_store
    from annotate.use_cases.demo import compare, draw_overlay, make_scene
    from annotate.use_cases.export import export_coco
    from annotate.use_cases.submit import submit

    settings = settings_from(store=str(out / "store"))
    store = open_store(settings.store)
    count = os.cpu_count() or 1
    pack = ensure_pack(settings.packs)
    with phases() as phase:
        video, truth = make_scene(out, seconds, phase)
        job = submit(
            store,
            [video],
            pack,
            people="near",
            detect_every=5,
            smooth_hz=6.0,
            workers=count,
            settings=settings,
            progress=phase.file,
        )
    with job_reporter() as report:
        status = work_here(store, job, settings, count, report)
    if not status.complete:
        raise typer.Exit(ExitCode.PARTIAL)
    with phases() as phase:
        for name, results in (("people.json", False), ("results.json", True)):
            export_coco(
                store, job, out / name, results=results, allow_partial=False, progress=phase
            )
        draw_overlay(store, job, video, out / "overlay.mp4", phase)
    _tell(out, compare(store, job, truth))


def _tell(out: Path, near: "Nearness") -> None:
    rows = [
        ("demo.mp4", "the made video"),
        ("truth.json", "its true keypoints, as COCO"),
        ("people.json", "the answer: a COCO annotation file"),
        ("results.json", "the same as a COCO results file"),
        ("overlay.mp4", "the answer drawn into the video: look at this one"),
    ]
    for name, what in rows:
        typer.echo(f"{out / name!s:24} {what}")
    typer.echo(
        f"\nAgainst the truth: {near.found} of {near.visible} visible people found "
        f"({near.found / max(near.visible, 1):.1%}), {near.invented} poses that fit nobody,\n"
        f"mean OKS {near.oks:.3f}, median error {near.error:.1%} of torso length, "
        f"{near.switches} changes of identity."
    )
