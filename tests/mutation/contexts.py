"""A plugin of pytest: tells coverage which test runs."""

import coverage
import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """What follows is reached by this test."""
    measuring = coverage.Coverage.current()
    assert measuring is not None, "run it by `coverage run`"
    measuring.switch_context(item.nodeid)
