"""What a landmark model sees in one crop, whatever its kind."""

from typing import NamedTuple

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.numeric.geometry import apply_affine, crop_to_picture

# Of a landmark: x, y and z in pixels, visibility and presence in [0, 1].
COLUMNS = ("x", "y", "z", "visibility", "presence")


class CropPose(NamedTuple):
    """The pose in one crop.

    Attributes:
        landmarks: (m, 5) float32: `COLUMNS`, in pixels of the crop, auxiliary landmarks included.
            What a model does not give is 1 for visibility and presence, and 0 for z.
        world: (m, D) float32 x, y, z in metres with the hip centre as origin, the crop's axes; D is
            3, or 0 where the model gives none.
        score: in [0, 1]: how sure the model is that the crop shows a person.
    """

    landmarks: FloatArray
    world: FloatArray
    score: float


def to_picture(landmarks: FloatArray, roi: FloatArray, size: tuple[int, int]) -> FloatArray:
    """Landmarks (m, 5) from pixels of the crop of `roi`, `size` wide and high, to pixels of the
    picture.
    """
    placed = landmarks.copy()
    placed[:, :2] = apply_affine(crop_to_picture(roi, size), landmarks[:, :2])
    placed[:, 2] *= roi[2] / max(size)
    return placed


def world_to_picture(world: FloatArray, roi: FloatArray) -> FloatArray:
    """World landmarks (m, D) from the axes of the crop of `roi` to those of the picture: turned
    back by the ROI's rotation, as MediaPipe's WorldLandmarkProjectionCalculator does.
    """
    placed = world.copy()
    if placed.size:
        cos, sin = np.cos(roi[3]), np.sin(roi[3])
        placed[:, :2] = world[:, :2] @ np.array([[cos, sin], [-sin, cos]], np.float32)
    return placed
