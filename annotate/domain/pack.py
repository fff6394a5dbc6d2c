"""A model pack: the content of `pack.json`, as dataclasses.

Everything that differs between packs is data; no code branches on a pack's name.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from annotate.domain.errors import PackError, UsageError
from annotate.domain.model_spec import DetectorSpec, LandmarkSpec
from annotate.domain.pack_json import read_models

PACK_FILE = "pack.json"


@dataclass(frozen=True)
class Pack:
    """A model pack: two models and the skeleton that their landmarks belong to."""

    name: str
    skeleton: str
    source: str
    detector: DetectorSpec
    landmark: LandmarkSpec

    @property
    def stages(self) -> Mapping[str, DetectorSpec | LandmarkSpec]:
        """Both models, by their stage: `detector` and `landmark`."""
        return {"detector": self.detector, "landmark": self.landmark}

    @property
    def carries_people(self) -> bool:
        """Whether people can be carried from frame to frame: the landmark model gives an ROI."""
        return self.landmark.next_roi is not None

    def check_detect_every(self, detect_every: int) -> None:
        """Whether the detector may run on every so many frames only.

        Raises:
            UsageError: it may not.
        """
        if detect_every > 1 and not self.carries_people:
            raise UsageError(
                f"the pack {self.name} cannot carry people from frame to frame",
                "Its landmark model gives no ROI: use --detect-every 1.",
            )

    @property
    def digest(self) -> str:
        """Hex SHA-256 over all that the pack says, the models' digests included."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """The text of `pack.json`, keys sorted."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Pack":
        """Inverse of `to_json`.

        Raises:
            PackError: the text is no JSON, or lacks a field, or has an unknown one.
        """
        try:
            fields: dict[str, Any] = json.loads(text)
            detector, landmark = read_models(fields.pop("detector"), fields.pop("landmark"))
            return cls(detector=detector, landmark=landmark, **fields)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise PackError(
                f"no description of a model pack: {error}",
                "Run `annotate models pull --force` to make the pack again.",
            ) from error


def read_pack(folder: Path) -> Pack:
    """The pack in `folder`, from its `pack.json`.

    Raises:
        PackError: there is no pack, or its description is damaged.
    """
    try:
        text = (folder / PACK_FILE).read_text(encoding="utf-8")
    except OSError as error:
        raise PackError(
            f"no model pack at {folder}: {error.strerror}",
            "See `annotate models list`; `annotate models pull` fetches the default one.",
        ) from error
    try:
        return Pack.from_json(text)
    except PackError as error:
        raise PackError(f"{folder / PACK_FILE}: {error.message}", error.hint) from error
