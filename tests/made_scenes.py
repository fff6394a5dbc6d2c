"""Small scenes that several tests film."""

from annotate.synthetic.camera import Camera
from annotate.synthetic.scene import Scene, ScenePerson, WayPoint, steady_times


def walk_scene(seconds: float = 8.0, fps: float = 30.0) -> Scene:
    """Two people who walk past each other, near enough for the full-frame detector."""
    return Scene(
        width=320,
        height=320,
        times_s=steady_times(fps, seconds),
        people=(
            ScenePerson((WayPoint(0.0, -0.9, 3.6), WayPoint(seconds, 0.9, 3.6)), stature_m=1.8),
            ScenePerson((WayPoint(0.0, 1.1, 4.4), WayPoint(seconds, -1.1, 4.4)), stature_m=1.7),
        ),
        camera=Camera(height_m=1.2, focal=1.3),
        seed=3,
    )
