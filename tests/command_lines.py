"""Command lines, parsed by the real command line but not run."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from typer.main import get_command

from annotate.cli.app import app

# What an expression inside an f-string is replaced by.
PLACEHOLDER = "PLACEHOLDER"
_IN_BACKTICKS = re.compile(r"`(annotate\s[^`]+)`")
_EXAMPLE = re.compile(r"^ {4,}(?:[A-Z_]+=\S+ )*(annotate .+)$", re.MULTILINE)
# Typer's errors for a command that stops early.
_INCOMPLETE = {"MissingParameter", "NoArgsIsHelpError", "BadOptionUsage"}
_AFTER_COLON = re.compile(r": (annotate .+)$", re.MULTILINE)


def parsed(arguments: list[str]) -> dict[str, Any]:
    """What the command that `annotate ARGUMENTS` names would be called with.

    Raises:
        Exception: the command line would refuse the arguments.
    """
    calls: list[dict[str, Any]] = []
    root: Any = get_command(app)
    pending = [root]
    while pending:
        command = pending.pop()
        command.callback = lambda **values: calls.append(values)
        for option in command.params:
            option.callback = None  # some do their work at once, such as `--install-completion`
        pending += getattr(command, "commands", {}).values()
    root.invoke_without_command = True
    root.main(arguments, prog_name="annotate", standalone_mode=False)
    return calls[-1] if calls else {}


def complaint(command: str) -> str:
    """Why the command line refuses a command, or an empty text.

    Text may leave out what the command requires, and the value of its last option. A placeholder
    need not be a value that the option accepts.
    """
    words = [word for word in shlex.split(command)[1:] if word != "..."]
    if words[0].startswith(PLACEHOLDER):
        return ""
    try:
        parsed(words)
    except Exception as error:  # noqa: BLE001 - any refusal of any version of Typer
        incomplete = type(error).__name__ in _INCOMPLETE
        excused = incomplete or PLACEHOLDER in str(error)
        return "" if excused else f"{type(error).__name__}: {error}"
    return ""


class Text(NamedTuple):
    """A string in a Python file; expressions in an f-string are `PLACEHOLDER`s."""

    text: str
    is_docstring: bool


def texts(file: Path) -> Iterator[Text]:
    """Every string of a Python file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    parts: set[int] = set()
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts |= {id(value) for value in node.values}
            pieces = [
                str(value.value) if isinstance(value, ast.Constant) else PLACEHOLDER
                for value in node.values
            ]
            yield Text("".join(pieces), is_docstring=False)
        elif isinstance(node, ast.Constant) and id(node) not in parts:
            yield Text(str(node.value), id(node) in docstrings)


def commands_in(text: Text) -> list[str]:
    """The commands `annotate ...` that a text names: in backticks, as an example on its own line,
    or in a message after a colon at the end of a line.
    """
    found = _IN_BACKTICKS.findall(text.text) + _EXAMPLE.findall(text.text)
    if not text.is_docstring:
        found += _AFTER_COLON.findall(text.text)
    # Words after a gap of three spaces explain an example.
    return [re.split(r"\s{3,}", one)[0].rstrip(".,;") for one in found]
