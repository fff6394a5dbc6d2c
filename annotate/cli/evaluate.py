"""`annotate evaluate`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotate.cli.options import JsonOption

if TYPE_CHECKING:
    from annotate.evaluate import Report


def evaluate(
    predictions: Annotated[
        Path,
        typer.Argument(help="A COCO results file, or an annotation file that `export` wrote."),
    ],
    truth: Annotated[
        Path, typer.Argument(help="A COCO keypoints annotation file, or the demo's truth.json.")
    ],
    *,
    as_json: JsonOption = False,
    plots: Annotated[
        Path | None, typer.Option("--plots", help="Folder to draw plots into.", metavar="DIR")
    ] = None,
) -> None:
    """Tell how good poses are, against a truth that is known.

    Images are known by their ids in a results file, by their file names in an annotation file.
    Figures of identity need track ids on both sides, and frames of videos.

    Examples:

      annotate evaluate people.json truth.json

      annotate evaluate demo/people.json demo/truth.json --plots plots

      annotate evaluate results.json person_keypoints_val2017.json --json
    """
    from annotate.evaluate import as_json as figures
    from annotate.evaluate import evaluate_files
    from annotate.evaluate import plots as draw

    report = evaluate_files(predictions, truth)
    drawn = draw(report, plots) if plots else ()
    if as_json:
        typer.echo(json.dumps(figures(report), indent=2))
    else:
        _print(report)
    for path in drawn:
        typer.echo(str(path), err=True)


def _print(report: "Report") -> None:
    from rich.console import Console
    from rich.table import Table

    from annotate.evaluate import tables

    console = Console()
    for content in tables(report):
        table = Table(box=None, pad_edge=False, title=content.title, title_justify="left")
        for place, column in enumerate(content.head):
            table.add_column(column, justify="right" if place else "left")
        for row in content.rows:
            table.add_row(*row)
        console.print(table, "")
    if report.elsewhere:
        console.print(f"{report.elsewhere:,} poses are in no image of the truth: left out.")
