"""Options and settings from a file: `annotate.toml` in the working folder, or `--config FILE`.

A table is named after its command, `[submit]` or `[models.pull]`, and has the command's options
without their dashes: Click takes them as defaults. At the top stand the settings of the host, the
variables without `ANNOTATE_` in lower case. What the command line says goes first, then variables,
then the file.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from annotate.domain.choices import one_of
from annotate.domain.errors import AnnotateError, UsageError
from annotate.domain.settings import S3_SCHEME, settings_from

FILE = Path("annotate.toml")
PREFIX = "ANNOTATE_"
# Settings that are folders: in a file they count from its own folder.
_FOLDERS = ("store", "packs", "cache")
# Settings that have names: in a file they are tables, whose entries the variable has apart so.
_TABLES = {"roots": os.pathsep, "limits": ","}
# Click's `UsageError`: some versions of Typer have a copy of Click, and export only what is below.
_WRONG_USAGE: Any = typer.BadParameter.__base__
Options = Mapping[str, Any]


@dataclass(frozen=True)
class ConfigFile:
    """What a file says.

    Attributes:
        path: of the file; None where there is none.
        settings: of the host, by variable, as the environment would have them.
        options: by command, then by name of the parameter; of `models pull` by `models`, `pull`.
    """

    path: Path | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    options: Options = field(default_factory=dict)

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Variables that are not set have the file's values in the block, for processes too."""
        new = {name: value for name, value in self.settings.items() if not os.environ.get(name)}
        before = {name: os.environ.get(name) for name in new}
        os.environ.update(new)
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name)
                if value is not None:
                    os.environ[name] = value


def read_config(path: Path | None, context: typer.Context) -> ConfigFile:
    """The file at `path`, else the one in the working folder, else nothing.

    Args:
        path: from the command line, or None.
        context: of the program: it knows the commands and their options.

    Raises:
        UsageError: the file cannot be read, or says what no command and no setting knows.
    """
    place = path or FILE
    if path is None and not place.is_file():
        return ConfigFile()
    try:
        said = tomllib.loads(place.read_text("utf-8"))
    except OSError as error:
        raise UsageError(
            f"{place} cannot be read: {error.strerror or error}", "Name a file with --config."
        ) from None
    except ValueError as error:
        raise UsageError(f"{place} is not TOML: {error}", "Mend it, or move it away.") from None
    commands = _commands_of(context.command)
    settings = {name: value for name, value in said.items() if name not in commands}
    options = {name: value for name, value in said.items() if name in commands}
    try:
        return ConfigFile(
            place,
            _settings(settings, place, [*commands]),
            _options(options, context.command),
        )
    except AnnotateError as error:
        raise UsageError(f"{place}: {error.message}", error.hint) from error


def variables() -> list[str]:
    """The variables of the settings of a host."""
    return [*settings_from({}).to_environ()]


def _settings(said: Options, place: Path, commands: list[str]) -> dict[str, str]:
    known = [name.removeprefix(PREFIX).lower() for name in variables()]
    found = {}
    for name, value in said.items():
        if name not in known and isinstance(value, dict):
            one_of(commands, name, "a command")
        one_of(known, name, "a setting")
        text = _setting(name, value)
        if name in _FOLDERS and text and not text.startswith(S3_SCHEME):
            text = str(place.absolute().parent / text)
        found[PREFIX + name.upper()] = text
    settings_from(found)
    return found


def _setting(name: str, value: Any) -> str:
    """As the variable has it: `{media = "/mnt", raw = "/data"}` is `media=/mnt:raw=/data`."""
    if name not in _TABLES or not isinstance(value, dict):
        return _text(name, value)
    return _TABLES[name].join(f"{key}={_text(name, one)}" for key, one in value.items())


def _text(name: str, value: Any) -> str:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        text = str(value)
        # No shell reads the file; `~` alone may be a name.
        return str(Path(text).expanduser()) if text.startswith("~/") else text
    raise UsageError(f"{name} has an impossible value: {value!r}", "Write a text or a number.")


def _options(said: Options, group: Any) -> dict[str, Any]:
    """The options of the commands of a group, as Click wants its defaults."""
    found = {}
    for name, table in said.items():
        command = _commands_of(group)[one_of([*_commands_of(group)], name, "a command")]
        if not isinstance(table, dict):
            raise UsageError(f"{name} is a command", f"Write its options below [{name}].")
        below = _commands_of(command)
        found[name] = _options(table, command) if below else _of_command(table, command)
    return found


def _of_command(table: Options, command: Any) -> dict[str, Any]:
    known = {max(one.opts, key=len).removeprefix("--"): one for one in _options_of(command)}
    found, said = {}, []
    for name, value in table.items():
        flag = one_of([*known], name.replace("_", "-"), f"an option of {command.name}")
        parameter = known[flag]
        given = _given(flag, value, parameter)
        found[parameter.name] = given
        if isinstance(given, bool):
            said += [f"--{flag}"] * given
        else:
            said += [f"--{flag}={one}" for one in (given if parameter.multiple else [given])]
    _check(said, command)
    return found


def _given(flag: str, value: Any, parameter: Any) -> Any:
    """As the command line would give it: texts, and yes or no."""
    if parameter.is_flag and isinstance(value, bool):
        return value
    texts = [_text(flag, one) for one in (value if isinstance(value, list) else [value])]
    return texts if parameter.multiple else ",".join(texts)


def _check(said: list[str], command: Any) -> None:
    """Reads the options as if the command line gave them; arguments need not be there."""
    try:
        with command.make_context(command.name, said):
            pass
    except _WRONG_USAGE as error:
        if type(error).__name__ != "MissingParameter":
            raise UsageError(f"[{command.name}] {error.format_message()}") from error


def _options_of(command: Any) -> list[Any]:
    return [one for one in command.params if one.param_type_name == "option"]


def _commands_of(group: Any) -> Mapping[str, Any]:
    return getattr(group, "commands", {})
