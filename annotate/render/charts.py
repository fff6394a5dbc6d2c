"""Charts as parts of SVG and as tiny pictures: what a self-contained page needs, without scripts.

Plots are stretched to the width of the page, so they hold no text: the page sets labels beside
them. A plotting library would bring megabytes of JavaScript, or text too small for a phone.
"""

import base64
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.render.overlay import Picture, track_colour

# Plots have this size in their own units.
WIDTH, HEIGHT = 1000, 100
# Stops of the scale of confidence, from 0 to 1, dark to light: even in print and for colour-blind
# people. RGB.
_SCALE = np.array([[48, 18, 59], [121, 40, 101], [197, 78, 82], [243, 144, 63], [252, 236, 150]])
# What of the heat map no pose was seen in.
_NOTHING = (128, 128, 128)
_JPEG_QUALITY = 72
_THUMBNAIL_PX = 360


def line_path(values: Sequence[float] | NDArray[np.float64], top: float) -> str:
    """The `d` of an SVG path through values at even distances; NaN breaks it.

    Args:
        values: (n,) from 0.
        top: what the upper edge stands for, above 0.

    >>> line_path([0, 1, float("nan"), 1], 2)
    'M125,100 L375,50 M875,50'
    """
    step, parts, pen = WIDTH / len(values), [], "M"
    for place, value in enumerate(values):
        if np.isfinite(value):
            parts.append(f"{pen}{_number((place + 0.5) * step)},{_number(_y(value, top))}")
        pen = "L" if np.isfinite(value) else "M"
    return " ".join(parts)


def area_path(values: Sequence[float] | NDArray[np.float64], top: float) -> str:
    """The `d` of an area of steps under values at even distances; NaN leaves a hole.

    >>> area_path([1, 1], 2)
    'M0,100 V50 H500 V100 Z M500,100 V50 H1000 V100 Z'
    """
    step = WIDTH / len(values)
    return " ".join(
        f"M{_number(place * step)},{HEIGHT} V{_number(_y(value, top))} "
        f"H{_number((place + 1) * step)} V{HEIGHT} Z"
        for place, value in enumerate(values)
        if np.isfinite(value)
    )


def round_top(values: Iterable[float]) -> float:
    """A round number at or above all values; 1 where there are none above 0.

    >>> round_top([0.3, 7.2]), round_top([])
    (10.0, 1.0)
    """
    most = max((value for value in values if np.isfinite(value)), default=0.0)
    if most <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(most))
    return float(next(step * power for step in (1, 2, 3, 5, 10) if step * power >= most))


def heat_map(values: NDArray[np.float64]) -> str:
    """A PNG as a data URI, a pixel a value: rows (K, B) in [0, 1]; grey where NaN."""
    place = np.nan_to_num(values).clip(0, 1) * (len(_SCALE) - 1)
    stops = np.arange(len(_SCALE))
    rgb = np.stack([np.interp(place, stops, _SCALE[:, c]) for c in range(3)], axis=2)
    rgb[np.isnan(values)] = _NOTHING
    return _data_uri(".png", "png", rgb.round().astype(np.uint8))


def thumbnail(rgb: Picture) -> str:
    """A JPEG as a data URI, its longer side at most 360 pixels."""
    scale = min(1.0, _THUMBNAIL_PX / max(rgb.shape[:2]))
    size = [max(1, round(side * scale)) for side in rgb.shape[1::-1]]
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    return _data_uri(".jpg", "jpeg", small)


def css_colour(track: int) -> str:
    """The colour of a track, as drawings have it.

    >>> css_colour(1)
    '#406bff'
    """
    return "#{:02x}{:02x}{:02x}".format(*track_colour(track))


def _data_uri(ending: str, kind: str, rgb: Picture) -> str:
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if kind == "jpeg" else []
    _, data = cv2.imencode(ending, np.ascontiguousarray(rgb[:, :, ::-1]), options)
    return f"data:image/{kind};base64,{base64.b64encode(data.tobytes()).decode()}"


def _y(value: float, top: float) -> float:
    return HEIGHT * (1 - min(max(value / top, 0.0), 1.0))


def _number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
