"""Pictures of one walking person that carry their number."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.synthetic import Camera, Scene, ScenePerson, WayPoint, steady_times
from annotate.synthetic.render import Renderer
from tests.made_videos import BITS, SQUARE, picture

# Width and height in pixels at which the person is large enough to be found.
SIZE = (192, 160)
FRAMES = 64


def person(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """(height, width, 3) a walking person in their right proportions, between edges that are drawn
    out; in the corner the number, where there is room.
    """
    scale = min(width / SIZE[0], height / SIZE[1])
    size = max(1, round(SIZE[0] * scale)), max(1, round(SIZE[1] * scale))
    drawn = cv2.resize(_drawn(number % FRAMES), size, interpolation=cv2.INTER_AREA)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    right, bottom = width - size[0] - left, height - size[1] - top
    rgb = np.asarray(
        cv2.copyMakeBorder(drawn, top, bottom, left, right, cv2.BORDER_REPLICATE), np.uint8
    )
    if width >= BITS * SQUARE and height >= 6 * SQUARE:
        rgb[: 2 * SQUARE, : BITS * SQUARE] = picture(number, BITS * SQUARE, 2 * SQUARE)
    return rgb


@lru_cache(maxsize=FRAMES)
def _drawn(number: int) -> NDArray[np.uint8]:
    renderer = _renderer()
    return renderer.draw(number, renderer.sight(number))


@lru_cache(maxsize=1)
def _renderer() -> Renderer:
    way = (WayPoint(0.0, -0.3, 3.0), WayPoint(3.0, 0.5, 3.0))
    times = steady_times(25, FRAMES / 25)
    scene = Scene(*SIZE, times, (ScenePerson(way),), camera=Camera(height_m=1.2))
    return Renderer(scene)
