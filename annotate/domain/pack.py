"""A model pack: the content of `pack.json`, as dataclasses.

Everything that differs between packs is data; no code branches on a pack's name.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from annotate.domain.errors import PackError, UsageError, unreadable
from annotate.domain.json_text import parsed
from annotate.domain.model_spec import DetectorSpec, LandmarkSpec
from annotate.domain.options import People
from annotate.domain.pack_json import read_models
from annotate.domain.roi_rules import RoiFromPoints
from annotate.files import open_file

PACK_FILE = "pack.json"


@dataclass(frozen=True)
class Pack:
    """A model pack: its models and the skeleton that their landmarks belong to.

    Attributes:
        name: of the pack's folder.
        skeleton: a name in `annotate.domain.skeleton.SKELETONS`.
        source: for people: where the models come from.
        detector: of the first stage.
        landmark: of the second stage.
        person_detector: a second detector of the first stage, which `--people all` runs too, or
            None.
    """

    name: str
    skeleton: str
    source: str
    detector: DetectorSpec
    landmark: LandmarkSpec
    person_detector: DetectorSpec | None = None

    @property
    def stages(self) -> Mapping[str, DetectorSpec | LandmarkSpec]:
        """The models by their stage: `detector`, `landmark`, and `person_detector` if any."""
        stages: dict[str, DetectorSpec | LandmarkSpec] = {
            "detector": self.detector,
            "landmark": self.landmark,
        }
        if self.person_detector is not None:
            stages["person_detector"] = self.person_detector
        return stages

    def detectors(self, people: People) -> Mapping[str, DetectorSpec]:
        """The detectors that run for `people`, by their stage: the pack's own one, and for `all`
        its person detector too, if any.
        """
        detectors = {"detector": self.detector}
        if people == "all" and self.person_detector is not None:
            detectors["person_detector"] = self.person_detector
        return detectors

    def people_for(self, asked: People | None) -> People:
        """Which people are found where a user asks for these, or for what suits the pack (None):
        `near`, where all of them would cost several times as much. A pack whose own detector finds
        whole people has nothing to choose from.
        """
        if self.detector.finds_whole_people:
            return "all"
        return asked or ("near" if self.is_tiled("all") else "all")

    def is_tiled(self, people: People) -> bool:
        """Whether the pack's own detector also runs on tiles of the picture: for `all`, where no
        detector finds whole people.
        """
        found = self.detectors(people).values()
        return people == "all" and not any(one.finds_whole_people for one in found)

    def with_digests(self, digests: Mapping[str, str]) -> "Pack":
        """The pack with other model files of the same names.

        Args:
            digests: their hex SHA-256, by stage.
        """
        other = self.person_detector
        return replace(
            self,
            detector=replace(self.detector, sha256=digests["detector"]),
            landmark=replace(self.landmark, sha256=digests["landmark"]),
            person_detector=other and replace(other, sha256=digests["person_detector"]),
        )

    @property
    def carries_people(self) -> bool:
        """Whether people can be tracked from frame to frame: the landmark model gives an ROI."""
        return self.landmark.next_roi is not None

    def check_detect_every(self, detect_every: int) -> None:
        """Checks that the detector may run on every N-th frame only.

        Raises:
            UsageError: the pack needs it on every frame.
        """
        if detect_every > 1 and not self.carries_people:
            raise UsageError(
                f"the pack {self.name} cannot track people from frame to frame",
                "Its landmark model gives no ROI: use --detect-every 1.",
            )

    @property
    def finds_rotation(self) -> bool:
        """Whether its ROIs are turned as people are: they come from two points of a body."""
        rules = (self.detector.roi, self.landmark.next_roi)
        return any(isinstance(rule, RoiFromPoints) for rule in rules)

    def check_rotations(self, rotations: int) -> None:
        """Checks that crops may be turned in so many ways.

        Raises:
            UsageError: the pack turns them itself.
        """
        if rotations > 1 and self.finds_rotation:
            raise UsageError(
                f"the models of the pack {self.name} find by themselves how people are turned",
                f"Leave out --rotations {rotations}: it is for packs that want people upright, "
                "such as movenet-thunder.",
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
            fields: dict[str, Any] = parsed(text)
            detector, landmark, person_detector = read_models(
                fields.pop("detector"), fields.pop("landmark"), fields.pop("person_detector", None)
            )
            return cls(
                detector=detector, landmark=landmark, person_detector=person_detector, **fields
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise PackError(
                f"no description of a model pack: {error}",
                "Make the pack again: `annotate models pull NAME --force`.",
            ) from error


def read_pack(folder: Path) -> Pack:
    """The pack in `folder`, from its `pack.json`.

    Raises:
        PackError: there is no pack, or its description is damaged.
        HostError: the description cannot be read now.
    """
    try:
        with open_file(folder / PACK_FILE) as file:
            text = file.read().decode(errors="replace")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PackError(
            f"no model pack at {folder}: {error.strerror}",
            "See `annotate models list`; `annotate models pull` fetches the most accurate one.",
        ) from error
    except OSError as error:
        raise unreadable(folder / PACK_FILE, error) from error
    try:
        return Pack.from_json(text)
    except PackError as error:
        hint = error.hint.replace("NAME", folder.name)
        raise PackError(f"{folder / PACK_FILE}: {error.message}", hint) from error
