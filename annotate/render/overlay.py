"""Draws poses over pictures."""

import colorsys
from collections.abc import Sequence

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
    edges: Sequence[tuple[int, int]] = COCO_EDGES,
    names: Sequence[str] = COCO_KEYPOINTS,
) -> Picture:
    """A copy of the picture with limbs, joints and the number of each track.

    Left limbs are orange and right ones blue; joints and number have the colour of the track.
    Hidden keypoints (visibility under 0.5) are faint; keypoints with visibility 0 are not drawn.

    Args:
        rgb: (H, W, 3) uint8.
        keypoints: (P, K, 2) pixels.
        visibility: (P, K) in [0, 1].
        track_ids: P numbers.
        edges: pairs of keypoints, 0-based, that are limbs.
        names: K names; the prefixes `left_` and `right_` give the side.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    faint = rgb.copy()
    poses = [
        _Pose(points, seen, track, min(rgb.shape[:2]))
        for points, seen, track in zip(keypoints, visibility, track_ids, strict=True)
    ]
    for pose in poses:
        pose.draw(faint, pose.known, edges, names)
    drawn = np.asarray(cv2.addWeighted(rgb, 1 - _FAINT, faint, _FAINT, 0), np.uint8)
    for pose in poses:
        pose.draw(drawn, pose.known & (pose.visibility >= _VISIBLE), edges, names)
    for pose in poses:
        pose.label(drawn)
    return drawn


def track_colour(track_id: int) -> Colour:
    """RGB of a track, the same in every frame; tracks with close numbers differ most."""
    red, green, blue = colorsys.hsv_to_rgb(track_id * _GOLDEN_RATIO % 1, 0.75, 1.0)
    return round(red * 255), round(green * 255), round(blue * 255)


class _Pose:
    """One pose with the line width and text height that suit its size and the picture's."""

    def __init__(self, points: FloatArray, visibility: FloatArray, track: int, side: int) -> None:
        self.points = points
        self.visibility = visibility
        self.known = (visibility > 0) & np.isfinite(points).all(axis=1)
        self.track = track
        height = float(np.ptp(points[self.known, 1])) if self.known.any() else 0.0
        self.width = max(1, round(min(side / 170, height / 45)))
        self.text_height = max(9, round(min(side / 32, height / 6)))

    def draw(
        self,
        picture: Picture,
        shown: NDArray[np.bool_],
        edges: Sequence[tuple[int, int]],
        names: Sequence[str],
    ) -> None:
        """Limbs with a dark outline, then joints, in place."""
        limbs = [(a, b) for a, b in edges if shown[a] and shown[b]]
        for outline in (True, False):
            for a, b in limbs:
                colour = _OUTLINE if outline else _limb_colour(names[a], names[b])
                ends = _fixed(self.points[a]), _fixed(self.points[b])
                width = self.width + 2 if outline else self.width
                cv2.line(picture, *ends, colour, width, cv2.LINE_AA, _SUBPIXEL_BITS)
        for point in self.points[shown]:
            _disc(picture, point, self.width + 1.0, _OUTLINE)
            _disc(picture, point, float(self.width), track_colour(self.track))

    def label(self, picture: Picture) -> None:
        """The track's number on a plate above the head, in place."""
        if not self.known.any():
            return
        text, font = str(self.track), cv2.FONT_HERSHEY_SIMPLEX
        thickness = max(1, round(self.text_height / 12))
        scale = float(cv2.getFontScaleFromHeight(font, self.text_height, thickness))
        (width, height), _ = cv2.getTextSize(text, font, scale, thickness)
        pad = self.text_height // 3 + 1
        x, y = self.points[self.known, 0].mean(), self.points[self.known, 1].min()
        left = round(min(max(x - width / 2, pad), picture.shape[1] - width - pad))
        bottom = round(max(y - 1.6 * self.text_height, height + pad))
        plate = (left - pad, bottom - height - pad), (left + width + pad, bottom + pad)
        cv2.rectangle(picture, *plate, track_colour(self.track), cv2.FILLED, cv2.LINE_AA)
        origin = (left, bottom)
        cv2.putText(picture, text, origin, font, scale, _OUTLINE, thickness, cv2.LINE_AA)


def _limb_colour(first: str, second: str) -> Colour:
    sides = {first.partition("_")[0], second.partition("_")[0]}
    return _SIDES.get(sides.pop(), _MIDDLE) if len(sides) == 1 else _MIDDLE


def _disc(picture: Picture, point: FloatArray, radius: float, colour: Colour) -> None:
    fixed_radius = round(radius * (1 << _SUBPIXEL_BITS))
    cv2.circle(
        picture, _fixed(point), fixed_radius, colour, cv2.FILLED, cv2.LINE_AA, _SUBPIXEL_BITS
    )


def _fixed(point: FloatArray) -> tuple[int, int]:
    """Fixed-point coordinates for OpenCV, limited to where its integers do not overflow."""
    x, y = np.clip(point * (1 << _SUBPIXEL_BITS), -(1 << 20), 1 << 20)
    return round(float(x)), round(float(y))
