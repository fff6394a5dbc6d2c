"""The part of a picture that a model sees, as the model takes it."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.model_spec import NO_MEAN, NO_STD, ModelSpec
from annotate.domain.picture import Picture, Window
from annotate.numeric.geometry import crop_to_picture


def to_range(picture: NDArray[np.uint8], spec: ModelSpec) -> FloatArray:
    """Values 0..255 to float32 in the range of values that a model takes."""
    low, high = spec.value_range
    values = np.multiply(picture, np.float32((high - low) / 255), dtype=np.float32)
    if low:
        values += np.float32(low)
    if spec.mean != NO_MEAN:
        values -= np.array(spec.mean, np.float32)
    if spec.std != NO_STD:
        values /= np.array(spec.std, np.float32)
    return values


def window_of(roi: FloatArray, size: tuple[int, int]) -> Window:
    """The window of an ROI (4,): centre x, centre y, side of the crop's longer edge, rotation."""
    return Window(crop_to_picture(roi, size), size)


def model_crop(
    picture: Picture,
    roi: FloatArray,
    spec: ModelSpec,
    hide: Callable[[NDArray[np.uint8]], None] | None = None,
) -> FloatArray:
    """The crop of an ROI as a model takes it.

    Args:
        picture: that it is taken from.
        roi: (4,) float32.
        spec: of the model.
        hide: paints over what the model must not see of the crop (height, width, 3) uint8.

    Returns:
        (height, width, 3) float32 RGB.
    """
    pixels = picture.crop(window_of(roi, spec.size), spec.border, spec.grey)
    if hide is not None:
        hide(pixels)
    return to_range(pixels, spec)


def mask_outside(pixels: NDArray[np.uint8], roi: FloatArray, box: FloatArray) -> None:
    """Makes the crop of an ROI, turned by quarter turns or not at all, black outside a box (4,) x0,
    y0, x1, y1 in pixels of the picture.
    """
    height, width = pixels.shape[:2]
    matrix = crop_to_picture(roi, (width, height))
    turn = matrix[:, :2] / (float(roi[2]) / max(width, height))
    corners = (box.reshape(2, 2) - matrix[:, 2]) @ turn * (max(width, height) / roi[2])
    corners.sort(axis=0)
    (left, top), (right, bottom) = np.rint(corners).clip(0, [width, height]).astype(int)
    pixels[:top] = pixels[bottom:] = 0
    pixels[:, :left] = pixels[:, right:] = 0
