"""`annotate doctor`."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from annotate.cli.options import JsonOption, StoreOption
from annotate.domain.errors import ExitCode
from annotate.domain.settings import settings_from

if TYPE_CHECKING:
    from annotate.use_cases.doctor import Report


# What a host can be required to have.
Required = Literal["npu"]


def doctor(
    *,
    require: Annotated[
        Required | None,
        typer.Option("--require", help="Exit with 1 unless this host has it and it works."),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check this host: versions, NPU, model packs, speed, store and broker.

    Exits with 0 when no check fails, with or without an NPU, else with 1.

    Examples:

      annotate doctor

      annotate doctor --require npu --json
    """
    from annotate.cli.progress import phases
    from annotate.use_cases.doctor import examine

    with phases() as phase:
        report = examine(settings_from(store=store), require_npu=require == "npu", progress=phase)
    if as_json:
        typer.echo(json.dumps(asdict(report), indent=2))
    else:
        _print(report)
    if not report.sound:
        raise typer.Exit(ExitCode.FAILED)


def _print(report: "Report") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for check in report.checks:
        mark, style = _MARKS[check.state]
        value = f"{check.value}\n{check.hint}" if check.hint else check.value
        table.add_row(Text(mark, style=style), Text(check.name), Text(value))
    console = Console()
    console.print(table)
    console.print(Text(report.verdict, style="bold" if report.sound else "bold red"))


_MARKS = {
    "ok": ("ok", "green"),
    "none": ("-", "dim"),
    "warn": ("warn", "yellow"),
    "fail": ("fail", "red"),
}
