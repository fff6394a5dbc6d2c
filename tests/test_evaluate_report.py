"""Evaluation: figures as tables, JSON and plots, and the command that prints them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from annotate.cli.evaluate import evaluate
from annotate.domain.errors import UsageError
from annotate.evaluate import Evaluation, plots, tables
from tests.made_evaluation import (
    Evaluate,
    dancing,
    results_of,
    truth_of,
)


@pytest.fixture
def evaluation(evaluated: Evaluate) -> Evaluation:
    people = dancing(300), dancing(100, x=900)
    return evaluated(results_of(people[0] + 2), truth_of(*people))


def test_the_evaluation_is_json(evaluation: Evaluation) -> None:
    content = json.loads(json.dumps(evaluation.as_json(), allow_nan=False))
    assert content["detections"]["recall"] == 0.5
    assert evaluation.tracking is not None
    assert content["tracking"]["idf1"] == pytest.approx(evaluation.tracking.idf1)
    assert [band["high"] for band in content["by_height"]][-1] is None


def test_the_tables_show_the_figures(evaluation: Evaluation) -> None:
    shown = {row[0]: row[1:] for table in tables(evaluation) for row in table.rows}
    assert shown["all"] == ("120", "60", "0", "0.500", "1.000")
    assert shown["80 to 120 px"] == ("60", "0", "0", "0.000", "-")
    assert shown["MOTA"] == ("0.500",)
    assert all(len(row) == len(table.head) for table in tables(evaluation) for row in table.rows)


def test_tables_leave_out_missing_figures(evaluation: Evaluation) -> None:
    titles = [table.title for table in tables(replace(evaluation, tracking=None, motion=None))]
    assert len(titles) == 4
    assert not any("Identity" in title or "Motion" in title for title in titles)


def test_plots_are_png_files(evaluation: Evaluation, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "plots"
    paths = plots(evaluation, folder)
    assert {path.name for path in paths} == {
        "heights.png",
        "identity.png",
        "keypoints.png",
        "precision.png",
    }
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


def test_plots_leave_out_missing_figures(evaluation: Evaluation, tmp_path: Path) -> None:
    paths = plots(replace(evaluation, tracking=None), tmp_path)
    assert "identity.png" not in {path.name for path in paths}


def test_plots_need_a_folder_that_can_be_written(evaluation: Evaluation, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write plots"):
        plots(evaluation, tmp_path / "file" / "plots")


@pytest.fixture
def printed(tmp_path: Path) -> Callable[..., str]:
    """What `annotate evaluate` prints of perfect poses and ten more in other images."""
    truth, answer = truth_of(dancing(300)), results_of(dancing(300))
    answer += [row | {"image_id": row["image_id"] + 5000} for row in answer[:10]]
    files = {"answer.json": answer, "truth.json": truth}
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    app = typer.Typer()
    app.command()(evaluate)

    def run(*options: str) -> str:
        paths = [str(tmp_path / name) for name in files]
        done = CliRunner().invoke(app, [*paths, *options], catch_exceptions=False)
        assert done.exit_code == 0
        return done.stdout

    return run


def test_the_command_prints_tables(printed: Callable[..., str]) -> None:
    out = printed()
    assert [line.split()[-1] for line in out.splitlines() if line.startswith("IDF1")] == ["1.000"]
    assert "10 poses left out: their images are not in the truth" in out


def test_the_command_prints_json_and_nothing_else(
    printed: Callable[..., str], tmp_path: Path
) -> None:
    folder = tmp_path / "plots"
    evaluation = json.loads(printed("--json", "--plots", str(folder)))
    assert evaluation["average_precision"]["ap"] == 1
    assert evaluation["in_other_images"] == 10
    assert (folder / "identity.png").exists()
