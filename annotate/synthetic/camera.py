"""A pinhole camera on a tripod: it pans, tilts and zooms, but does not travel.

World: x to the right, y up, z away from the camera, in metres; the camera is above the origin.
Camera space: x to the right, y down, z forward. Pixels as everywhere in the project: the centre of
the top left pixel is (0, 0).
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray

Pixels: TypeAlias = NDArray[np.int32] | FloatArray  # columns, or rows


@dataclass(frozen=True)
class CameraKey:
    """Where the camera looks at one time; between two keys it moves at constant speed.

    Attributes:
        time_s: seconds from the video's start.
        pan_deg: to the right.
        tilt_deg: downwards.
        zoom: factor of the focal length.
    """

    time_s: float
    pan_deg: float = 0.0
    tilt_deg: float = 0.0
    zoom: float = 1.0


@dataclass(frozen=True)
class Camera:
    """The camera of a scene.

    Attributes:
        height_m: of the lens above the floor.
        focal: focal length in picture heights; a person of height h at distance z is
            focal * h / z picture heights tall.
        keys: at least one, in order of time; before the first and after the last it rests.
    """

    height_m: float = 1.4
    focal: float = 1.4
    keys: tuple[CameraKey, ...] = (CameraKey(0.0),)


@dataclass(frozen=True, eq=False)
class CameraView:
    """The camera at one moment.

    Attributes:
        rotation: (3, 3) float32, world directions to camera space.
        height_m: of the lens above the floor.
        focal_px: focal length in pixels.
        width, height: of the picture in pixels.
    """

    rotation: FloatArray
    height_m: float
    focal_px: float
    width: int
    height: int

    @property
    def centre(self) -> tuple[float, float]:
        """The pixel that the camera points at."""
        return (self.width - 1) / 2, (self.height - 1) / 2

    def same_as(self, other: "CameraView") -> bool:
        """Whether both show the same picture of things at rest."""
        return self.focal_px == other.focal_px and bool((self.rotation == other.rotation).all())

    def to_camera(self, points: FloatArray) -> FloatArray:
        """World points (..., 3) in metres, in camera space."""
        return (points - np.array([0, self.height_m, 0], np.float32)) @ self.rotation.T

    def to_pixels(self, points: FloatArray) -> FloatArray:
        """Points (..., 3) of camera space to (..., 2) pixels; NaN behind the lens."""
        depth = np.where(points[..., 2:] > 0, points[..., 2:], np.float32(np.nan))
        pixels = points[..., :2] / depth * self.focal_px + np.array(self.centre)
        return np.asarray(pixels, np.float32)

    def columns(self, x: Pixels) -> FloatArray:
        """The x component of the rays through pixel columns, z being 1."""
        return _ray(x, self.centre[0], self.focal_px)

    def rows(self, y: Pixels) -> FloatArray:
        """The y component of the rays through pixel rows, z being 1."""
        return _ray(y, self.centre[1], self.focal_px)


def views(
    camera: Camera, times_s: NDArray[np.float64], width: int, height: int
) -> tuple[CameraView, ...]:
    """The camera at each of `times_s` (F,) seconds, for a picture of `width` x `height`."""
    key_times = [key.time_s for key in camera.keys]
    pan = np.radians(np.interp(times_s, key_times, [key.pan_deg for key in camera.keys]))
    tilt = np.radians(np.interp(times_s, key_times, [key.tilt_deg for key in camera.keys]))
    zoom = np.interp(times_s, key_times, [key.zoom for key in camera.keys])
    focal_px = camera.focal * height * zoom
    return tuple(
        CameraView(_rotation(p, t), camera.height_m, float(f), width, height)
        for p, t, f in zip(pan, tilt, focal_px, strict=True)
    )


def _rotation(pan: float, tilt: float) -> FloatArray:
    """Rows: the camera's right, down and forward in the world. Without roll, right is level."""
    right = [np.cos(pan), 0.0, -np.sin(pan)]
    level = np.array([np.sin(pan), 0.0, np.cos(pan)])
    up = np.array([0.0, 1.0, 0.0])
    forward = np.cos(tilt) * level - np.sin(tilt) * up
    down = -np.sin(tilt) * level - np.cos(tilt) * up
    return np.array([right, down, forward], np.float32)


def _ray(pixel: Pixels, centre: float, focal_px: float) -> FloatArray:
    return (pixel.astype(np.float32) - np.float32(centre)) * np.float32(1 / focal_px)
