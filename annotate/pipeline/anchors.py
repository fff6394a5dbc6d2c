"""Detections of whole people, as the anchors of those who are tracked.

Where two people overlap, a pose says little about whose it is. The detector still gives each of
them a box, so a person's place is that of their last box.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.numeric.geometry import box_intersection, box_iou


@dataclass(frozen=True, eq=False)
class Anchor:
    """The last detection of a tracked person.

    Attributes:
        box: (4,) float32 x0, y0, x1, y1 in pixels of the picture.
        time_s: of its frame.
        velocity: (2,) float64 pixels a second of its centre.
    """

    box: FloatArray
    time_s: float
    velocity: NDArray[np.float64]

    def followed(self, box: FloatArray, time_s: float) -> "Anchor":
        """The anchor of the same person in a later frame."""
        moved = (box[:2] + box[2:] - self.box[:2] - self.box[2:]) / 2
        return Anchor(box, time_s, moved.astype(np.float64) / (time_s - self.time_s))

    def box_at(self, time_s: float) -> FloatArray:
        """(4,) float32: where the box is at a later time, if it moves on."""
        shift = (self.velocity * (time_s - self.time_s)).astype(np.float32)
        moved: FloatArray = self.box + np.tile(shift, 2)
        return moved


def assigned(
    people: Sequence[FloatArray | None], boxes: Sequence[FloatArray | None], least: float
) -> dict[int, int]:
    """Which box shows which person: pairs in descending order of their overlap.

    Args:
        people, boxes: (4,) float32 each; None where there is none.
        least: intersection over union of a pair.

    Returns:
        The place of the box by that of the person.
    """
    rows, owns = _present(people)
    columns, others = _present(boxes)
    found: dict[int, int] = {}
    if not rows or not columns:
        return found
    iou = box_iou(owns[:, None], others[None])
    for place in np.argsort(-iou, axis=None, kind="stable").tolist():
        row, column = divmod(place, len(columns))
        if iou[row, column] < least:
            break
        if rows[row] not in found and columns[column] not in found.values():
            found[rows[row]] = columns[column]
    return found


def neighbours(boxes: Sequence[FloatArray | None], least: float) -> NDArray[np.bool_]:
    """(n, n) bool: which boxes overlap by more than `least` of the smaller one."""
    near = np.zeros((len(boxes), len(boxes)), np.bool_)
    rows, present = _present(boxes)
    if len(rows) > 1:
        area = (present[:, 2:] - present[:, :2]).prod(axis=1)
        common = box_intersection(present[:, None], present[None])
        near[np.ix_(rows, rows)] = common > least * np.minimum(area[:, None], area[None])
    np.fill_diagonal(near, val=False)
    return near


def _present(boxes: Sequence[FloatArray | None]) -> tuple[list[int], FloatArray]:
    """The places of the boxes that are there, and those."""
    rows = [row for row, box in enumerate(boxes) if box is not None]
    present = np.array([boxes[row] for row in rows], np.float32).reshape(-1, 4)
    return rows, present
