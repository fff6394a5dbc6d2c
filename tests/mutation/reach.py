"""Which tests run which functions, from coverage's contexts.

A test is known to reach functions, not lines: so the map outlives changes of the files. Processes
that a test starts are measured, too, unless they are killed.
"""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from tests.mutation.contexts import CONTEXT, TIMES

# Tests that pin numbers notice every change of them, and say nothing of what it does.
PINS = ("tests/test_merge_settings.py", "tests/test_pipeline_settings.py", "tests/test_rules.py")
# The name of the lines outside of functions.
_MODULE = "<module>"

# How coverage measures the tests and the processes that they start.
_RULES = """[run]
source_pkgs = annotate, workers
parallel = true
data_file = {data}
context = ${{{context}-}}
patch = _exit, fork
"""


@dataclass(frozen=True)
class Reached:
    """What a test runs.

    Attributes:
        functions: of the program, as FILE::NAME.
        seconds: how long the test took.
    """

    functions: frozenset[str]
    seconds: float


# By the id of the test.
Reach = Mapping[str, Reached]


def functions(source: str) -> dict[int, str]:
    """The name of the innermost function, or of the module, by line."""
    names = dict.fromkeys(range(1, source.count("\n") + 2), _MODULE)
    found = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    for node in sorted(found, key=lambda one: one.lineno):
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
            names[line] = node.name
    return names


def assigned(source: str, line: int) -> set[str]:
    """The names that a line outside of functions gives a value to."""
    if functions(source)[line] != _MODULE:
        return set()
    found = (
        target
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and node.lineno <= line <= (node.end_lineno or node.lineno)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    )
    return {target.id for target in found if isinstance(target, ast.Name)}


def measure(tree: Path, file: Path, tests: Iterable[str], environ: Mapping[str, str]) -> None:
    """Runs tests with coverage in a copy of the checkout, and adds what they reach to the map."""
    data = file.with_suffix(".coverage")
    for old in data.parent.glob(f"{data.name}.*"):
        old.unlink()
    rules = Path(f"{data}rc")
    rules.write_text(_RULES.format(data=data, context=CONTEXT))
    options = ("-n", "0", "-q", "-p", "no:cacheprovider", "-p", "tests.mutation.contexts")
    cover = ("coverage", "run", f"--rcfile={rules}")
    command = [sys.executable, "-m", *cover, "-m", "pytest", *options, *tests]
    times = file.with_suffix(".times")
    subprocess.run(command, cwd=tree, env={**environ, TIMES: str(times)}, check=False)
    seconds: dict[str, float] = json.loads(times.read_text(encoding="utf-8"))
    known = dict(read(file))
    for test, names in _reached(tree, data).items():
        known[test] = Reached(frozenset(names), seconds[test])
    unfinished = file.with_suffix(".unfinished")
    rows = {test: (sorted(one.functions), one.seconds) for test, one in known.items()}
    unfinished.write_text(json.dumps(rows))
    unfinished.replace(file)


def _reached(tree: Path, data: Path) -> dict[str, set[str]]:
    from coverage import CoverageData

    reached: dict[str, set[str]] = {}
    names: dict[str, dict[int, str]] = {}
    # One file for each process.
    for part in data.parent.glob(f"{data.name}.*"):
        covered = CoverageData(str(part))
        covered.read()
        # Templates are measured, too, where their compiled code names them.
        for measured in filter(_is_ours(tree), covered.measured_files()):
            if measured not in names:
                names[measured] = functions(Path(measured).read_text(encoding="utf-8"))
            path = os.path.relpath(measured, tree)
            for line, contexts in covered.contexts_by_lineno(measured).items():
                # A line outside of functions runs when its file is imported, by whatever test.
                if (name := names[measured][line]) != _MODULE:
                    for context in filter(None, contexts):
                        reached.setdefault(context, set()).add(f"{path}::{name}")
        part.unlink()
    return reached


def _is_ours(tree: Path) -> Callable[[str], bool]:
    return lambda file: file.endswith(".py") and Path(file).is_relative_to(tree)


def read(file: Path) -> Reach:
    """The map that was kept; empty where there is none."""
    if not file.exists():
        return {}
    known: dict[str, tuple[list[str], float]] = json.loads(file.read_text())
    return {test: Reached(frozenset(names), seconds) for test, (names, seconds) in known.items()}


def chosen_tests(reach: Reach, wanted: Iterable[str], most_s: float) -> list[str]:
    """The tests that reach any of the functions, the quickest first, as many as run in `most_s`
    seconds; one at least.

    A function that no test is known to reach is taken for its whole file.
    """
    wanted = set(wanted)
    known = {name for one in reach.values() for name in one.functions}
    files = {name.partition("::")[0] for name in wanted - known}

    def is_reached(names: frozenset[str]) -> bool:
        return bool(names & wanted) or any(name.partition("::")[0] in files for name in names)

    found = [
        test
        for test, one in reach.items()
        if not test.startswith(PINS) and is_reached(one.functions)
    ]
    found.sort(key=lambda test: (reach[test].seconds, test))
    until_s = accumulate(reach[test].seconds for test in found)
    return [
        test for n, (test, s) in enumerate(zip(found, until_s, strict=True)) if not n or s <= most_s
    ]
