"""`annotate demo`."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotate.cli.submit import pack_of
from annotate.cli.text import say
from annotate.domain.broker import MEMORY
from annotate.domain.errors import ExitCode
from annotate.domain.export_options import ExportOptions
from annotate.domain.options import SubmitOptions
from annotate.domain.settings import settings_from

if TYPE_CHECKING:
    from annotate.use_cases.demo import DemoAccuracy


def demo(
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for its files.")] = Path("demo"),
    seconds: Annotated[float, typer.Option(min=1, max=60, help="Length of the video.")] = 6.0,
) -> None:
    """See it work on a made video: annotated, exported, drawn and compared with the truth."""
    from annotate.cli.progress import job_reporter, phases
    from annotate.queue.run_job import work_here
    from annotate.store import open_store
    from annotate.use_cases.demo import draw_overlay, make_scene, measure_accuracy
    from annotate.use_cases.export import export
    from annotate.use_cases.find_videos import FoundVideos
    from annotate.use_cases.submit import submit

    video, truth = out / "demo.mp4", out / "truth.json"
    # The demo needs no queue, even where there is one.
    settings = replace(settings_from(store=str(out / "store")), broker=MEMORY)
    store = open_store(settings.store)
    count = os.cpu_count() or 1
    options = SubmitOptions(pack=pack_of(SubmitOptions(), settings))
    with phases() as phase:
        make_scene(video, truth, seconds, phase)
        job = submit(store, FoundVideos((video,)), options, settings, workers=count, progress=phase)
    with job_reporter() as report:
        status = work_here(store, job, settings, count, report)
    if not status.complete:
        raise typer.Exit(ExitCode.PARTIAL)
    with phases() as phase:
        for name, file_format in (("people.json", "coco"), ("results.json", "coco-results")):
            export(store, job, ExportOptions(out=out / name, format=file_format), phase)
        draw_overlay(store, job, video, out / "overlay.mp4", phase)
    _print_files(out)
    _print_accuracy(measure_accuracy(out / "people.json", truth), out)


def _print_files(out: Path) -> None:
    rows = [
        ("demo.mp4", "the made video"),
        ("truth.json", "its true keypoints, as COCO"),
        ("people.json", "the poses found: a COCO annotation file"),
        ("results.json", "the same as a COCO results file"),
        ("overlay.mp4", "the poses drawn into the video: look at this one"),
    ]
    width = max(len(str(out / name)) for name, _ in rows)
    for name, what in rows:
        say(f"{out / name!s:{width}}  {what}")


def _print_accuracy(accuracy: "DemoAccuracy", out: Path) -> None:
    count, pck = accuracy.detections, accuracy.pck.overall or 0.0
    say(
        f"\nCompared with the truth: {count.found} of {count.people} people found "
        f"({count.recall or 0.0:.1%}), {count.false_positives} false positives,\n"
        f"{pck:.1%} of keypoints within 0.2 torso lengths (PCK@0.2), "
        f"{accuracy.tracks} tracks of {accuracy.people} people.\n"
        f"More figures: annotate evaluate {out / 'people.json'} {out / 'truth.json'}"
    )
