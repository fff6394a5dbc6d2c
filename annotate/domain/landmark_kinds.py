"""Kinds of second-stage models: what a landmark model's outputs are called, and the constants that
turn them into landmarks and a score. The decoder of each kind is in `annotate.pipeline.decoders`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias


@dataclass(frozen=True)
class BlazePose:
    """Regressed landmarks and a flag, refined by a heat map where the model has one.

    Attributes:
        landmarks: name of the output (1, m, c) or (1, m * c): the values named in `columns`.
        columns: what a landmark's values are, in order, of `x y z visibility presence`.
        landmarks_scale: x, y, z are multiplied by it, giving pixels of the crop.
        confidence_scale: visibility and presence are multiplied by it, before any sigmoid.
        logits: visibility and presence need a sigmoid.
        flag: name of the output of one value, the probability that the crop holds a person: the
            pose's score.
        heatmap: name of the output (1, h, w, m) that refines x and y, or None.
        heatmap_window: odd side of the refining window in heat map cells.
        heatmap_min: the least maximum of a window that refines.
    """

    landmarks: str
    columns: tuple[str, ...]
    landmarks_scale: float
    logits: bool
    flag: str
    heatmap: str | None = None
    heatmap_window: int = 0
    heatmap_min: float = 0.0
    confidence_scale: float = 1.0
    kind: Literal["blazepose"] = "blazepose"

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in the order in which the decoder takes them."""
        return (self.landmarks, self.flag, *((self.heatmap,) if self.heatmap else ()))


LandmarkKind: TypeAlias = BlazePose

# By their name in `pack.json`.
LANDMARK_KINDS: Mapping[str, type[LandmarkKind]] = MappingProxyType({"blazepose": BlazePose})
