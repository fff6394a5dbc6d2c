"""`annotate draw`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotate.cli.chosen import chosen_videos
from annotate.cli.options import StoreOption, store_of, with_options
from annotate.domain.errors import AnnotateError, ExitCode, UsageError, with_hint
from annotate.domain.look import Look

if TYPE_CHECKING:
    from annotate.domain.job import JobVideo

WhatArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[JOB|VIDEO]...",
        help="A job's id, or names of videos of a job.",
        show_default="all videos of the newest job",
    ),
]
OutOption = Annotated[
    Path,
    typer.Option(
        "--out", "-o", help="Folder for the drawings; or for one video a file: .mp4, .mkv, or .png."
    ),
]
FrameOption = Annotated[
    int | None, typer.Option("--frame", min=0, help="Draw this frame only, as PNG.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace a file that --out names.")]


@with_options(Look)
def draw(
    what: WhatArgument = None,
    *,
    options: Look,
    out: OutOption = Path("drawn"),
    frame: FrameOption = None,
    force: ForceOption = False,
    store: StoreOption = None,
) -> None:
    """Draw the people into a copy of each video, with the times of its frames.

    Each track has a colour; its label is the track's id and the pose's score.
    Doubtful points, and poses that were filled in, are hollow.

    Examples:

      annotate draw walk.mp4 --trail 2 --audio

      annotate draw walk.mp4 --out walk-drawn.mp4

      annotate draw walk.mp4 --frame 123
    """
    from annotate.cli.progress import phases
    from annotate.use_cases.draw import Drawing, names_file

    if frame is not None and (options.crop is not None or options.audio or options.trail):
        raise UsageError("--frame is a still", "Leave --crop, --trail and --audio away.")
    the_store, settings = store_of(store)
    job, videos = chosen_videos(the_store, what or [])
    if len(videos) > 1 and names_file(out):
        raise UsageError(
            f"{out} is one file, and these are {len(videos)} videos",
            "Name one of them before --out, or a folder.",
        )

    def drawn(video: "JobVideo") -> Path:
        drawing = Drawing(the_store, settings, job, video)
        with phases() as phase:
            if frame is None:
                return drawing.write_video(out, options, phase, force=force)
            return drawing.write_still(out, frame, options, phase, force=force)

    if not _draw_each(videos, drawn):
        raise typer.Exit(ExitCode.PARTIAL)


def _draw_each(videos: list["JobVideo"], drawn: Callable[["JobVideo"], Path]) -> bool:
    """Draws and names each; of several, one that cannot be drawn does not end the others.

    Returns:
        Whether all were drawn.
    """
    failed = 0
    for video in videos:
        try:
            target = drawn(video)
        except AnnotateError as error:
            if len(videos) == 1:
                raise
            failed += 1
            typer.echo(with_hint(f"not drawn  {error.message}", error.hint), err=True)
        else:
            typer.echo(str(target))
    return not failed
