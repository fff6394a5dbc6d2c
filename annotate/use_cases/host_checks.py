"""Checks of `annotate doctor` of what a host is, and of what a process needs to reach its NPU."""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from annotate.domain.soc import Soc
from annotate.host import (
    DMA_HEAP,
    FASTRPC_LIBRARY,
    NPU_DEVICES,
    access_to,
    fastrpc_library,
    host_architecture,
    is_emulated_on_arm,
    process_architecture,
)

State = Literal["ok", "none", "warn", "fail"]
"""Good; absent, and not needed; works, but look at it; keeps this host from working."""


@dataclass(frozen=True)
class Check:
    """One check and its outcome.

    Attributes:
        name: what was checked.
        state: outcome.
        value: what was found, for people.
        hint: next step, or empty.
        facts: what was found, for scripts.
    """

    name: str
    state: State
    value: str
    hint: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def host_checks(soc: Soc | None) -> Iterator[Check]:
    """The checks of a host with that SoC; None is one without a known NPU."""
    process, host = process_architecture(), host_architecture()
    value = f"{process} on {host}" + (", emulated" if is_emulated_on_arm() else "")
    yield Check("architecture", "ok", value, facts={"process": process, "host": host})
    yield Check("SoC", "ok" if soc else "none", soc.title if soc else "none with a known NPU")
    if sys.platform != "linux" or not soc:
        return
    for device in (*NPU_DEVICES[: soc.npus], DMA_HEAP):
        yield _device_check(device)
    loads = fastrpc_library()
    hint = "It comes with the system of the board: install its FastRPC package."
    value = "loads" if loads else "does not load"
    yield Check(FASTRPC_LIBRARY, "ok" if loads else "warn", value, "" if loads else hint)
    if preset := os.environ.get("ADSP_LIBRARY_PATH"):
        yield _library_path_check(preset)


def _device_check(device: Path) -> Check:
    # Memory is allocated from the heap by whoever may read it.
    found = access_to(device, os.R_OK if device == DMA_HEAP else os.R_OK | os.W_OK)
    if found == "usable":
        return Check(str(device), "ok", found)
    if found == "missing":
        hint = (
            "No right is missing: the kernel has no driver for it, or a container was not given it."
        )
    else:
        hint = (
            "Add this user to that group and log in again; the systemd unit has "
            "SupplementaryGroups, `docker run` has --group-add."
        )
    return Check(str(device), "warn", found, hint)


def _library_path_check(preset: str) -> Check:
    """The NPU's driver looks for the libraries of its side in these folders, in this order."""
    folders = [folder for folder in re.split("[;:]", preset) if folder]
    found = [folder for folder in folders if list(Path(folder).glob("libQnnHtp*Skel.so"))]
    value = f"{preset}: the libraries of the NPU are in {found[0] if found else 'none of them'}"
    hint = (
        "They must be those of the plugin, or the NPU stops with error 1008. Unset it, unless the "
        "board's maker says otherwise."
    )
    return Check(
        "ADSP_LIBRARY_PATH", "warn", value, hint, {"folders": folders, "with_libraries": found}
    )
