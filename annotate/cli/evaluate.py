"""`annotate evaluate`."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotate.cli.options import JsonOption, StoreOption, store_of, the_job
from annotate.cli.text import say
from annotate.domain.errors import UsageError
from annotate.domain.export_options import ExportOptions

if TYPE_CHECKING:
    from annotate.evaluate import Evaluation


AgainstEditsOption = Annotated[
    bool,
    typer.Option(
        "--against-edits",
        help="Instead of TRUTH: what reviewers made of the job, in frames marked as reviewed.",
    ),
]


def evaluate(
    predictions: Annotated[
        str,
        typer.Argument(
            metavar="PREDICTIONS",
            help="A COCO results file, an annotation file that `export` wrote, or a job's id.",
        ),
    ],
    truth: Annotated[
        Path | None,
        typer.Argument(
            metavar="TRUTH",
            help="A COCO keypoints annotation file, or the demo's truth.json.",
            show_default="",
        ),
    ] = None,
    *,
    against_edits: AgainstEditsOption = False,
    as_json: JsonOption = False,
    plots: Annotated[
        Path | None, typer.Option("--plots", help="Folder to draw plots into.", metavar="DIR")
    ] = None,
    store: StoreOption = None,
) -> None:
    """Measure how accurate poses are, against ground truth.

    Images are matched by id in a results file, by file name in an annotation file.
    Identity figures need track ids in both files, and images that are frames of videos.

    Examples:

      annotate evaluate people.json truth.json

      annotate evaluate 20260102-030405-1a2b3c truth.json

      annotate evaluate demo/people.json demo/truth.json --plots plots

      annotate evaluate results.json person_keypoints_val2017.json --json

      annotate evaluate 20260102-030405-1a2b3c --against-edits
    """
    from annotate.evaluate import plots as draw

    if (truth is not None) == against_edits:
        both = "TRUTH and --against-edits exclude each other"
        raise UsageError(
            "no TRUTH is given" if truth is None else both,
            "Name an annotation file, or compare with the edits of a job: --against-edits.",
        )
    evaluation = _evaluated(predictions, truth, store)
    drawn = draw(evaluation, plots) if plots else ()
    if as_json:
        say(json.dumps(evaluation.as_json(), indent=2))
    else:
        _print(evaluation)
    for path in drawn:
        say(str(path), err=True)


def _evaluated(predictions: str, truth: Path | None, store: str | None) -> "Evaluation":
    """Predictions against the truth; without one, a job against its edits."""
    from annotate.evaluate import evaluate_files

    if truth is not None:
        with _predictions(predictions, store) as file:
            return evaluate_files(file, truth)
    from annotate.cli.progress import phases
    from annotate.use_cases.against_edits import evaluate_against_edits

    the_store, _ = store_of(store)
    with phases() as phase:
        return evaluate_against_edits(the_store, the_job(the_store, predictions), phase)


@contextmanager
def _predictions(named: str, store: str | None) -> Iterator[Path]:
    """The file of that name, or an export of the job with that id."""
    if Path(named).exists() or Path(named).suffix:
        yield Path(named)
        return
    from annotate.cli.progress import phases
    from annotate.use_cases.export import export

    the_store, _ = store_of(store)
    job = the_job(the_store, named)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{job.id}.json"
        with phases() as phase:
            export(the_store, job, ExportOptions(out=file), phase)
        yield file


def _print(evaluation: "Evaluation") -> None:
    from rich.console import Console
    from rich.table import Table

    from annotate.evaluate import tables

    console = Console()
    for content in tables(evaluation):
        table = Table(box=None, pad_edge=False, title=content.title, title_justify="left")
        for position, column in enumerate(content.head):
            table.add_column(column, justify="right" if position else "left")
        for row in content.rows:
            table.add_row(*row)
        console.print(table, "")
    if evaluation.in_other_images:
        console.print(
            f"{evaluation.in_other_images:,} poses left out: their images are not in the truth."
        )
