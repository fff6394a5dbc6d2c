"""Lint, format, types, imports, sizes and plain English: what a reviewer need not check."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documents import DOCUMENTS, ROOT

# Lines of a file, tests included.
MAX_FILE_LINES = 350
# Lines of a function, its decorators left out.
MAX_FUNCTION_LINES = 60
# Parameters of a function or method, `self` and `cls` left out.
MAX_PARAMETERS = 7
# Words of an older, private language.
FORBIDDEN = re.compile(r"(?i)somebody|nobody|whom|\bhe\b|\bhis\b|\bhim\b|asked for|stillborn")

PRODUCT = sorted([*(ROOT / "annotate").rglob("*.py"), *(ROOT / "workers").rglob("*.py")])
PYTHON = [*PRODUCT, *sorted((ROOT / "tests").rglob("*.py"))]


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["lint-imports"],
    ],
    ids=["lint", "format", "types", "imports"],
)
def test_rule(command: list[str]) -> None:
    program = Path(sys.executable).parent / command[0]
    done = subprocess.run(
        [program, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_is_long() -> None:
    lengths = {_name(file): len(file.read_text(encoding="utf-8").splitlines()) for file in PYTHON}
    assert {name: n for name, n in lengths.items() if n > MAX_FILE_LINES} == {}


def test_no_function_is_long() -> None:
    long = {
        f"{_name(file)}: {function.name}": lines
        for file in PYTHON
        for function in _functions(file)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > MAX_FUNCTION_LINES
    }
    assert long == {}


def test_no_function_has_many_parameters() -> None:
    many = {
        f"{_name(file)}: {function.name}": count
        for file in PYTHON
        for function in _functions(file)
        if (count := _parameters(function)) > MAX_PARAMETERS
    }
    assert many == {}


def test_every_session_has_options() -> None:
    """Threads of a default session spin on every core: tests ran out of time beside others."""
    without = [
        f"{_name(file)}:{node.lineno}"
        for file in PYTHON
        if "InferenceSession(" in file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith("InferenceSession")
        and len(node.args) < 2
        and "sess_options" not in {keyword.arg for keyword in node.keywords}
    ]
    assert without == []


def test_one_place_reads_the_bytes_of_videos() -> None:
    """Elsewhere an error of the disk was taken for something that the video lacks."""
    reading = {
        file.name
        for file in PRODUCT
        if file.parent.name == "video"
        and re.search(r"open\(\"rb\"\)|\.read_bytes\(", file.read_text(encoding="utf-8"))
    }
    # A file is only opened to see whether it may be; an image that cannot be is no animated one.
    assert reading == {"raw_file.py", "file.py", "join_images.py"}


@pytest.mark.parametrize(
    "files", [PRODUCT, [*DOCUMENTS, ROOT / "CHANGELOG.md"]], ids=["product", "documents"]
)
def test_plain_english(files: list[Path]) -> None:
    found = [
        f"{_name(file)}:{number}: {line.strip()}"
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if FORBIDDEN.search(line)
    ]
    assert found == []


Function = ast.FunctionDef | ast.AsyncFunctionDef


def _functions(file: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, Function):
            yield node


def _parameters(function: Function) -> int:
    named = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    more = [one for one in (function.args.vararg, function.args.kwarg) if one is not None]
    return sum(one.arg not in ("self", "cls") for one in [*named, *more])


def _name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()
