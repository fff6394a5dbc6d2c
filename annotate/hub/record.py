"""The record of the jobs that were submitted to AI Hub for a pack and a target.

`<pack>/hub/<target>/` holds `jobs.json`, which is written after every submission, and the
downloads. So after an interruption the same command goes on with its jobs.
"""

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from annotate.domain.errors import PackError
from annotate.domain.json_text import parsed
from annotate.domain.pack import Pack
from annotate.domain.variant import sources_of

HUB = "hub"
RECORD_FILE = "jobs.json"


@dataclass(frozen=True)
class Target:
    """What a pack is compiled for.

    Attributes:
        device: AI Hub's name of the device.
        runtime: AI Hub's name of the runtime that loads the models.
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
        folder: the folder of `jobs.json` and of downloads.
        target: what the models are compiled for.
        sources: SHA-256 of the submitted models, by file name.
        calibration: SHA-256 of the calibration inputs of 8-bit models, or empty.
        options: options of the quantize and compile jobs.
        jobs: ids, by step and then by stage: `{"compile": {"detector": "jabc123"}}`.
    """

    folder: Path
    target: Target
    sources: dict[str, str]
    calibration: str = ""
    options: str = ""
    jobs: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, pack: Pack, pack_folder: Path, target: Target) -> "Record":
        """The record in the pack, or an empty one where these models were never submitted."""
        folder = pack_folder / HUB / target.key
        record = cls(folder, target, sources_of(pack))
        try:
            fields: dict[str, Any] = parsed((folder / RECORD_FILE).read_text("utf-8"))
            if fields["sources"] == record.sources:
                record.calibration = str(fields["calibration"])
                record.options = str(fields.get("options", ""))
                record.jobs = {step: dict(jobs) for step, jobs in fields["jobs"].items()}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise PackError(
                f"{folder / RECORD_FILE} cannot be read: {error}", "Delete it and compile again."
            ) from error
        return record

    def job(self, step: str, stage: str) -> str | None:
        """The id of a submitted job, or None."""
        return self.jobs.get(step, {}).get(stage)

    def add(self, step: str, stage: str, job: str) -> None:
        """Records a submitted job.

        Raises:
            PackError: the pack is not writable.
        """
        self.jobs.setdefault(step, {})[stage] = job
        self._write()

    def begin(self, options: str, calibration: str) -> None:
        """Drops all jobs if their options or calibration inputs differ from those of before.

        Raises:
            PackError: the pack is not writable.
        """
        if (self.options, self.calibration) != (options, calibration):
            self.options, self.calibration, self.jobs = options, calibration, {}
            self._write()

    def forget(self, step: str, *stages: str) -> None:
        """Drops jobs, so that they are submitted again.

        Raises:
            PackError: the pack is not writable.
        """
        for stage in stages:
            self.jobs.get(step, {}).pop(stage, None)
        self._write()

    def _write(self) -> None:
        fields = {
            **asdict(self.target),
            "sources": self.sources,
            "calibration": self.calibration,
            "options": self.options,
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
