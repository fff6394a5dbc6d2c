"""What was asked of AI Hub for a pack and a target, and what came back.

`<pack>/hub/<target>/` holds `jobs.json`, which is written after every submission, and what was
downloaded. So a command that was interrupted goes on with its jobs.
"""

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from annotate.domain.errors import PackError
from annotate.domain.pack import Pack
from annotate.domain.variant import sources_of

HUB = "hub"
RECORD_FILE = "jobs.json"


@dataclass(frozen=True)
class Target:
    """What a pack is compiled for.

    Attributes:
        device: AI Hub's name of it.
        runtime: AI Hub's name of what loads the models there.
        precision: `float`, or `w8a8` for 8-bit weights and activations.
    """

    device: str
    runtime: str
    precision: str

    @property
    def key(self) -> str:
        """Name of the target's folder."""
        device = re.sub(r"[^a-z0-9]+", "-", self.device.lower()).strip("-")
        return f"{device}.{self.runtime}.{self.precision}"


@dataclass
class Record:
    """The jobs of a pack for a target.

    Attributes:
        folder: where it is written, and downloads go.
        target: what they are for.
        sources: SHA-256 of the models that were submitted, by their file's name.
        calibration: SHA-256 of the inputs that 8-bit models were calibrated with, or empty.
        jobs: ids, by step and then by stage: `{"compile": {"detector": "jabc123"}}`.
    """

    folder: Path
    target: Target
    sources: dict[str, str]
    calibration: str = ""
    jobs: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, pack: Pack, pack_folder: Path, target: Target) -> "Record":
        """What stands in the pack, or an empty one where nothing was submitted of these models."""
        folder = pack_folder / HUB / target.key
        record = cls(folder, target, sources_of(pack))
        try:
            fields: dict[str, Any] = json.loads((folder / RECORD_FILE).read_text("utf-8"))
            if fields["sources"] == record.sources:
                record.calibration = str(fields["calibration"])
                record.jobs = {step: dict(jobs) for step, jobs in fields["jobs"].items()}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise PackError(
                f"{folder / RECORD_FILE} cannot be read: {error}", "Delete it and compile again."
            ) from error
        return record

    def job(self, step: str, stage: str) -> str | None:
        """The id of a job that was submitted, or None."""
        return self.jobs.get(step, {}).get(stage)

    def add(self, step: str, stage: str, job: str) -> None:
        """Writes down that a job was submitted.

        Raises:
            PackError: the pack cannot be written.
        """
        self.jobs.setdefault(step, {})[stage] = job
        self._write()

    def calibrate(self, digest: str) -> None:
        """Begins anew where 8-bit models are calibrated with other inputs than before.

        Raises:
            PackError: the pack cannot be written.
        """
        if self.calibration != digest:
            self.calibration, self.jobs = digest, {}
            self._write()

    def forget(self, step: str, *stages: str) -> None:
        """Lets jobs be submitted again.

        Raises:
            PackError: the pack cannot be written.
        """
        for stage in stages:
            self.jobs.get(step, {}).pop(stage, None)
        self._write()

    def _write(self) -> None:
        fields = {
            **asdict(self.target),
            "sources": self.sources,
            "calibration": self.calibration,
            "jobs": self.jobs,
        }
        text = json.dumps(fields, indent=2) + "\n"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            new = self.folder / f"{RECORD_FILE}.new"
            new.write_text(text, encoding="utf-8")
            new.replace(self.folder / RECORD_FILE)
        except OSError as error:
            raise PackError(
                f"{self.folder} cannot be written: {error.strerror or error}",
                "Make the pack's folder writable.",
            ) from error
