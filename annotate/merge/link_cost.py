"""What it costs to take the end of one track and the start of another for the same person."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray, IntArray
from annotate.domain.merge_settings import LinkSettings
from annotate.merge.pose_table import PoseTable
from annotate.numeric.median import median
from annotate.numeric.similarity import appearance_distance

# Bones of the trunk and the limbs, as pairs of COCO's keypoints.
_BONES = np.array(
    [
        *((5, 11), (6, 12), (11, 13), (12, 14), (13, 15), (14, 16)),
        *((5, 7), (6, 8), (7, 9), (8, 10)),
    ]
)


@dataclass(frozen=True, eq=False)
class TrackEnd:
    """A track at one of its ends.

    Attributes:
        time_s: of the end.
        place, velocity: (2,) pixels and pixels a second of the hips there.
        belief: in [0, 1], how well the velocity is known.
        height: pixels.
        bones: (B,) logarithm of the lengths of the bones, in heights.
        appearance: (6,) medians, of poses that are not crowded if there are some.
    """

    time_s: float
    place: NDArray[np.float64]
    velocity: NDArray[np.float64]
    belief: float
    height: float
    bones: NDArray[np.float64]
    appearance: FloatArray


def track_end(table: PoseTable, rows: IntArray, which: int, settings: LinkSettings) -> TrackEnd:
    """One end of a track.

    Args:
        rows: of the track's poses, in order of time.
        which: 0 the first pose, -1 the last.
    """
    end_s = table.time_s[rows[which]]
    near = rows[np.abs(table.time_s[rows] - end_s) <= settings.end_window_s]
    time_s = table.time_s[near] - end_s
    hips = table.hip[near].astype(np.float64)
    about = time_s - time_s.mean()
    spread = float(about @ about)
    velocity = about @ (hips - hips.mean(axis=0)) / max(spread, 1e-9)
    belief = spread / (spread + len(near) * settings.velocity_spread_s**2)
    height = max(float(median(table.roi_side[near])) / settings.roi_per_height, 1.0)
    points = table.keypoints[near].astype(np.float64)
    lengths = np.linalg.norm(points[:, _BONES[:, 0]] - points[:, _BONES[:, 1]], axis=2)
    clear = near[~table.crowded[near]]
    shown = clear if len(clear) >= settings.min_clear_poses else near
    return TrackEnd(
        time_s=float(end_s),
        place=hips.mean(axis=0) - belief * velocity * time_s.mean(),
        velocity=velocity,
        belief=belief,
        height=height,
        bones=np.log(np.maximum(median(lengths) / height, settings.min_bone)),
        appearance=median(table.appearance[shown]),
    )


def link_cost(end: TrackEnd, start: TrackEnd, settings: LinkSettings) -> float:
    """Twice the negative logarithm of a likelihood, normal in all that may differ.

    The wider the place in which the person is expected, the less it says that a person is there.
    """
    gap = max(start.time_s - end.time_s, 0.0)
    height = (end.height + start.height) / 2
    belief = end.belief + start.belief
    momentum = end.belief * end.velocity + start.belief * start.velocity
    velocity = momentum / (belief + settings.standstill_weight)
    miss = np.linalg.norm(start.place - end.place - velocity * gap) / height
    usual = settings.place + gap * (settings.drift + (2 - belief) / 2 * settings.speed)
    # Two dimensions, each with a standard deviation that is so many times as wide.
    wider = 4 * np.log(usual / settings.place)
    turn = np.linalg.norm(start.velocity - end.velocity) / height / settings.turn
    turned = end.belief * start.belief * min(float(turn**2), settings.max_turn_cost)
    growth = np.log(end.height / start.height) / settings.growth
    shape = np.abs(end.bones - start.bones).mean() / settings.bones
    differs = float(appearance_distance(end.appearance, start.appearance)) / settings.appearance
    dress = min(differs**2, settings.max_appearance_cost) - settings.appearance_gain
    return float((miss / usual) ** 2 + wider + turned + growth**2 + shape**2 + dress)
