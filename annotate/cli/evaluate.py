"""`annotate evaluate`."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotate.cli.options import JsonOption, StoreOption, store_of, the_job

if TYPE_CHECKING:
    from annotate.evaluate import Report


def evaluate(
    predictions: Annotated[
        str,
        typer.Argument(
            metavar="PREDICTIONS",
            help="A COCO results file, an annotation file that `export` wrote, or a job's id.",
        ),
    ],
    truth: Annotated[
        Path,
        typer.Argument(
            metavar="TRUTH", help="A COCO keypoints annotation file, or the demo's truth.json."
        ),
    ],
    *,
    as_json: JsonOption = False,
    plots: Annotated[
        Path | None, typer.Option("--plots", help="Folder to draw plots into.", metavar="DIR")
    ] = None,
    store: StoreOption = None,
) -> None:
    """Tell how good poses are, against a truth that is known.

    Images are known by their ids in a results file, by their file names in an annotation file.
    Figures of identity need track ids on both sides, and frames of videos.

    Examples:

      annotate evaluate people.json truth.json

      annotate evaluate 20260102-030405-1a2b3c truth.json

      annotate evaluate demo/people.json demo/truth.json --plots plots

      annotate evaluate results.json person_keypoints_val2017.json --json
    """
    from annotate.evaluate import as_json as figures
    from annotate.evaluate import evaluate_files
    from annotate.evaluate import plots as draw

    with _predictions(predictions, store) as file:
        report = evaluate_files(file, truth)
    drawn = draw(report, plots) if plots else ()
    if as_json:
        typer.echo(json.dumps(figures(report), indent=2))
    else:
        _print(report)
    for path in drawn:
        typer.echo(str(path), err=True)


@contextmanager
def _predictions(named: str, store: str | None) -> Iterator[Path]:
    """The file of that name, or the export of the job of that id."""
    if Path(named).exists() or Path(named).suffix:
        yield Path(named)
        return
    from annotate.cli.progress import phases
    from annotate.use_cases.export import export_coco

    the_store, _ = store_of(store)
    job = the_job(the_store, named)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "people.json"
        with phases() as phase:
            export_coco(the_store, job, file, results=False, allow_partial=False, progress=phase)
        yield file


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
