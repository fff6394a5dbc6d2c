"""The examples in docstrings."""

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize(
    "module",
    [
        "annotate.api",
        "annotate.cli.text",
        "annotate.domain.broker",
        "annotate.domain.choices",
        "annotate.domain.names",
        "annotate.domain.options",
        "annotate.formats.names",
        "annotate.formats.registry",
        "annotate.numeric.chunking",
        "annotate.use_cases.probe_videos",
    ],
)
def test_examples_of(module: str) -> None:
    result = doctest.testmod(import_module(module))
    assert result.failed == 0
    assert result.attempted > 0
