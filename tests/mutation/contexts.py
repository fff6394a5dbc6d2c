"""A plugin of pytest: tells coverage which test runs, here and in the processes that it starts."""

import os

import coverage
import pytest

# The environment variable that names the configuration of coverage to the processes of a test.
_START = "COVERAGE_PROCESS_START"
# The one that names the test to this configuration.
CONTEXT = "ANNOTATE_MUTATION_TEST"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """What follows is reached by this test."""
    measuring = coverage.Coverage.current()
    assert measuring is not None, "run it by `coverage run`"
    measuring.switch_context(item.nodeid)
    os.environ[CONTEXT] = item.nodeid
    os.environ[_START] = str(measuring.get_option("run:data_file")) + "rc"
