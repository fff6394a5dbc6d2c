"""The figure: named points of a walking body, and the shapes that flesh them out.

Lengths are in statures (Winter, Biomechanics and Motor Control of Human Movement, table of body
segment lengths), angles over the gait cycle are smooth curves through the usual textbook ones.
All functions take all frames at once: F frames, vectors (F, 3), bases (F, 3, 3) whose rows are
left, up and forward of a part of the body.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.synthetic.walk import Walk

Array = NDArray[np.float64]

LEFT, UP, FORWARD = 0, 1, 2
SIDES = (("left", 1.0, 0.5), ("right", -1.0, 0.0))  # name, sign of "outwards", phase of the leg

_THIGH, _SHANK, _ANKLE = 0.240, 0.246, 0.039
_HIP_HALF, _SHOULDER_HALF = 0.052, 0.106
_UPPER_ARM, _FOREARM = 0.172, 0.150
_SOLE = 0.016  # of the shoe, below the points of the foot


@dataclass(frozen=True, eq=False)
class Body:
    """A body over time.

    Attributes:
        points: name to (F, 3) float32 world metres.
        bases: part to (F, 3, 3) float32: its left, up and forward in the world.
    """

    points: Mapping[str, FloatArray]
    bases: Mapping[str, FloatArray]


def body(walk: Walk, times_s: Array, stature_m: float, waving: bool) -> Body:
    """The body of a person of `stature_m` metres, on a walk, at `times_s` (F,) seconds."""
    figure = _Figure(walk, times_s)
    figure.trunk()
    figure.head()
    for name, outwards, phase in SIDES:
        figure.leg(name, outwards, phase)
        figure.arm(name, outwards, phase, waving)
    lift = _lift([figure.points[f"{side}_{end}"] for side, *_ in SIDES for end in ("heel", "toe")])
    origin = np.column_stack([walk.floor[:, 0], 0 * lift, walk.floor[:, 1]])
    points = {
        name: (origin + stature_m * (point + lift[:, None] * [0, 1, 0])).astype(np.float32)
        for name, point in figure.points.items()
    }
    return Body(points, {name: basis.astype(np.float32) for name, basis in figure.bases.items()})


class _Figure:
    """Points in statures about the middle of the hips, built from the trunk outwards."""

    def __init__(self, walk: Walk, times_s: Array) -> None:
        self.walk = walk
        self.times_s = times_s
        self.points: dict[str, Array] = {}
        self.bases: dict[str, Array] = {}

    def trunk(self) -> None:
        """Pelvis and chest, which turn against each other with every step."""
        effort = self.walk.effort
        swing = np.cos(2 * np.pi * self.walk.phase) * effort
        facing = _upright(self.walk.heading)
        pelvis = _turned(facing, FORWARD, LEFT, np.radians(5) * swing)
        chest = _turned(facing, FORWARD, LEFT, np.radians(-7) * swing)
        chest = _turned(chest, UP, FORWARD, np.radians(2 + 3 * effort))
        self.bases |= {"facing": facing, "pelvis": pelvis, "chest": chest}
        origin = np.zeros((len(effort), 3))
        self.points["pelvis"] = _from(origin, pelvis, up=0.005)
        self.points["hem"] = _from(origin, pelvis, up=0.03)
        self.points["waist"] = waist = _from(origin, chest, up=0.105)
        self.points["breast"] = _from(waist, chest, up=0.115, forward=0.006)
        self.points["nape"] = _from(waist, chest, up=0.191, forward=-0.008)
        self.points["neckline"] = _from(waist, chest, up=0.201, forward=0.022)
        self.points["origin"] = origin

    def head(self) -> None:
        """The head looks ahead, whatever the chest does."""
        nod = np.radians(3) + np.radians(1.5) * np.cos(4 * np.pi * self.walk.phase)
        head = _turned(self.bases["facing"], UP, FORWARD, nod)
        self.bases["head"] = head
        middle = _from(self.points["nape"], self.bases["chest"], up=0.102, forward=0.022)
        for name, place in HEAD.items():
            self.points[name] = _from(middle, head, *place)

    def leg(self, side: str, outwards: float, phase: float) -> None:
        """Hip to toe: `phase` is where in the cycle this leg's heel strikes."""
        cycle, effort = self.walk.phase + phase, self.walk.effort
        thigh = _turned(self.bases["pelvis"], LEFT, UP, np.radians(1.5) * outwards)
        thigh = _turned(thigh, FORWARD, UP, _between(np.radians(2), _hip(cycle), effort))
        shank = _turned(thigh, FORWARD, UP, -_between(np.radians(4), _knee(cycle), effort))
        toes_out = _turned(self.bases["facing"], FORWARD, LEFT, np.radians(7) * outwards)
        foot = _turned(toes_out, FORWARD, UP, _foot(cycle) * effort)
        hip = _from(self.points["origin"], self.bases["pelvis"], outwards * _HIP_HALF)
        knee = _from(hip, thigh, up=-_THIGH)
        ankle = _from(knee, shank, up=-_SHANK)
        self.points |= {
            f"{side}_hip": hip,
            f"{side}_knee": knee,
            f"{side}_ankle": ankle,
            f"{side}_heel": _from(ankle, foot, up=0.019 - _ANKLE, forward=-0.022),
            f"{side}_ball": _from(ankle, foot, up=0.018 - _ANKLE, forward=0.075),
            f"{side}_toe": _from(ankle, foot, up=0.014 - _ANKLE, forward=0.105),
            f"{side}_buttock": _from(hip, self.bases["pelvis"], -0.006 * outwards, -0.012, -0.018),
        }
        self.bases[f"{side}_foot"] = foot

    def arm(self, side: str, outwards: float, phase: float, waving: bool) -> None:
        """Shoulder to fingertips: swinging against the leg, or raised and waving."""
        cycle, effort = self.walk.phase + phase, self.walk.effort
        chest = self.bases["chest"]
        if waving:
            beat = np.sin(2 * np.pi * 1.2 * self.times_s)
            upper = _turned(chest, LEFT, UP, outwards * np.radians(105 + 12 * beat))
            fore = _turned(upper, LEFT, UP, outwards * np.radians(50 + 22 * beat))
        else:
            swing = -np.cos(2 * np.pi * cycle) * effort
            upper = _turned(chest, LEFT, UP, outwards * np.radians(7))
            upper = _turned(upper, FORWARD, UP, np.radians(24 * swing - 2))
            fore = _turned(upper, FORWARD, UP, np.radians(14 + 14 * effort + 12 * swing))
        shoulder = _from(self.points["nape"], chest, outwards * _SHOULDER_HALF, -0.001, 0.004)
        elbow = _from(shoulder, upper, up=-_UPPER_ARM)
        wrist = _from(elbow, fore, up=-_FOREARM)
        self.points |= {
            f"{side}_shoulder": shoulder,
            f"{side}_elbow": elbow,
            f"{side}_wrist": wrist,
            f"{side}_sleeve": shoulder + 0.75 * (elbow - shoulder),
            f"{side}_palm": _from(wrist, fore, up=-0.035),
            f"{side}_index": _from(wrist, fore, up=-0.062, forward=0.016),
            f"{side}_pinky": _from(wrist, fore, up=-0.058, forward=-0.016),
            f"{side}_thumb": _from(wrist, fore, -0.01 * outwards, -0.035, 0.024),
            f"{side}_fingers": _from(wrist, fore, up=-0.075),
        }
        self.bases[f"{side}_hand"] = fore


# Places in the head: left, up, forward in statures from the middle between the ears.
_FACE_BOTH_SIDES = {
    "eye_inner": (0.0114, 0.0115, 0.051),
    "eye": (0.0192, 0.0115, 0.0484),
    "eye_outer": (0.027, 0.0115, 0.0437),
    "iris": (0.0187, 0.0115, 0.0536),
    "brow_inner": (0.0104, 0.0240, 0.0556),
    "brow_outer": (0.0281, 0.0240, 0.0494),
    "ear": (0.0447, 0.0, 0.0021),
    "ear_lobe": (0.0426, -0.0146, 0.0052),
    "mouth_corner": (0.014, -0.033, 0.0489),
}
_FACE_MIDDLE = {
    "skull": (0.0, 0.0125, -0.0083),
    "brow": (0.0, 0.0146, 0.001),
    "chin": (0.0, -0.0435, 0.0242),
    "bridge": (0.0, 0.012, 0.053),
    "nose": (0.0, -0.007, 0.0605),
    "mouth": (0.0, -0.034, 0.0551),
    "hair": (0.0, 0.018, -0.0146),
    "hair_back": (0.0, -0.016, -0.0291),
    "fringe": (0.0, 0.0499, 0.0125),
    "throat": (0.0, -0.0468, -0.0083),
}
HEAD = _FACE_MIDDLE | {
    f"{side}_{name}": (outwards * x, y, z)
    for side, outwards, _ in SIDES
    for name, (x, y, z) in _FACE_BOTH_SIDES.items()
}


def _upright(heading: Array) -> Array:
    """Basis of a person standing upright and facing along `heading` (F,)."""
    sin, cos, zero, one = np.sin(heading), np.cos(heading), 0 * heading, 1 + 0 * heading
    rows = [[cos, zero, sin], [zero, one, zero], [sin, zero, -cos]]
    return np.moveaxis(np.array(rows), -1, 0)


def _turned(basis: Array, first: int, second: int, angle: Array | float) -> Array:
    """The basis, turned by `angle` radians, (F,) or one, from axis `first` towards `second`."""
    cos, sin = np.cos(angle)[..., None], np.sin(angle)[..., None]
    turned = basis.copy()
    turned[:, first] = cos * basis[:, first] + sin * basis[:, second]
    turned[:, second] = cos * basis[:, second] - sin * basis[:, first]
    return turned


def _from(
    origin: Array, basis: Array, left: float = 0.0, up: float = 0.0, forward: float = 0.0
) -> Array:
    return origin + np.array([left, up, forward]) @ basis


def _between(standing: float, walking: Array, effort: Array) -> Array:
    return standing + (walking - standing) * effort


def _bump(cycle: Array, centre: float, width: float) -> Array:
    """A smooth bump of height 1 once a cycle."""
    bump: Array = np.exp((np.cos(2 * np.pi * (cycle - centre)) - 1) / (2 * np.pi * width) ** 2)
    return bump


def _hip(cycle: Array) -> Array:
    """Flexion of the hip in radians; the heel strikes at 0."""
    flexion: Array = np.radians(8 + 23 * np.cos(2 * np.pi * (cycle - 0.03)))
    return flexion


def _knee(cycle: Array) -> Array:
    """Flexion of the knee: a little when loaded, much in swing."""
    return np.radians(4 + 13 * _bump(cycle, 0.14, 0.06) + 56 * _bump(cycle, 0.72, 0.09))


def _foot(cycle: Array) -> Array:
    """Pitch of the foot against the floor: toes up at heel strike, heel up at push off."""
    return np.radians(18 * _bump(cycle, 0.99, 0.05) - 52 * _bump(cycle, 0.62, 0.085))


def _lift(soles: list[Array]) -> Array:
    """(F,) how far the middle of the hips is above the floor, so that the lowest sole touches it.

    A soft minimum, else the body's height would have a kink at every change of the foot.
    """
    softness = 0.004
    depths = -np.array([sole[:, 1] for sole in soles]) / softness
    top = depths.max(axis=0)
    lift: Array = softness * (top + np.log(np.exp(depths - top).sum(axis=0))) + _SOLE
    return lift
