"""What the documentation says is so: commands, files, links, fields and messages."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import annotate
from annotate.synthetic.film import render_video
from annotate.video.writer import Encoding
from tests.command import Host
from tests.command_lines import complaint, parsed
from tests.documents import DOCUMENTS, ROOT, Line, commands
from tests.fleet import kill
from tests.made_scenes import walk_scene

LINES = [line for file in DOCUMENTS for line in commands(file)]
ANNOTATE = [line for line in LINES if line.words[0] == "annotate"]
BENCHMARKS = sorted(
    {word for line in LINES for word in line.words if word.startswith("tests.benchmarks.")}
)
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
# Programs that documents may name without a remark about what the block needs.
PROGRAMS = {"annotate", "pip", "pytest", "python", "."}
# Seconds that one command may take on a busy machine.
PATIENCE_S = 300.0

_INLINE = re.compile(r"`(annotate\s[^`]+)`")
_LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([\w-]+))?\)")
_SOURCE = re.compile(r"\b(?:annotate|workers|tests|docker|docs)/[\w./-]+\.\w+")


def test_the_commands_are_found() -> None:
    assert len(ANNOTATE) > 30
    assert {line.needs for line in ANNOTATE} >= {"", "servers", "hardware"}
    assert len(BENCHMARKS) >= 10


@pytest.mark.parametrize("line", ANNOTATE, ids=str)
def test_a_command_exists(line: Line) -> None:
    parsed(list(line.words[1:]))


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_commands_within_the_text_exist(file: Path) -> None:
    for command in _INLINE.findall(file.read_text(encoding="utf-8")):
        words = command.split()[1:]
        if not words[0].isupper() and words[:2] != ["--debug", "COMMAND"]:
            assert complaint(command) == "", command


@pytest.mark.parametrize("line", LINES, ids=str)
def test_a_line_is_known_or_says_what_it_needs(line: Line) -> None:
    assert line.needs or line.words[0] in PROGRAMS
    for word in line.words:
        if _SOURCE.fullmatch(word) and not word.endswith(".env"):
            assert (ROOT / word).exists()
    if line.words[:2] == ("pip", "install"):
        for extra in re.findall(r"\.\[(\w+)\]", line.text):
            assert extra in EXTRAS


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short video."""
    folder = tmp_path_factory.mktemp("documented") / "videos"
    folder.mkdir()
    render_video(walk_scene(seconds=0.8), folder / "walk.mp4", Encoding(gop=12))
    return folder


@pytest.mark.timeout(3000)
def test_the_commands_do_what_is_said(host: Host, videos: Path) -> None:
    """Every line that needs nothing special, in the order of the documents, on a made video.

    `annotate demo` is run by the test of the wheel, the server of `annotate review` by its own.
    """
    shutil.copytree(videos, host.home / "videos")
    for line in ANNOTATE:
        if line.needs or line.language != "sh" or line.words[1] in ("demo", "review"):
            continue
        if line.words[1] == "evaluate":
            shutil.copy(host.home / "people.json", host.home / "truth.json")
        # One process loads the models once.
        more = ("--processes", "1") if line.words[1] == "submit" else ()
        process = host.start(*line.words[1:], *more)
        try:
            out, err = process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            kill(process)
            raise
        assert process.returncode == 0, f"{line}\n{out}\n{err}"
    assert (host.home / "results.json").exists()
    assert list((host.home / "plots").iterdir())


def test_the_benchmarks_explain_themselves() -> None:
    """All in one process, which loads the libraries once."""
    program = (
        "import runpy, sys\n"
        "for module in sys.argv[1:]:\n"
        "    sys.argv = [module, '--help']\n"
        "    try:\n        runpy.run_module(module, run_name='__main__')\n"
        "    except SystemExit as end:\n        assert end.code == 0, module\n"
        "    else:\n        raise AssertionError(f'{module} does not know --help')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *BENCHMARKS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.lower().count("usage:") == len(BENCHMARKS)


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_links_and_files_exist(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    for path, anchor in _LINK.findall(text):
        target = file.parent / path if path else file
        assert target.exists(), path
        if anchor:
            assert anchor in _anchors(target), f"{path}#{anchor}"
    for source in _SOURCE.findall(text):
        assert (ROOT / source).exists() or source.endswith((".json", ".env")), source


def test_the_walk_names_files_that_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    files = re.findall(r"`([\w/]+\.py)`", text)
    assert len(files) > 40
    assert [
        f for f in files if not (ROOT / "annotate" / f).exists() and not (ROOT / f).exists()
    ] == []


def test_all_files_name_the_same_version() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {annotate.__version__}\n" in citation
    assert f"\n## {annotate.__version__} " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_python_of_the_readme_uses_names_that_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    used = {
        node.attr
        for node in ast.walk(ast.parse(block))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "annotate"
    }
    assert used
    assert used <= set(annotate.__all__)


def _anchors(file: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}


def test_the_readme_is_short() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
    # .ci/run looks for this line.
    assert [line for line in lines if line.endswith("pytest")] == [
        "pip install -e '.[test]' && pytest"
    ]
