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
        world: name of the output (1, 3m): x, y, z of every landmark in metres, the hip centre as
            origin, the crop's axes; or None.
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
    world: str | None = None
    kind: Literal["blazepose"] = "blazepose"

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in the order in which the decoder takes them."""
        names = (self.landmarks, self.flag, self.heatmap, self.world)
        return tuple(name for name in names if name)

    @property
    def gives_world(self) -> bool:
        """Whether it gives world landmarks."""
        return self.world is not None


@dataclass(frozen=True)
class MoveNet:
    """Heat maps, centres and regressions of one person: MoveNet SinglePose.

    Attributes:
        heatmap: name of the output (1, k, h, w): logits, how likely each cell holds keypoint k.
        centre: name of the output (1, 1, h, w): logits, how likely each cell is a body's centre.
        regression: name of the output (1, 2k, h, w): from a centre's cell to each keypoint, down
            and right in turn, in cells.
        offset: name of the output (1, 2k, h, w): from a keypoint's cell to the keypoint, likewise.
        bias: added to the distance from where a keypoint is expected, in cells, before its score
            is divided by that.
        shift_px: added to the keypoints in pixels of the crop: the model counts from the edge of
            the first pixel, indices of pixels from its middle.
    """

    heatmap: str
    centre: str
    regression: str
    offset: str
    bias: float = 1.8
    shift_px: float = -0.5
    kind: Literal["movenet"] = "movenet"

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in the order in which the decoder takes them."""
        return (self.heatmap, self.centre, self.regression, self.offset)

    @property
    def gives_world(self) -> bool:
        """Whether it gives world landmarks."""
        return False


@dataclass(frozen=True)
class SimCC:
    """Two distributions a keypoint, over the columns and over the rows of the crop: RTMPose, RTMW.

    Attributes:
        x: name of the output (1, k, n): how likely each of n bins, which divide the crop's width
            evenly, holds keypoint k.
        y: name of the output (1, k, m): likewise of its height.
        min_confidence: keypoints of no higher visibility do not count in the score of the pose.
    """

    x: str
    y: str
    min_confidence: float = 0.2
    kind: Literal["simcc"] = "simcc"

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in the order in which the decoder takes them."""
        return (self.x, self.y)

    @property
    def gives_world(self) -> bool:
        """Whether it gives world landmarks."""
        return False


@dataclass(frozen=True)
class HeatMap:
    """A heat map a keypoint: HRNet, Lite-HRNet.

    Attributes:
        heatmap: name of the output (1, k, h, w): how likely each cell holds keypoint k.
        shift: a keypoint lies so many cells from the middle of the likeliest one, along each axis
            towards the likelier neighbour.
        min_confidence: keypoints of no higher visibility do not count in the score of the pose.
    """

    heatmap: str
    shift: float = 0.25
    min_confidence: float = 0.2
    kind: Literal["heatmap"] = "heatmap"

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in the order in which the decoder takes them."""
        return (self.heatmap,)

    @property
    def gives_world(self) -> bool:
        """Whether it gives world landmarks."""
        return False


LandmarkKind: TypeAlias = BlazePose | MoveNet | SimCC | HeatMap

# By their name in `pack.json`.
LANDMARK_KINDS: Mapping[str, type[LandmarkKind]] = MappingProxyType(
    {"blazepose": BlazePose, "movenet": MoveNet, "simcc": SimCC, "heatmap": HeatMap}
)
