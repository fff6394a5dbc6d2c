"""The tracks of a window, as the linker sees them."""

from collections.abc import Mapping
from dataclasses import dataclass

from annotate.domain.arrays import IntArray
from annotate.merge.pose_table import PoseTable


@dataclass(frozen=True, eq=False)
class TrackRows:
    """The tracks of a window.

    Attributes:
        table: their poses.
        rows: of each track, by the tracker's number, the rows of its poses in order of time.
        undecided: numbers of the tracks whose ids are not decided yet.
        closed: numbers of the tracks that no other can continue: they are dropped, or one does.
    """

    table: PoseTable
    rows: Mapping[int, IntArray]
    undecided: tuple[int, ...]
    closed: frozenset[int]

    def start_s(self, number: int) -> float:
        """Time of the first pose."""
        return float(self.table.time_s[self.rows[number][0]])

    def end_s(self, number: int) -> float:
        """Time of the last pose."""
        return float(self.table.time_s[self.rows[number][-1]])
