"""Settings of this host, from the environment and the command line."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar, get_args

import platformdirs

from annotate.domain.broker import MEMORY, checked_broker
from annotate.domain.choices import one_of
from annotate.domain.errors import UsageError
from annotate.domain.limits import DEFAULT_LIMITS, LIMITS_VARIABLE, Limits, limits_from

# The name that a worker gives to its processes.
WORKER_VARIABLE = "ANNOTATE_WORKER"
# The id of the store, as a worker gives it to its processes.
STORE_VARIABLE = "ANNOTATE_STORE_ID"
# What a worker offers to run models on, as it tells its processes.
RUNS_ON_VARIABLE = "ANNOTATE_RUNS_ON"
# The numbers of the NPUs that a worker's threads share, as it tells its process.
NPUS_VARIABLE = "ANNOTATE_NPUS"
# Start of every key in the queue's server.
PREFIX = "annotate:"


def key_prefix(store_id: str) -> str:
    """Start of the keys in the queue's server that belong to the store with that id."""
    return f"{PREFIX}{store_id}:" if store_id else PREFIX


# Every store whose location starts with it is in a bucket.
S3_SCHEME = "s3://"
# Gigabytes of videos that the cache holds by default.
CACHE_GB = 50.0

Provider = Literal["auto", "cpu", "qnn", "cuda", "tensorrt", "openvino", "coreml", "dml"]
# Why `auto` chose the CPU on most hosts: nothing to look into.
NO_NPU = "this host has no NPU"
Hwaccel = Literal["off", "auto"]
NpuPerformance = Literal[
    "sustained_high_performance",
    "burst",
    "high_performance",
    "balanced",
    "low_balanced",
    "high_power_saver",
    "power_saver",
    "low_power_saver",
    "extreme_power_saver",
    "default",
]
T = TypeVar("T", bound=str)

_ROOT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class Settings:
    """What every command and every worker process needs to know about its host.

    Attributes:
        store: folder of the store, or `s3://bucket/prefix` (`ANNOTATE_STORE`).
        broker: URL of the queue (`ANNOTATE_BROKER`); `memory://` needs no server. It may hold a
            password and is never printed.
        packs: folder of this host's model packs (`ANNOTATE_PACKS`).
        cache: folder for copies that can be fetched again (`ANNOTATE_CACHE`).
        cache_bytes: most bytes of a bucket's videos, and of copies for the review page, in it
            (`ANNOTATE_CACHE_GB`).
        roots: where this host sees the shares that all hosts know by name (`ANNOTATE_ROOTS`, e.g.
            `media=/mnt/share`; several are separated as in PATH).
        provider: what runs the models (`ANNOTATE_PROVIDER`): `cpu`, `qnn`, another accelerator, or
            `auto`, which takes an NPU or a GPU that agrees with the CPU and is faster.
        hwaccel: `auto` decodes in hardware where this host can, `off` (the default) on the CPU
            (`ANNOTATE_HWACCEL`).
        soc: name of this host's SoC, where it cannot be detected (`ANNOTATE_SOC`), or empty.
        performance: mode of the NPU, e.g. `burst` (`ANNOTATE_NPU_PERFORMANCE`).
        limits: what a video may take of this host (`ANNOTATE_LIMITS`).
    """

    store: str
    broker: str = field(repr=False)
    packs: Path
    cache: Path
    cache_bytes: int = int(CACHE_GB * 1e9)
    roots: Mapping[str, Path] = field(default_factory=dict)
    provider: Provider = "auto"
    hwaccel: Hwaccel = "off"
    soc: str = ""
    performance: NpuPerformance = "sustained_high_performance"
    limits: Limits = DEFAULT_LIMITS

    @property
    def embedded(self) -> bool:
        """Whether the queue lives in the process that submits, together with its workers."""
        return self.broker == MEMORY

    def to_environ(self) -> dict[str, str]:
        """Variables that give a child process the same settings."""
        return {
            "ANNOTATE_STORE": self.store,
            "ANNOTATE_BROKER": self.broker,
            "ANNOTATE_PACKS": str(self.packs),
            "ANNOTATE_CACHE": str(self.cache),
            "ANNOTATE_CACHE_GB": str(self.cache_bytes / 1e9),
            "ANNOTATE_ROOTS": os.pathsep.join(f"{n}={folder}" for n, folder in self.roots.items()),
            "ANNOTATE_PROVIDER": self.provider,
            "ANNOTATE_HWACCEL": self.hwaccel,
            "ANNOTATE_SOC": self.soc,
            "ANNOTATE_NPU_PERFORMANCE": self.performance,
            LIMITS_VARIABLE: str(self.limits),
        }


def settings_from(environ: Mapping[str, str] = os.environ, *, store: str | None = None) -> Settings:
    """The settings that `environ` gives.

    Args:
        store: from the command line; it goes before `ANNOTATE_STORE`.

    Raises:
        UsageError: a variable has an impossible value.
    """
    data = platformdirs.user_data_path("annotate", appauthor=False)
    cache = platformdirs.user_cache_path("annotate", appauthor=False)
    location = store or environ.get("ANNOTATE_STORE") or str(data / "store")
    return Settings(
        store=location if location.startswith(S3_SCHEME) else str(in_full(location)),
        broker=checked_broker(environ.get("ANNOTATE_BROKER") or MEMORY),
        packs=in_full(environ.get("ANNOTATE_PACKS") or data / "packs"),
        cache=in_full(environ.get("ANNOTATE_CACHE") or cache),
        cache_bytes=_gigabytes(environ.get("ANNOTATE_CACHE_GB") or str(CACHE_GB)),
        roots=_roots(environ.get("ANNOTATE_ROOTS") or ""),
        provider=_one_of(get_args(Provider), environ, "ANNOTATE_PROVIDER"),
        hwaccel=_one_of(get_args(Hwaccel), environ, "ANNOTATE_HWACCEL"),
        soc=environ.get("ANNOTATE_SOC") or "",
        performance=_one_of(get_args(NpuPerformance), environ, "ANNOTATE_NPU_PERFORMANCE"),
        limits=limits_from(environ.get(LIMITS_VARIABLE) or ""),
    )


def in_full(path: str | Path) -> Path:
    """The absolute path, with the home folder for `~`, where no shell has put it in."""
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError:  # `~name` of no user of this host: a folder of that name
        return Path(path).absolute()


def _one_of(values: Sequence[T], environ: Mapping[str, str], name: str) -> T:
    """The value of a variable, or the first one where it is not set."""
    return one_of(values, environ.get(name) or values[0], name)


def _gigabytes(text: str) -> int:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise UsageError(
            f"ANNOTATE_CACHE_GB={text} is not a valid size", "Give gigabytes, e.g. 50."
        )
    return int(value * 1e9)


def _roots(text: str) -> dict[str, Path]:
    roots = {}
    for entry in filter(None, text.split(os.pathsep)):
        name, _, folder = entry.partition("=")
        at_home = folder.startswith("~")
        if not _ROOT_NAME.fullmatch(name) or not (at_home or Path(folder).is_absolute()):
            raise UsageError(
                f"ANNOTATE_ROOTS: {entry!r} is not NAME=FOLDER",
                f"Give names and absolute folders, e.g. media=/mnt/share{os.pathsep}raw=/data.",
            )
        roots[name] = in_full(folder) if at_home else Path(folder)
    return roots
