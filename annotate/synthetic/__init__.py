"""Made scenes: people who walk and cross before a backdrop, with everything about them known.

    scene = Scene(640, 360, steady_times(30, 4), (Person((WayPoint(0, -2, 5), WayPoint(4, 2, 5))),))
    rgb = Renderer(scene).frame(0)
    known = truth(scene)

`annotate.synthetic.film` writes scenes as videos with their truth. Import it by itself: it needs
PyAV. `annotate.render.overlay` draws poses over pictures.
"""

from annotate.synthetic.camera import Camera, CameraKey
from annotate.synthetic.coco import truth_to_coco
from annotate.synthetic.demo import demo_scene
from annotate.synthetic.render import Renderer
from annotate.synthetic.scene import Person, Pillar, Scene, WayPoint, steady_times, uneven_times
from annotate.synthetic.truth import HIDDEN, OUTSIDE, VISIBLE, Truth, truth

__all__ = [
    "HIDDEN",
    "OUTSIDE",
    "VISIBLE",
    "Camera",
    "CameraKey",
    "Person",
    "Pillar",
    "Renderer",
    "Scene",
    "Truth",
    "WayPoint",
    "demo_scene",
    "steady_times",
    "truth",
    "truth_to_coco",
    "uneven_times",
]
