"""What a made scene consists of: people on their paths, pillars, a camera, the times of its frames.

A scene is a description without pixels. The same description gives the same pixels and the same
truth, whichever frames are drawn, in any order.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotate.synthetic.camera import Camera


class WayPoint(NamedTuple):
    """The position of a person at one time: x metres to the right, z away from the camera."""

    time_s: float
    x_m: float
    z_m: float


@dataclass(frozen=True)
class ScenePerson:
    """A person who walks from way point to way point, and stands still between equal ones.

    Attributes:
        path: at least one way point, in order of time; before the first and after the last the
            person stands still. Corners are rounded over half a second.
        stature_m: from the sole to the crown.
        facing_deg: heading of a person who never walks: 0 towards the camera, 90 to the
            picture's right, 180 away. People who walk face where they go.
        waving: both arms are raised and wave all the time.
    """

    path: tuple[WayPoint, ...]
    stature_m: float = 1.75
    facing_deg: float = 0.0
    waving: bool = False


@dataclass(frozen=True)
class Pillar:
    """A round pillar that hides what passes behind it, at (x, z) on the floor."""

    x_m: float
    z_m: float
    radius_m: float = 0.25
    height_m: float = 3.2


@dataclass(frozen=True)
class Scene:
    """A scene.

    Attributes:
        width, height: of the picture in pixels.
        times_s: presentation time of every frame in seconds, increasing; see `steady_times` and
            `uneven_times`.
        people, pillars, camera: what there is to see, and from where.
        seed: of the colours of clothes, faces and backdrop.
    """

    width: int
    height: int
    times_s: tuple[float, ...]
    people: tuple[ScenePerson, ...]
    pillars: tuple[Pillar, ...] = ()
    camera: Camera = field(default_factory=Camera)
    seed: int = 0

    def __len__(self) -> int:
        return len(self.times_s)

    def frame_times(self) -> NDArray[np.float64]:
        """(F,) float64: presentation time of every frame in seconds."""
        return np.array(self.times_s, np.float64)


def steady_times(fps: float, seconds: float) -> tuple[float, ...]:
    """Times of the frames of a video with a constant frame rate."""
    return tuple((np.arange(round(fps * seconds)) / fps).tolist())


def uneven_times(fps: float, seconds: float, seed: int) -> tuple[float, ...]:
    """Times of the frames of a video with a variable frame rate, `fps` on average.

    The steps from frame to frame differ by up to a factor of 3, as from a telephone in low light.
    """
    steps = np.random.default_rng(seed).uniform(0.5, 1.5, max(round(fps * seconds) - 1, 0)) / fps
    return (0.0, *np.cumsum(steps).tolist())
