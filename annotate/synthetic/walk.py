"""From way points to a walk: a person's position, heading and phase of the stride over time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.synthetic.scene import ScenePerson

Array = NDArray[np.float64]

_STEP_S = 0.01
_ROUNDING_S = 0.5  # corners and starts are spread over this time
_TURNING_S = 0.6  # so is a change of heading
_WALKING = 0.15  # m/s; slower, a body keeps its heading
_BRISK = 0.75  # statures per second: full swing of arms and legs
_STRIDE = (0.25, 0.84)  # statures per two steps, creeping and brisk


@dataclass(frozen=True, eq=False)
class Walk:
    """A walk, sampled at F times.

    Attributes:
        floor: (F, 2) float64: x and z in metres.
        heading: (F,) float64 radians: 0 towards the camera, pi / 2 towards positive x.
        phase: (F,) float64: strides (two steps each) since the start.
        effort: (F,) float64 in [0, 1]: 0 standing, 1 walking briskly.
    """

    floor: Array
    heading: Array
    phase: Array
    effort: Array


def walk(person: ScenePerson, times_s: Array) -> Walk:
    """The walk of `person`, sampled at `times_s` (F,) seconds.

    The walk is laid out on a fixed grid of 10 ms first, so that what a frame shows depends on its
    time alone and not on the other frames.
    """
    way_times, x, z = (np.array(column) for column in zip(*person.path, strict=True))
    start = way_times[0] - 2 * _TURNING_S
    grid = np.arange(start, way_times[-1] + 2 * _TURNING_S, _STEP_S)
    floor = np.column_stack([_smooth(np.interp(grid, way_times, c), _ROUNDING_S) for c in (x, z)])
    velocity = np.gradient(floor, _STEP_S, axis=0)
    pace = np.hypot(*velocity.T) / person.stature_m
    effort = np.clip(pace / _BRISK, 0, 1)
    stride = _STRIDE[0] + (_STRIDE[1] - _STRIDE[0]) * effort
    phase = np.cumsum(pace / stride) * _STEP_S
    heading = _smooth(_heading(velocity, np.radians(person.facing_deg)), _TURNING_S)

    def at(values: Array) -> Array:
        return np.interp(times_s, grid, values)

    return Walk(np.column_stack([at(c) for c in floor.T]), at(heading), at(phase), at(effort))


def _heading(velocity: Array, facing: float) -> Array:
    """(N,) radians without jumps of a full turn; standing keeps the heading of the last step."""
    moving = np.hypot(*velocity.T) > _WALKING
    if not moving.any():
        return np.full(len(velocity), facing)
    last = np.maximum.accumulate(np.where(moving, np.arange(len(moving)), 0))
    last = np.maximum(last, np.argmax(moving))
    return np.unwrap(np.arctan2(velocity[:, 0], -velocity[:, 1])[last])


def _smooth(values: Array, seconds: float) -> Array:
    """Weighted mean over `seconds` (a Hann window), ends extended."""
    half = round(seconds / _STEP_S / 2)
    window = np.hanning(2 * half + 3)[1:-1]
    extended = np.pad(values, half, mode="edge")
    return np.convolve(extended, window / window.sum(), mode="valid")
