"""Every command that a message or help text names exists, and every message that the docs name."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from annotate.domain.distribution import DISTRIBUTION, install_command
from annotate.extras import library
from tests.command_lines import commands_in, complaint, texts

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*(ROOT / "annotate").rglob("*.py"), *(ROOT / "workers").rglob("*.py")])
TEXTS = {text: str(file.relative_to(ROOT)) for file in SOURCES for text in texts(file)}
COMMANDS = {command: file for text, file in TEXTS.items() for command in commands_in(text)}


def test_the_commands_are_found() -> None:
    assert len(COMMANDS) > 40
    assert "annotate models hub devices" in COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_in_a_message_exists(command: str) -> None:
    assert complaint(command) == "", COMMANDS[command]


@pytest.mark.parametrize(
    "command",
    [
        "annotate model pull",
        "annotate models pul",
        "annotate doctor --require-npu",
        "annotate doctor --require gpu",
        "annotate status one two",
        "annotate models hub compile --devise X",
    ],
)
def test_a_wrong_command_is_noticed(command: str) -> None:
    assert complaint(command)


# The name on the package index


def test_the_name_of_the_distribution_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["name"] == DISTRIBUTION
    extras = set(project["optional-dependencies"])
    named = {
        node.args[-1].value
        for file in SOURCES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in (install_command.__name__, library.__name__)
        and isinstance(node.args[-1], ast.Constant)
    }
    assert named == {"bf16", "evaluate", "formats", "hub", "npu"} <= extras


def test_no_message_installs_the_other_project_of_the_name() -> None:
    assert install_command("npu") == 'pip install "annotate-video[npu]"'
    for text, file in TEXTS.items():
        assert "annotate[" not in text.text, file


# The page of errors


def documented_messages() -> list[str]:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    return re.findall(
        r"^\| (?!message|code|-|`?\d)([^|]+) \| [^|]+ \| [^|]+ \|$", page, re.MULTILINE
    )


@pytest.mark.parametrize("message", documented_messages())
def test_a_documented_message_exists(message: str) -> None:
    assert any(message in text.text for text in TEXTS)
