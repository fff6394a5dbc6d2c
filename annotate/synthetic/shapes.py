"""What covers the points of a body: rounded solids with colours, and the clothes of a person."""

import colorsys
from dataclasses import dataclass, replace

import numpy as np

from annotate.synthetic.body import FORWARD, LEFT, SIDES, UP

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Shape:
    """A ball swept from one point to another while its radius changes, flattened along one axis.

    Attributes:
        start, end: names of points of `Body`.
        radii: at start and end, in statures.
        colour: name in `Outfit.colours`.
        part, axis: the axis of a part's basis along which the shape is flattened.
        flat: its extent along that axis is the radius divided by `flat`.
    """

    start: str
    end: str
    radii: tuple[float, float]
    colour: str
    part: str = "facing"
    axis: int = FORWARD
    flat: float = 1.0


@dataclass(frozen=True)
class Outfit:
    """What makes people look different.

    Attributes:
        colours: of skin, hair and clothes, red, green, blue in [0, 1].
        long_sleeves, long_hair: cut.
        girth: factor of the radii of trunk and limbs.
    """

    colours: dict[str, Colour]
    long_sleeves: bool
    long_hair: bool
    girth: float


_SKIN_AND_HAIR = (
    ((0.93, 0.75, 0.64), (0.50, 0.38, 0.22)),
    ((0.91, 0.72, 0.62), (0.36, 0.36, 0.37)),
    ((0.84, 0.63, 0.50), (0.20, 0.13, 0.09)),
    ((0.72, 0.51, 0.38), (0.16, 0.11, 0.09)),
    ((0.50, 0.34, 0.25), (0.12, 0.10, 0.09)),
)
_TROUSERS = ((0.13, 0.16, 0.27), (0.16, 0.16, 0.18), (0.32, 0.27, 0.21), (0.19, 0.25, 0.37))
_SHOES = ((0.12, 0.11, 0.11), (0.85, 0.84, 0.82), (0.38, 0.22, 0.14))


def outfit_of(seed: int, number: int) -> Outfit:
    """The outfit of person `number` of a scene; neighbours in number wear distant hues."""
    shared = np.random.default_rng(seed)
    own = np.random.default_rng([seed, number])
    hue = (shared.random() + 0.382 * number) % 1
    skin, hair = _SKIN_AND_HAIR[own.integers(len(_SKIN_AND_HAIR))]
    colours = {
        "skin": skin,
        "lips": _mixed(skin, (0.70, 0.25, 0.25), 0.5),
        "nose": _mixed(skin, (0.9, 0.5, 0.4), 0.12),
        "white": (0.95, 0.95, 0.94),
        "iris": (0.12, 0.09, 0.07),
        "hair": hair,
        "shirt": colorsys.hsv_to_rgb(hue, own.uniform(0.55, 0.85), own.uniform(0.35, 0.75)),
        "trousers": _TROUSERS[own.integers(len(_TROUSERS))],
        "shoes": _SHOES[own.integers(len(_SHOES))],
    }
    return Outfit(
        colours, bool(own.random() < 0.5), bool(own.random() < 0.4), own.uniform(1.0, 1.12)
    )


def shapes(outfit: Outfit) -> tuple[Shape, ...]:
    """All solids of a person in this outfit, radii in statures."""
    trunk = (*_trunk(), *_legs(), *_arms(outfit.long_sleeves))
    fleshed = tuple(
        replace(shape, radii=(shape.radii[0] * outfit.girth, shape.radii[1] * outfit.girth))
        for shape in trunk
    )
    return (*fleshed, *_head(), *_hair(outfit.long_hair))


def _trunk() -> tuple[Shape, ...]:
    shoulders = tuple(
        Shape("nape", f"{side}_shoulder", (0.050, 0.038), "shirt", "chest", FORWARD, 1.1)
        for side, *_ in SIDES
    )
    return (
        Shape("left_hip", "right_hip", (0.051, 0.051), "trousers", "pelvis"),
        Shape("pelvis", "waist", (0.088, 0.078), "trousers", "pelvis", FORWARD, 1.35),
        Shape("hem", "breast", (0.092, 0.096), "shirt", "chest", FORWARD, 1.38),
        Shape("breast", "nape", (0.096, 0.062), "shirt", "chest", FORWARD, 1.38),
        Shape("nape", "throat", (0.040, 0.034), "skin"),
        Shape("neckline", "neckline", (0.040, 0.040), "skin", "chest", FORWARD, 1.5),
        *shoulders,
    )


def _legs() -> tuple[Shape, ...]:
    return tuple(
        shape
        for side, *_ in SIDES
        for shape in (
            Shape(f"{side}_buttock", f"{side}_buttock", (0.050, 0.050), "trousers"),
            Shape(f"{side}_hip", f"{side}_knee", (0.059, 0.043), "trousers"),
            Shape(f"{side}_knee", f"{side}_ankle", (0.043, 0.032), "trousers"),
            Shape(f"{side}_heel", f"{side}_ball", (0.021, 0.023), "shoes"),
            Shape(f"{side}_ball", f"{side}_toe", (0.022, 0.017), "shoes"),
        )
    )


def _arms(long_sleeves: bool) -> tuple[Shape, ...]:
    fore = "shirt" if long_sleeves else "skin"
    return tuple(
        shape
        for side, *_ in SIDES
        for shape in (
            Shape(f"{side}_shoulder", f"{side}_sleeve", (0.040, 0.034), "shirt"),
            Shape(f"{side}_sleeve", f"{side}_elbow", (0.026, 0.024), fore),
            Shape(f"{side}_elbow", f"{side}_wrist", (0.024, 0.016), fore),
            Shape(
                f"{side}_wrist", f"{side}_palm", (0.016, 0.023), "skin", f"{side}_hand", LEFT, 1.6
            ),
            Shape(
                f"{side}_palm", f"{side}_fingers", (0.023, 0.014), "skin", f"{side}_hand", LEFT, 1.6
            ),
            Shape(f"{side}_wrist", f"{side}_thumb", (0.009, 0.008), "skin"),
        )
    )


def _head() -> tuple[Shape, ...]:
    middle = (
        Shape("skull", "skull", (0.058, 0.058), "skin", "head", LEFT, 1.3),
        Shape("brow", "chin", (0.054, 0.030), "skin", "head", LEFT, 1.15),
        Shape("bridge", "nose", (0.0062, 0.0109), "nose"),
        Shape("left_mouth_corner", "mouth", (0.0042, 0.0057), "lips", "head", UP, 1.2),
        Shape("right_mouth_corner", "mouth", (0.0042, 0.0057), "lips", "head", UP, 1.2),
    )
    return middle + tuple(
        shape
        for side, *_ in SIDES
        for shape in (
            Shape(f"{side}_eye", f"{side}_eye", (0.0102, 0.0102), "white", "head", UP, 1.5),
            Shape(f"{side}_iris", f"{side}_iris", (0.0058, 0.0058), "iris"),
            Shape(f"{side}_brow_inner", f"{side}_brow_outer", (0.0037, 0.0031), "hair"),
            Shape(f"{side}_ear", f"{side}_ear_lobe", (0.0146, 0.0094), "skin", "head", LEFT, 2.0),
        )
    )


def _hair(long: bool) -> tuple[Shape, ...]:
    short = (
        Shape("hair", "hair", (0.0614, 0.0614), "hair", "head", LEFT, 1.2),
        Shape("hair", "hair_back", (0.0582, 0.036), "hair", "head", LEFT, 1.15),
        Shape("fringe", "fringe", (0.0385, 0.0385), "hair", "head", UP, 1.5),
    )
    mane = Shape("hair_back", "nape", (0.0478, 0.0416), "hair", "chest", FORWARD, 1.2)
    return (*short, mane) if long else short


def _mixed(colour: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (c + share * (o - c) for c, o in zip(colour, other, strict=True))
    return red, green, blue
