"""The tool that makes small wrong changes, and finds the tests for them."""

import ast
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from tests.mutation import trial
from tests.mutation.failures import NOTE
from tests.mutation.mutant import Mutant
from tests.mutation.reach import Reached, assigned, chosen_tests, functions
from tests.mutation.thresholds import threshold_mutants
from tests.mutation.trial import Trials

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
    side: float = 1 / 6
    shares: tuple[float, ...] = (0.1, 0.25)
    code_version: int = 3
"""


def test_every_place_of_the_lines_is_changed_once() -> None:
    pytest.importorskip("cosmic_ray", reason="pip install -e '.[mutation]'")
    from tests.mutation.mutants import places

    order = random.Random(1)  # noqa: S311
    made = (place.mutant(order) for place in places("a.py", SOURCE, {4, 6}))
    found = [mutant for mutant in made if mutant]
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
    assert found == [
        ("far", "0.25"),
        ("far", "1.0"),
        ("most", "0"),
        ("most", "2"),
        ("side", "(1 / 6) / 2"),
        ("side", "(1 / 6) * 2"),
        ("shares", "(0.05, 0.125,)"),
        ("shares", "(0.2, 0.5,)"),
    ]


def test_a_line_outside_of_functions_gives_names_their_values() -> None:
    assert [assigned(SOURCE, line) for line in (5, 10, 12, 15)] == [
        set(),
        {"far"},
        {"most"},
        {"shares"},
    ]


def test_a_line_belongs_to_its_function() -> None:
    names = functions(SOURCE)
    assert [names[line] for line in (1, 3, 6, 10)] == ["<module>", "area", "area", "<module>"]


def test_quick_tests_come_first_and_pins_do_not_count() -> None:
    reach = {
        "tests/test_all.py::test": Reached(frozenset({"a.py::f", "a.py::g", "b.py::h"}), 7.0),
        "tests/test_f.py::test": Reached(frozenset({"a.py::f"}), 2.0),
        "tests/test_b.py::test": Reached(frozenset({"b.py::h"}), 1.0),
        "tests/test_merge_settings.py::test": Reached(frozenset({"a.py::f"}), 0.1),
    }
    assert chosen_tests(reach, ["a.py::f"], 9.0) == [
        "tests/test_f.py::test",
        "tests/test_all.py::test",
    ]
    assert chosen_tests(reach, ["a.py::f"], 8.9) == ["tests/test_f.py::test"]
    assert chosen_tests(reach, ["a.py::g"], 1.0) == ["tests/test_all.py::test"]
    # A function that is new.
    assert chosen_tests(reach, ["b.py::new"], 1.0) == ["tests/test_b.py::test"]


# What the tests of a made program want of its number.
WANTED: dict[str, Callable[[int], bool]] = {
    "test_broken": lambda side: side < 0,
    "test_blind": lambda side: side > 0,
    "test_seeing": lambda side: side == 2,
}


def run_made_tests(tree: Path, environ: Mapping[str, str], arguments: Sequence[str]) -> int:
    """As pytest does: notes the first one that fails."""
    side = int((tree / "side").read_text())
    failed = [one for one in arguments if one in WANTED and not WANTED[one](side)]
    for one in failed[:1]:
        Path(environ[NOTE]).write_text(one)
    return len(failed)


def test_a_mutant_is_noticed_only_by_a_test_that_passes_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "run_pytest", run_made_tests)
    (tmp_path / "side").write_text("2")
    trials = Trials(tmp_path, {}, tmp_path / "answers")
    wrong = Mutant("side", 1, "3", "")
    assert trials.noticed_by(wrong, [*WANTED]) == "test_seeing"
    assert trials.noticed_by(wrong, ["test_broken", "test_blind"]) == ""
    assert (tmp_path / "side").read_text() == "2"
    # Remembered by other trials.
    monkeypatch.setattr(trial, "run_pytest", None)
    trials = Trials(tmp_path, {}, tmp_path / "answers")
    assert trials.noticed_by(wrong, [*WANTED]) == "test_seeing"
