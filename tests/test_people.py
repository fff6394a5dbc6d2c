"""The real models on small, many and tracked people."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.pack import read_pack
from annotate.domain.video import Chunk
from annotate.inference import Models, load_models
from annotate.pipeline import PoseEstimator
from annotate.synthetic import Camera, Renderer, Scene, ScenePerson, WayPoint, truth
from annotate.video import decode, probe


@pytest.fixture(scope="module")
def models(blazepose_pack: Path) -> Models:
    return load_models(read_pack(blazepose_pack), blazepose_pack)


def street(heights: Sequence[float]) -> Scene:
    """People of these heights in pixels, side by side in a frame of 1920x1080."""
    people = []
    for number, height in enumerate(heights):
        z = 1.4 * 1080 * 1.75 / height
        x = ((number + 0.5) / len(heights) - 0.5) * 1920 / (1.4 * 1080) * z
        people.append(ScenePerson((WayPoint(0, x, z),), facing_deg=30.0 * number))
    camera = Camera(height_m=2.0, focal=1.4)
    return Scene(1920, 1080, (0.0,), tuple(people), camera=camera)


def nearest(landmarks: FloatArray, known: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n,) pixels: distance of each person from the nearest pose, between means of shoulders and
    hips.
    """
    corners = [11, 12, 23, 24]
    apart = known[:, None, corners] - landmarks[None][:, :, corners, :2]
    distance: NDArray[np.float64] = np.linalg.norm(apart.mean(axis=2), axis=2).min(axis=1)
    return distance


def test_tiles_find_people_of_80_to_120_pixels_in_full_hd(models: Models) -> None:
    heights = [82, 90, 98, 106, 112, 118]
    scene = street(heights)
    rgb, known = Renderer(scene).frame(0), truth(scene).landmarks[0]
    assert len(PoseEstimator(models).poses(rgb).score) == 0
    found = PoseEstimator(models, people="all").poses(rgb)
    assert len(found.score) == len(heights)
    assert (nearest(found.landmarks, known) < 0.05 * np.array(heights)).all()
    assert (np.diff(found.detection_score) <= 0).all()


def test_both_people_in_front_are_tracked_after_the_detector_has_seen_them(
    shared_data: Path, models: Models
) -> None:
    path = shared_data / "videos" / "two_people.mp4"
    index = probe(path)
    frames = decode(path, index, Chunk(0, len(index)))
    poses = PoseEstimator(models, detect_every=5).run(frames, index)
    middle = poses.landmarks[:, [11, 12, 23, 24], :2].mean(axis=1)
    frame = np.repeat(poses.frame_index, np.diff(poses.offsets))
    for place, reach in (((175, 960), 60), ((575, 670), 110)):
        held = frame[(np.abs(middle - place) < reach).all(axis=1)]
        assert len(held) == len(np.unique(held)) >= 95
    assert len(poses.score) <= 200
