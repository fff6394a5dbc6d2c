"""The tool that makes small wrong changes, and finds the tests for them."""

import ast
import random

import pytest

from tests.mutation.reach import chosen_tests, functions
from tests.mutation.thresholds import threshold_mutants

SOURCE = """from math import pi

def area(radius: float) -> float:
    if radius < 0:
        raise ValueError
    return pi * radius * 2


class Settings:
    far: float = 0.5
    name: str = "near"
    most: int = 1
    swift: bool = True
"""


def test_every_place_of_the_lines_is_changed_once() -> None:
    pytest.importorskip("cosmic_ray", reason="pip install -e '.[mutation]'")
    from tests.mutation.mutants import mutants

    found = list(mutants("a.py", SOURCE, {4, 6}, random.Random(1)))  # noqa: S311
    assert {mutant.line for mutant in found} == {4, 6}
    assert len({mutant.source for mutant in found}) == len(found) >= 4
    for mutant in found:
        ast.parse(mutant.source)
        right, wrong = SOURCE.splitlines(), mutant.source.splitlines()
        assert [n for n, (a, b) in enumerate(zip(right, wrong, strict=True), 1) if a != b] == [
            mutant.line
        ]
        assert mutant.diff.count("\n") == 1


def test_numbers_of_settings_are_doubled_and_halved() -> None:
    found = [(name, mutant.diff.split("= ")[-1]) for name, mutant in threshold_mutants("s", SOURCE)]
    assert found == [("far", "0.25"), ("far", "1.0"), ("most", "0"), ("most", "2")]


def test_a_line_belongs_to_its_function() -> None:
    names = functions(SOURCE)
    assert [names[line] for line in (1, 3, 6, 10)] == ["<module>", "area", "area", "<module>"]


def test_tests_that_reach_little_else_come_first_and_pins_do_not_count() -> None:
    reach = {
        "tests/test_all.py::test": frozenset({"a.py::f", "a.py::g", "b.py::h"}),
        "tests/test_f.py::test": frozenset({"a.py::f"}),
        "tests/test_b.py::test": frozenset({"b.py::h"}),
        "tests/test_merge_settings.py::test": frozenset({"a.py::f"}),
    }
    assert chosen_tests(reach, ["a.py::f"], 9) == [
        "tests/test_f.py::test",
        "tests/test_all.py::test",
    ]
    assert chosen_tests(reach, ["a.py::f"], 1) == ["tests/test_f.py::test"]
    # A function that is new.
    assert chosen_tests(reach, ["b.py::new"], 1) == ["tests/test_b.py::test"]
