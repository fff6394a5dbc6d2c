"""A plugin of pytest: notes which test fails first."""

import os
from pathlib import Path

import pytest

# The environment variable that names the file of the note.
NOTE = "ANNOTATE_MUTATION_NOTE"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Notes a test that fails."""
    if report.failed:
        _note(report.nodeid)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Notes a file that cannot be read."""
    if report.failed:
        _note(report.nodeid)


def _note(test: str) -> None:
    Path(os.environ[NOTE]).write_text(test, encoding="utf-8")
