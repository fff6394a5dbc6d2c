"""A model that was converted for a pack, and the writing of packs."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from annotate.domain.model_spec import ModelSpec
from annotate.domain.pack import PACK_FILE, Pack

Spec = TypeVar("Spec", bound=ModelSpec, covariant=True)


@dataclass(frozen=True)
class Built(Generic[Spec]):
    """What a pack says of a model, and the content of its ONNX file."""

    spec: Spec
    model: bytes


def write_pack(folder: Path, pack: Pack, models: Iterable[Built[ModelSpec]]) -> None:
    """Writes `pack.json` and the model files into the empty `folder`.

    Raises:
        OSError: the folder cannot be written.
    """
    for built in models:
        (folder / built.spec.file).write_bytes(built.model)
    (folder / PACK_FILE).write_text(pack.to_json(), encoding="utf-8", newline="\n")
