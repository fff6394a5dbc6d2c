"""A model that was converted for a pack, and the writing of packs."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from annotate.domain.model_spec import DetectorSpec, LandmarkSpec, ModelSpec
from annotate.domain.pack import PACK_FILE, Pack

Spec = TypeVar("Spec", bound=ModelSpec, covariant=True)


@dataclass(frozen=True)
class Built(Generic[Spec]):
    """What a pack says of a model, and the content of its ONNX file."""

    spec: Spec
    model: bytes


@dataclass(frozen=True)
class Published:
    """What a published zip gives a pack: both models, or one of them.

    Attributes:
        name: of the pack that its landmark model makes.
        source: for people: where it comes from.
        detector: of the first stage, or None.
        landmark: of the second stage, or None.
        skeleton: of the landmarks; empty without them.
    """

    name: str
    source: str
    detector: Built[DetectorSpec] | None = None
    landmark: Built[LandmarkSpec] | None = None
    skeleton: str = ""


def write_pack(folder: Path, pack: Pack, models: Iterable[Built[ModelSpec]]) -> None:
    """Writes `pack.json` and the model files into the empty `folder`.

    Raises:
        OSError: the folder cannot be written.
    """
    for built in models:
        (folder / built.spec.file).write_bytes(built.model)
    (folder / PACK_FILE).write_text(pack.to_json(), encoding="utf-8", newline="\n")
