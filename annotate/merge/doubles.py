"""Short tracks that are a second pose on the body of another track.

The detector finds a person twice, and the landmark model then makes a wrong pose, such as one that
is upside down, which is not like the right one. But it never leaves that body.
"""

from collections.abc import Mapping

import numpy as np

from annotate.domain.arrays import IntArray
from annotate.domain.merge_settings import LinkSettings
from annotate.merge.pose_table import NONE, PoseTable, pairs
from annotate.numeric.geometry import box_intersection


def is_double(
    table: PoseTable, rows: IntArray, links: Mapping[int, int], settings: LinkSettings
) -> bool:
    """Whether the box of a short track holds, most of its time, nearly all of the box of one and
    the same other track.

    Args:
        rows: of the track's poses, in order of time.
        links: for tracks, the track that each continues.
    """
    if table.time_s[rows[-1]] - table.time_s[rows[0]] >= settings.max_suspect_s:
        return False
    inner, own = pairs(table.frame, table.frame[rows], len(table.poses.time_s))
    own = rows[own]
    box = table.box
    area = np.maximum((box[inner, 2:] - box[inner, :2]).prod(axis=1), np.float32(1e-9))
    held = box_intersection(box[own], box[inner]) > settings.double_holds * area
    others = table.track[inner[held & (inner != own)]]
    others = [_first(number, links) for number in others.tolist() if number != NONE]
    most = np.unique(others, return_counts=True)[1].max(initial=0)
    return bool(most >= settings.double_fraction * len(rows))


def _first(number: int, links: Mapping[int, int]) -> int:
    """The first of the tracks that a track continues."""
    while number in links:
        number = links[number]
    return number
