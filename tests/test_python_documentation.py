"""The Python of the documentation runs: docs/python.md, and the notebooks."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest

from tests.command import PATIENCE_S, Host
from tests.documents import ROOT

_PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def test_the_notebooks_are_found() -> None:
    assert len(NOTEBOOKS) == 2


def test_the_examples_of_the_page_run(host: Host, stroll: Path) -> None:
    shutil.copy(stroll, host.home / "walk.mp4")
    examples = _PYTHON.findall((ROOT / "docs" / "python.md").read_text(encoding="utf-8"))
    assert len(examples) == 4
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(examples)],
        cwd=host.home,
        env=host.environ(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (host.home / "people.json").exists()


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_runs(
    file: Path, host: Host, stroll: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(stroll, host.home / "walk.mp4")
    for name, value in host.environ().items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call]
    # An error in a cell is raised, with its traceback.
    nbclient.NotebookClient(
        notebook, timeout=int(PATIENCE_S), resources={"metadata": {"path": str(host.home)}}
    ).execute()
    kinds = [out.get("output_type") for cell in notebook.cells for out in cell.get("outputs", ())]
    assert "display_data" in kinds
