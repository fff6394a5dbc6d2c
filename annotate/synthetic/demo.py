"""The scene of `annotate demo`."""

from annotate.synthetic.camera import Camera, CameraKey
from annotate.synthetic.scene import Pillar, Scene, ScenePerson, WayPoint, steady_times

_FPS = 30.0


def demo_scene(seconds: float = 6.0) -> Scene:
    """Two people cross in front of each other; then one walks away and the other comes near.

    640 x 480: in a squarer picture people are larger for the detector, which sees all of it.
    The walk takes 6 seconds, of which the video shows the first `seconds`.
    """
    leaving = (WayPoint(0.0, -1.7, 3.6), WayPoint(4.0, 1.15, 3.6), WayPoint(6.0, 1.3, 4.6))
    coming = (WayPoint(0.0, 1.75, 4.1), WayPoint(4.0, -1.2, 4.1), WayPoint(6.0, -1.15, 3.3))
    return Scene(
        width=640,
        height=480,
        times_s=steady_times(_FPS, seconds),
        people=(ScenePerson(leaving, stature_m=1.78), ScenePerson(coming, stature_m=1.70)),
        pillars=(Pillar(1.9, 6.2, radius_m=0.2),),
        camera=Camera(height_m=1.3, focal=1.35, keys=(CameraKey(0.0, tilt_deg=4.0),)),
        seed=2,
    )
