"""Where things are, from the environment and the command line."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

MEMORY = "memory://"


@dataclass(frozen=True)
class Settings:
    """What every command and every worker process needs to know of its host.

    Attributes:
        store: folder of the store (`ANNOTATE_STORE`).
        broker: URL of the queue (`ANNOTATE_BROKER`); `memory://` needs no server.
        packs: folder of this host's model packs (`ANNOTATE_PACKS`).
        provider: what runs the models (`ANNOTATE_PROVIDER`): `cpu`, `qnn`, or `auto`, which takes
            the NPU where it proves itself.
        soc: name of this host's SoC, where it cannot be found out (`ANNOTATE_SOC`), or empty.
    """

    store: Path
    broker: str
    packs: Path
    provider: str = "auto"
    soc: str = ""

    @property
    def embedded(self) -> bool:
        """Whether the queue lives in the process that submits, together with its workers."""
        return self.broker == MEMORY

    def to_environ(self) -> dict[str, str]:
        """Variables that give a child process the same settings."""
        return {
            "ANNOTATE_STORE": str(self.store),
            "ANNOTATE_BROKER": self.broker,
            "ANNOTATE_PACKS": str(self.packs),
            "ANNOTATE_PROVIDER": self.provider,
            "ANNOTATE_SOC": self.soc,
        }


def settings_from(
    environ: Mapping[str, str] = os.environ, *, store: Path | None = None
) -> Settings:
    """The settings that `environ` gives; a `store` from the command line wins."""
    data = platformdirs.user_data_path("annotate", appauthor=False)
    return Settings(
        store=(store or Path(environ.get("ANNOTATE_STORE") or data / "store")).absolute(),
        broker=environ.get("ANNOTATE_BROKER") or MEMORY,
        packs=Path(environ.get("ANNOTATE_PACKS") or data / "packs").absolute(),
        provider=environ.get("ANNOTATE_PROVIDER") or "auto",
        soc=environ.get("ANNOTATE_SOC") or "",
    )
