"""Draws poses over pictures."""

import colorsys
from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.skeleton import COCO_EDGES, COCO_KEYPOINTS

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

# Two hues that colour-blind people can distinguish.
_SIDES: dict[str, Colour] = {"left": (255, 150, 10), "right": (20, 165, 255)}
_MIDDLE: Colour = (240, 240, 240)
_OUTLINE: Colour = (24, 24, 28)
_GOLDEN_RATIO = 0.618034
# The number of fractional bits in the coordinates that OpenCV draws with.
_SUBPIXEL_BITS = 4
# The opacity of limbs and joints that are hidden.
_FAINT = 0.4
# The smallest visibility of a keypoint that is not hidden.
_VISIBLE = 0.5


def draw_poses(
    rgb: Picture,
    keypoints: FloatArray,
    visibility: FloatArray,
    track_ids: Sequence[int],
    *,
    labels: Sequence[str] | None = None,
    filled: NDArray[np.bool_] | None = None,
    limbs: Literal["side", "track"] = "side",
) -> Picture:
    """A copy of the picture with limbs, joints and a label of each track.

    Joints and label have the colour of the track. Doubtful keypoints (visibility under 0.5) and all
    of a filled pose are hollow, and limbs that end at them faint; keypoints with visibility 0 are
    not drawn.

    Args:
        rgb: (H, W, 3) uint8.
        keypoints: (P, 17, 2) pixels: COCO's.
        visibility: (P, 17) in [0, 1].
        track_ids: P numbers.
        labels: P texts; by default the numbers.
        filled: (P,) bool; by default none is.
        limbs: by `side` left limbs are orange and right ones blue; or in the colour of the `track`.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    if not len(keypoints):
        return rgb.copy()
    faint = rgb.copy()
    poses = [
        _Pose(points, seen, track, min(rgb.shape[:2]), by_side=limbs == "side")
        for points, seen, track in zip(keypoints, visibility, track_ids, strict=True)
    ]
    sure = [pose.known & (pose.visibility >= _VISIBLE) for pose in poses]
    if filled is not None:
        sure = [known & ~hollow for known, hollow in zip(sure, filled, strict=True)]
    for pose in poses:
        pose.draw_limbs(faint, pose.known)
    drawn = np.asarray(cv2.addWeighted(rgb, 1 - _FAINT, faint, _FAINT, 0), np.uint8)
    for pose, solid in zip(poses, sure, strict=True):
        pose.draw_limbs(drawn, solid)
        pose.draw_joints(drawn, solid)
    for pose, text in zip(poses, labels or map(str, track_ids), strict=True):
        pose.label(drawn, text)
    return drawn


def track_colour(track_id: int) -> Colour:
    """RGB of a track, the same in every frame; tracks with close numbers differ most."""
    red, green, blue = colorsys.hsv_to_rgb(track_id * _GOLDEN_RATIO % 1, 0.75, 1.0)
    return round(red * 255), round(green * 255), round(blue * 255)


class _Pose:
    """One pose with the line width and text height that suit its size and the picture's."""

    def __init__(
        self,
        points: FloatArray,
        visibility: FloatArray,
        track: int,
        side: int,
        *,
        by_side: bool,
    ) -> None:
        self.points = points
        self.visibility = visibility
        self.known = (visibility > 0) & np.isfinite(points).all(axis=1)
        self.colour = track_colour(track)
        self.by_side = by_side
        height = float(np.ptp(points[self.known, 1])) if self.known.any() else 0.0
        self.width = max(1, round(min(side / 170, height / 45)))
        self.text_height = max(9, round(min(side / 32, height / 6)))

    def draw_limbs(self, picture: Picture, shown: NDArray[np.bool_]) -> None:
        """Limbs between keypoints that are shown, with a dark outline, in place."""
        limbs = [(a, b) for a, b in COCO_EDGES if shown[a] and shown[b]]
        for outline in (True, False):
            for a, b in limbs:
                colour = _OUTLINE if outline else self._limb_colour(a, b)
                ends = _fixed(self.points[a]), _fixed(self.points[b])
                width = self.width + 2 if outline else self.width
                cv2.line(picture, *ends, colour, width, cv2.LINE_AA, _SUBPIXEL_BITS)

    def draw_joints(self, picture: Picture, solid: NDArray[np.bool_]) -> None:
        """A disc at each solid keypoint, a ring at each other known one, in place."""
        for point, is_solid in zip(self.points[self.known], solid[self.known], strict=True):
            if is_solid:
                _disc(picture, point, self.width + 1.0, _OUTLINE)
                _disc(picture, point, float(self.width), self.colour)
            else:
                _ring(picture, point, self.width + 1.0, self.colour)

    def _limb_colour(self, first: int, second: int) -> Colour:
        if not self.by_side:
            return self.colour
        return _side_colour(COCO_KEYPOINTS[first], COCO_KEYPOINTS[second])

    def label(self, picture: Picture, text: str) -> None:
        """The text on a plate above the head, in place."""
        if not self.known.any():
            return
        font = cv2.FONT_HERSHEY_SIMPLEX
        thickness = max(1, round(self.text_height / 12))
        scale = float(cv2.getFontScaleFromHeight(font, self.text_height, thickness))
        (width, height), _ = cv2.getTextSize(text, font, scale, thickness)
        pad = self.text_height // 3 + 1
        x, y = self.points[self.known, 0].mean(), self.points[self.known, 1].min()
        left = round(min(max(x - width / 2, pad), picture.shape[1] - width - pad))
        bottom = round(max(y - 1.6 * self.text_height, height + pad))
        plate = (left - pad, bottom - height - pad), (left + width + pad, bottom + pad)
        cv2.rectangle(picture, *plate, self.colour, cv2.FILLED, cv2.LINE_AA)
        origin = (left, bottom)
        cv2.putText(picture, text, origin, font, scale, _OUTLINE, thickness, cv2.LINE_AA)


def _side_colour(first: str, second: str) -> Colour:
    sides = {first.partition("_")[0], second.partition("_")[0]}
    return _SIDES.get(sides.pop(), _MIDDLE) if len(sides) == 1 else _MIDDLE


def _disc(picture: Picture, point: FloatArray, radius: float, colour: Colour) -> None:
    fixed_radius = round(radius * (1 << _SUBPIXEL_BITS))
    cv2.circle(
        picture, _fixed(point), fixed_radius, colour, cv2.FILLED, cv2.LINE_AA, _SUBPIXEL_BITS
    )


def _ring(picture: Picture, point: FloatArray, radius: float, colour: Colour) -> None:
    fixed_radius = round(radius * (1 << _SUBPIXEL_BITS))
    cv2.circle(picture, _fixed(point), fixed_radius, colour, 1, cv2.LINE_AA, _SUBPIXEL_BITS)


def _fixed(point: FloatArray) -> tuple[int, int]:
    """Fixed-point coordinates for OpenCV, limited to where its integers do not overflow."""
    x, y = np.clip(point * (1 << _SUBPIXEL_BITS), -(1 << 20), 1 << 20)
    return round(float(x)), round(float(y))
