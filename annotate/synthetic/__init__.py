"""Made scenes: people who walk and cross in front of a backdrop, and the truth about them.

    person = ScenePerson((WayPoint(0, -2, 5), WayPoint(4, 2, 5)))
    scene = Scene(640, 360, steady_times(30, 4), (person,))
    rgb = Renderer(scene).frame(0)
    known = truth(scene)

`annotate.synthetic.film` writes scenes as videos with their truth. It is imported separately, since
it needs PyAV. Only the demo and the tests use this package.
"""

from annotate.synthetic.camera import Camera, CameraKey
from annotate.synthetic.coco import truth_to_coco
from annotate.synthetic.demo import demo_scene
from annotate.synthetic.render import Renderer
from annotate.synthetic.scene import (
    Pillar,
    Scene,
    ScenePerson,
    WayPoint,
    steady_times,
    uneven_times,
)
from annotate.synthetic.truth import HIDDEN, OUTSIDE, VISIBLE, SceneTruth, truth

__all__ = [
    "HIDDEN",
    "OUTSIDE",
    "VISIBLE",
    "Camera",
    "CameraKey",
    "Pillar",
    "Renderer",
    "Scene",
    "ScenePerson",
    "SceneTruth",
    "WayPoint",
    "demo_scene",
    "steady_times",
    "truth",
    "truth_to_coco",
    "uneven_times",
]
