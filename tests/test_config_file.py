"""Settings in a file: the command line goes first, then variables, then `annotate.toml`."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from annotate.cli.app import app
from annotate.domain.errors import AnnotateError, UsageError
from annotate.domain.settings import settings_from

LAB = """
store = "results"
cache_gb = 10
roots = {media = "/mnt/share"}
limits = {pixels = 2e7, memory_gb = 4}

[export]
format = "cvs"
min_score = 0.5
tracks = [1, 3]
video = ["a.mp4"]

[evaluate]
json = true

[models.quantize]
activations = "16"
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("ANNOTATE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(*arguments: str, **variables: str) -> str:
    """What a command prints, or the error that ends it."""
    result = CliRunner().invoke(app, arguments, env=variables)
    if isinstance(result.exception, AnnotateError):
        return f"{result.exception.message}\n{result.exception.hint}"
    assert result.exit_code == 0, result.output
    return result.output


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_everything_in_force_is_printed_with_where_it_is_from(here: Path) -> None:
    (here / "annotate.toml").write_text(LAB)
    found = lines(said("config", ANNOTATE_BROKER="redis://me:secret@queue:6379/0"))
    assert found[0] == f"# {here / 'annotate.toml'}"
    for line in (
        f'store = "{here / "results"}" # annotate.toml',
        'broker = "redis://queue:6379/0" # ANNOTATE_BROKER, with a password',
        'provider = "auto" # default',
        'roots = "media=/mnt/share" # annotate.toml',
        "[export]",
        'tracks = "1,3" # annotate.toml',
        'video = ["a.mp4"] # annotate.toml',
        "[models.quantize]",
    ):
        assert line in found
    assert any("pixels=20000000," in line and "memory_gb=4.0" in line for line in found)
    assert not any(name.startswith("ANNOTATE_") for name in os.environ), "it is left as it was"


def test_the_command_line_goes_before_variables_and_these_before_the_file(here: Path) -> None:
    (here / "annotate.toml").write_text(LAB)
    assert "'cvs' is not one of: coco" in said("export", "--out", "people.csv")
    assert f"store {here / 'results'} has no job" in said("export", "--format", "csv", "-o", "a")
    other = str(here / "other")
    named = {"ANNOTATE_STORE": other}
    assert f"store {other} has no job" in said("export", "--format", "csv", "-o", "a", **named)
    arguments = ("export", "--format", "csv", "-o", "a", "--store", str(here / "third"))
    assert f"store {here / 'third'} has no job" in said(*arguments, **named)


def test_another_file_can_be_named(here: Path) -> None:
    (here / "annotate.toml").write_text("no TOML at all")
    folder = here / "lab"
    folder.mkdir()
    (folder / "lab.toml").write_text('store = "results"\nbroker = "memory://"')
    found = lines(said("--config", "lab/lab.toml", "config"))
    assert f'store = "{folder / "results"}" # lab/lab.toml' in found
    assert (
        lines(said("--config", "lab/lab.toml", "config"))[2]
        == 'broker = "memory://" # lab/lab.toml'
    )


def test_a_path_may_begin_with_the_home_folder(here: Path) -> None:
    home = here / "home"
    text = 'store = "~/lab"\nroots = {media = "~/films"}\n[export]\nout = "~/people.json"'
    (here / "annotate.toml").write_text(text)
    found = lines(said("config", HOME=str(home)))
    for line in (
        f'store = "{home / "lab"}" # annotate.toml',
        f'roots = "media={home / "films"}" # annotate.toml',
        f'out = "{home / "people.json"}" # annotate.toml',
    ):
        assert line in found


@pytest.mark.parametrize("variable", ["ANNOTATE_STORE", "ANNOTATE_PACKS", "ANNOTATE_CACHE"])
def test_a_variable_may_begin_with_the_home_folder(variable: str) -> None:
    settings = settings_from({variable: "~/kept"})
    name = variable.removeprefix("ANNOTATE_").lower()
    assert Path(getattr(settings, name)) == Path.home() / "kept"


def test_a_root_may_begin_with_the_home_folder() -> None:
    assert settings_from({"ANNOTATE_ROOTS": "media=~/films"}).roots == {
        "media": Path.home() / "films"
    }


def test_a_tilde_that_is_no_home_stays_a_name(here: Path) -> None:
    assert settings_from({"ANNOTATE_STORE": "~nobody-of-that-name/x"}).store == str(
        here / "~nobody-of-that-name/x"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = [", "lab.toml is not TOML"),
        ('sotre = "x"', "Did you mean store?"),
        ("[sumbit]\nevery = 1", "Did you mean submit?"),
        ("[submit]\nevry = 1", "Did you mean every?"),
        ('[submit]\nevery = "abc"', "[submit] Invalid value for '--every'"),
        ('[submit]\nsmooth = "abc"', "--smooth 'abc' is not a cut-off"),
        ("[submit]\nrotations = 0", "[submit] Invalid value for '--rotations'"),
        ("[submit]\nevery = 0", "[submit] Invalid value for '--every'"),
        ('[export]\nangles = "maybe"', "'--angles' does not take a value"),
        ("submit = 3", "Write its options below [submit]"),
        ("[models]\npull = 3", "Write its options below [pull]"),
        ('store = ["x"]', "store has an impossible value: ['x']"),
        ("store = true", "Write a text or a number"),
        ('store = {media = "/mnt"}', "store has an impossible value"),
        ("[draw]\nout = false", "out has an impossible value: False"),
        ("[draw]\nout = {a = 1}", "out has an impossible value"),
        ("[submit]\nevery = true", "every has an impossible value: True"),
        ('provider = "nup"', "ANNOTATE_PROVIDER: 'nup' is not one of"),
        ('cache_gb = "x"', "is not a valid size"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(here: Path, text: str, told: str) -> None:
    (here / "lab.toml").write_text(text)
    answer = said("--config", "lab.toml", "jobs")
    assert told in answer
    assert "lab.toml" in answer


def test_an_empty_setting_is_none(here: Path) -> None:
    (here / "annotate.toml").write_text('store = ""\nprovider = ""')
    found = lines(said("config"))
    assert not any(line.startswith(f'store = "{here}"') for line in found)


def test_a_named_file_that_is_not_there_is_an_error(here: Path) -> None:
    with pytest.raises(UsageError, match=r"nope\.toml cannot be read"):
        CliRunner().invoke(app, ["--config", "nope.toml", "jobs"], catch_exceptions=False)
    assert said("config").startswith("# no annotate.toml")
    assert here.is_dir()
