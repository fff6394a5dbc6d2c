"""`annotate models compile`."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from annotate.cli.options import JsonOption
from annotate.domain.errors import ProviderError
from annotate.domain.settings import settings_from
from annotate.domain.soc import SOCS, Soc, find_soc, with_same_npu
from annotate.use_cases.find_pack import installed_pack

if TYPE_CHECKING:
    from annotate.inference.compiled import Compiled

# The hosts that most people have. All others would take a gigabyte of every pack.
ALL = "all"
_NAMES = "x-elite,x2-elite,qcs8550,iq-9075"


def compile_pack(
    name: Annotated[str | None, typer.Argument(show_default="the one that `submit` takes")] = None,
    *,
    soc: Annotated[
        str, typer.Option("--soc", help="SoCs to compile for, separated by commas, or `all`.")
    ] = _NAMES,
    as_json: JsonOption = False,
) -> None:
    """Compile a pack for the NPUs of Snapdragon SoCs, on any x86-64 host and without an account.

    The compiled models go into the pack, and workers use those of their own SoC. Where there are
    none, a worker compiles the models once and caches them.

    Examples:

      annotate models compile

      annotate models compile --soc x-elite,qcs8550

      annotate models compile --soc all
    """
    from annotate.cli.progress import phases
    from annotate.inference.compiled import compile_variant
    from annotate.inference.isolated import run_isolated
    from annotate.packs.installed import verify_pack

    socs = _socs(soc)
    folder = installed_pack(settings_from().packs, name)
    pack = verify_pack(folder)
    done: list[Compiled] = []
    refused: list[str] = []
    with phases() as phase:
        for count, one in enumerate(socs):
            phase(f"Compiling for {one.title}", count / len(socs))
            try:
                done += run_isolated(compile_variant, pack, folder, one)
            except ProviderError:
                if soc != ALL or one.has_float16:
                    raise
                refused.append(one.title)
    if as_json:
        typer.echo(json.dumps([_as_json(one) for one in done], indent=2))
        return
    _print(done)
    if refused:
        typer.echo(f"Not for those whose NPUs run quantized models only: {', '.join(refused)}")
    typer.echo(f"The variants are in {folder / 'variants'}")


def _socs(names: str) -> list[Soc]:
    """The SoCs of these names; those that share an NPU, and so its models, once."""
    wanted = SOCS if names == ALL else [find_soc(one.strip()) for one in names.split(",")]
    return list(dict.fromkeys(with_same_npu(one) for one in wanted))


def _as_json(one: "Compiled") -> dict[str, object]:
    return {
        "soc": one.soc.name,
        "soc_model": one.soc.soc_model,
        "htp_arch": one.soc.htp_arch,
        "model": one.model,
        "bytes": one.size_bytes,
        "compile_s": round(one.compile_s, 3),
    }


def _print(done: "list[Compiled]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("SoC", "HTP", "model"):
        table.add_column(column, overflow="fold")
    for column in ("size", "compiled in"):
        table.add_column(column, justify="right")
    for one in done:
        table.add_row(
            one.soc.title,
            f"v{one.soc.htp_arch}",
            one.model,
            f"{one.size_bytes / 1e6:.1f} MB",
            f"{one.compile_s:.2f} s",
        )
    Console().print(table)
