"""The background of a scene: a paved floor, a round wall with windows, a sky.

It is drawn as functions of the rays, softly: it compresses well. The wall surrounds the camera,
so it is in view however far the camera pans.
"""

import colorsys
import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.synthetic.camera import CameraView, Pixels

_WALL_HEIGHT_M, _PLINTH_M = 4.6, 0.5
_BAY_M, _WINDOW_M = 3.4, 1.5  # distance from window to window, and their width
_WINDOW_TOP_M, _WINDOW_BOTTOM_M = 3.3, 1.3
_SLAB_M = 1.2
_GRID_ROWS = 270
_HORIZON = 1e-6  # steeper rays meet the floor
_SKY_LOW, _SKY_HIGH = (0.80, 0.86, 0.92), (0.45, 0.62, 0.85)


@dataclass(frozen=True)
class Palette:
    """Colours of a backdrop, red, green, blue in [0, 1]."""

    floor: tuple[float, float, float]
    wall: tuple[float, float, float]
    glass: tuple[float, float, float]


def palette(seed: int) -> Palette:
    """Muted colours, so that people stand out."""
    rng = np.random.default_rng([seed, 1 << 20])
    wall = colorsys.hsv_to_rgb(rng.uniform(0.2, 0.65), rng.uniform(0.03, 0.09), 0.87)
    floor = colorsys.hsv_to_rgb(rng.uniform(0.05, 0.6), 0.05, rng.uniform(0.68, 0.74))
    return Palette(floor, wall, (0.50, 0.58, 0.65))


def floor_depth(view: CameraView) -> FloatArray:
    """(H,) float32: depth of the floor along the rays of each row; infinite above the horizon."""
    return _floor_depth(view, np.arange(view.height, dtype=np.int32))


def floor_places(view: CameraView, x: Pixels, y: Pixels) -> tuple[FloatArray, FloatArray]:
    """Where rays meet the floor; infinite above the horizon.

    Args:
        x, y: (w,) columns and (h,) rows of the rays.

    Returns:
        (h, w) float32 each: x and z in metres.
    """
    depth = _floor_depth(view, y)
    ray_x, ray_z = _level_rays(view, x, y)
    return ray_x * depth[:, None], ray_z * depth[:, None]


def backdrop(view: CameraView, wall_m: float, colours: Palette) -> NDArray[np.uint8]:
    """The picture without people, (H, W, 3) uint8 RGB.

    It is computed on a coarser grid of rays and interpolated: a moving camera needs a new one
    in every frame, and nothing in it is sharp.

    Args:
        wall_m: distance of the wall from the camera.
    """
    step = max(2.0, view.height / _GRID_ROWS)
    ray_x, ray_z, ray_up = _grid(view, step)
    height = np.asarray(view.height_m + wall_m * ray_up / np.hypot(ray_x, ray_z), np.float32)
    along = np.asarray(wall_m * np.arctan2(ray_x, ray_z), np.float32)
    blur = min(step / 2 * wall_m / view.focal_px, view.height_m / 2)
    colour = _wall(along, height, blur, colours)
    ground = height < blur
    reach = -view.height_m / ray_up[ground]
    floor = _floor(ray_x[ground] * reach, ray_z[ground] * reach, view, colours)
    colour[ground] = _mix(colour[ground], floor, _below(height[ground], 0, blur))
    coarse = (colour * 255 + np.float32(0.5)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (view.width, view.height)), np.uint8)


def _grid(view: CameraView, step: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The x, z and upward parts, (h, w) each, of rays that are about `step` pixels apart.

    They lie where `cv2.resize` expects the pixels of a coarser picture.
    """
    x, y = (
        (np.arange(cells, dtype=np.float32) + 0.5) * (pixels / cells) - 0.5
        for pixels in (view.width, view.height)
        for cells in [math.ceil(pixels / step)]
    )
    ray_x, ray_z = _level_rays(view, x, y)
    return ray_x, ray_z, np.broadcast_to(_rays_up(view, y)[:, None], ray_x.shape)


def _floor_depth(view: CameraView, y: Pixels) -> FloatArray:
    down = -_rays_up(view, y)
    depth = np.full(len(y), np.inf, np.float32)
    below = down > _HORIZON
    depth[below] = view.height_m / down[below]
    return depth


def _level_rays(view: CameraView, x: Pixels, y: Pixels) -> tuple[FloatArray, FloatArray]:
    """The x and z parts, (h, w) each, of the rays through columns `x` and rows `y`."""
    right, down, forward = view.rotation[:, ::2]
    column, row = view.columns(x)[:, None], view.rows(y)[:, None, None]
    rays = column * right + (row * down + forward)
    return rays[..., 0], rays[..., 1]


def _rays_up(view: CameraView, y: Pixels) -> FloatArray:
    """The upward part of the rays through rows `y`: without roll, the same in all columns."""
    up: FloatArray = view.rows(y) * view.rotation[1, 1] + view.rotation[2, 1]
    return up


def _wall(along: FloatArray, height: FloatArray, blur: float, colours: Palette) -> FloatArray:
    """Colours (..., 3) of wall and sky at `along` metres round the wall, `height` metres up."""
    shade = 0.95 + 0.03 * np.sin(0.9 * along) + 0.03 * height / _WALL_HEIGHT_M
    wall = np.array(colours.wall, np.float32) * shade[..., None]
    bay = np.abs((along / _BAY_M) % 1 - 0.5) * _BAY_M
    columns = _below(bay, _WINDOW_M / 2, blur)
    bars = 1 - 0.8 * _below(np.abs(bay), 0.03, blur)
    window = (
        columns
        * bars
        * _below(height, _WINDOW_TOP_M, blur)
        * _below(-height, -_WINDOW_BOTTOM_M, blur)
    )
    glass = np.array(colours.glass, np.float32) * (0.7 + 0.16 * height)[..., None]
    plinth = np.array(colours.wall, np.float32) * np.float32(0.62)
    sky = _mix(
        np.array(_SKY_LOW, np.float32),
        np.array(_SKY_HIGH, np.float32),
        np.clip((height - _WALL_HEIGHT_M) / 12, 0, 1),
    )
    colour = _mix(wall, glass, window)
    colour = _mix(colour, plinth, _below(height, _PLINTH_M, blur))
    return _mix(sky, colour, _below(height, _WALL_HEIGHT_M, blur))


def _floor(x: FloatArray, z: FloatArray, view: CameraView, colours: Palette) -> FloatArray:
    """Colours (N, 3) of slabs with soft joints that fade with distance."""
    distance = np.hypot(x, z)
    blur = 0.02 + distance * distance / (view.focal_px * view.height_m)
    joint = np.zeros_like(x)
    for place in (x, z):
        from_joint = (0.5 - np.abs((place / _SLAB_M) % 1 - 0.5)) * _SLAB_M
        joint += np.clip(1 - from_joint / (0.015 + blur), 0, 1) * (0.015 / (0.015 + blur))
    stain = np.sin(1.7 * x + 0.8 * np.sin(1.1 * z)) * np.sin(1.3 * z - 0.6 * x)
    shade = 1 + 0.035 * stain - 0.25 * np.minimum(joint, 1) - 0.05 * np.minimum(distance / 12, 1)
    slabs: FloatArray = np.array(colours.floor, np.float32) * shade[:, None]
    return slabs


def _below(value: FloatArray, edge: float, blur: float) -> FloatArray:
    """1 below the edge, 0 above, a ramp of 2 * blur between."""
    share: FloatArray = np.clip((edge - value) / np.float32(2 * blur) + np.float32(0.5), 0, 1)
    return share


def _mix(first: FloatArray, second: FloatArray, share: FloatArray) -> FloatArray:
    mixed: FloatArray = first + (second - first) * share[..., None]
    return mixed
