"""What the shell completes, asked as bash asks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from annotate.domain.job import STORED, Job, JobVideo, Recipe
from annotate.store import open_store

VIDEO = JobVideo("walk.mp4", "ab" * 32, STORED, "")
JOB = Job("20260102-030405-abcdef", Recipe("blazepose-full", "00" * 32), 6.0, (VIDEO,))
PROGRAM = Path(sys.executable).parent / "annotate"


def completed(store: Path, *words: str) -> list[str]:
    """What may stand in the place of the last word."""
    asked = {
        "_ANNOTATE_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(("annotate", *words)),
        "COMP_CWORD": str(len(words)),
        "ANNOTATE_STORE": str(store),
    }
    told = subprocess.run(
        [PROGRAM], env={**os.environ, **asked}, capture_output=True, text=True, check=True
    )
    assert told.stderr == ""
    return told.stdout.split()


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        (("sub",), ["submit"]),
        (("submit", "--peo"), ["--people"]),
        (("submit", "--people", "a"), ["all"]),
        (("export", "--format", "coco"), ["coco", "coco-results"]),
        (("status", ""), [JOB.id]),
        (("export", "--job", "2026"), [JOB.id]),
        (("cancel", "2026"), [JOB.id]),
        (("check", "2026"), [JOB.id]),
        (("clean", "2026"), [JOB.id]),
        (("status", "2027"), []),
    ],
    ids=" ".join,
)
def test_the_shell_completes(tmp_path: Path, words: tuple[str, ...], answers: list[str]) -> None:
    open_store(str(tmp_path / "store")).write_job(JOB)
    assert completed(tmp_path / "store", *words) == answers


def test_ids_are_those_of_the_store_that_the_line_names(tmp_path: Path) -> None:
    there = tmp_path / "there"
    open_store(str(there)).write_job(JOB)
    assert completed(tmp_path / "none", "status", "--store", str(there), "") == [JOB.id]


def test_a_store_that_cannot_be_read_completes_nothing(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    assert completed(tmp_path / "store", "status", "") == []
    assert completed(tmp_path / "store", "status", "--store", str(tmp_path / "none"), "") == []
