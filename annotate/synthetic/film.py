"""Made scenes as video files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from annotate.synthetic.render import Renderer
from annotate.synthetic.scene import Scene
from annotate.synthetic.truth import SceneTruth, gathered, observe
from annotate.video.writer import Encoding, VideoWriter


def render_video(
    scene: Scene,
    path: Path,
    encoding: Encoding | None = None,
    progress: Callable[[float], None] = lambda _fraction: None,
) -> SceneTruth:
    """Draw all frames of `scene` into the file `path`.

    Args:
        path: its suffix chooses the container.
        encoding: if its frame rate is that of the scene, the video has this constant rate;
            if not, every frame is written with its own time.
        progress: called after every frame with the fraction that is done, in [0, 1].

    Returns:
        The truth of every frame.

    Raises:
        VideoError: the encoder rejects the frames, or the file cannot be written.
    """
    encoding = encoding or Encoding()
    renderer = Renderer(scene)
    ticks = scene.frame_times() * float(encoding.fps)
    steady = np.allclose(ticks, np.arange(len(scene)), rtol=0, atol=1e-3)
    seen = []
    with VideoWriter(path, encoding) as video:
        for index, time_s in enumerate(scene.times_s):
            sight = renderer.sight(index)
            video.write(renderer.draw(index, sight), None if steady else time_s)
            seen.append(observe(renderer, index, sight))
            progress((index + 1) / len(scene))
    return gathered(scene, seen)
