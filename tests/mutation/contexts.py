"""A plugin of pytest: tells coverage which test runs, here and in the processes that it starts, and
notes how long each one takes.
"""

import json
import os
from collections import defaultdict
from pathlib import Path

import coverage
import pytest

# The environment variable that names the configuration of coverage to the processes of a test.
_START = "COVERAGE_PROCESS_START"
# The one that names the test to this configuration.
CONTEXT = "ANNOTATE_MUTATION_TEST"
# The one that names the file of the tests' times in seconds.
TIMES = "ANNOTATE_MUTATION_TIMES"
_SECONDS: defaultdict[str, float] = defaultdict(float)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """What follows is reached by this test."""
    measuring = coverage.Coverage.current()
    assert measuring is not None, "run it by `coverage run`"
    measuring.switch_context(item.nodeid)
    os.environ[CONTEXT] = item.nodeid
    os.environ[_START] = str(measuring.get_option("run:data_file")) + "rc"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Adds up setting up, the test itself, and cleaning up."""
    _SECONDS[report.nodeid] += report.duration


def pytest_sessionfinish() -> None:
    """Writes the times."""
    Path(os.environ[TIMES]).write_text(json.dumps(_SECONDS), encoding="utf-8")
