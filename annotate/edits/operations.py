"""Changes of poses: each knows its rows, counted over the whole video, and changes their part of
a block.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.skeleton import Skeleton

_X, _VISIBILITY, _PRESENCE = 0, 3, 4


@dataclass(frozen=True, eq=False)
class Block:
    """The poses of a block, as arrays that may be written.

    Attributes:
        landmarks: (n, L, 5) float32, smoothed.
        world: (n, L, D) float32, smoothed.
    """

    landmarks: FloatArray
    world: FloatArray


@dataclass(frozen=True, eq=False)
class Operation(ABC):
    """A change of some rows: (n,) int64, increasing."""

    rows: IntArray

    @abstractmethod
    def change(self, block: Block, here: IntArray, own: IntArray, skeleton: Skeleton) -> None:
        """Changes the poses at the places `here`, which are those at `own` of its rows."""


@dataclass(frozen=True, eq=False)
class Mirror(Operation):
    """Exchanges left and right."""

    def change(self, block: Block, here: IntArray, own: IntArray, skeleton: Skeleton) -> None:
        """As in `Operation`."""
        del own
        mirror = list(skeleton.mirror)
        block.landmarks[here] = block.landmarks[here][:, mirror]
        block.world[here] = block.world[here][:, mirror]


@dataclass(frozen=True, eq=False)
class Place(Operation):
    """Puts a landmark at `xy`, (2,) float32 pixels, where it is visible."""

    keypoint: int
    xy: FloatArray

    def change(self, block: Block, here: IntArray, own: IntArray, skeleton: Skeleton) -> None:
        """As in `Operation`."""
        del own, skeleton
        block.landmarks[here, self.keypoint, _X : _X + 2] = self.xy
        block.landmarks[here, self.keypoint, _VISIBILITY:] = 1


@dataclass(frozen=True, eq=False)
class Shift(Operation):
    """Moves a landmark by `by`, (n, 2) float32 pixels."""

    keypoint: int
    by: FloatArray

    def change(self, block: Block, here: IntArray, own: IntArray, skeleton: Skeleton) -> None:
        """As in `Operation`."""
        del skeleton
        block.landmarks[here, self.keypoint, _X : _X + 2] += self.by[own]


@dataclass(frozen=True, eq=False)
class Hide(Operation):
    """Marks a landmark as in the picture but hidden, or as visible."""

    keypoint: int
    hidden: bool

    def change(self, block: Block, here: IntArray, own: IntArray, skeleton: Skeleton) -> None:
        """As in `Operation`."""
        del own, skeleton
        block.landmarks[here, self.keypoint, _VISIBILITY] = 0 if self.hidden else 1
        block.landmarks[here, self.keypoint, _PRESENCE] = 1
