"""Colours of the review page stand out from what they lie on, in light and dark (WCAG 2.2, AA)."""

import colorsys
import re

import pytest

from tests.documents import ROOT

PAGE = ROOT / "annotate" / "review" / "page"
STYLE = (PAGE / "style.css").read_text()
STAGE = (PAGE / "stage.js").read_text()
# The least contrast of text, and of bars and lines that say something.
TEXT, GRAPHIC = 4.5, 3.0
GROUNDS = ("ground", "panel", "raised")

Rgb = tuple[float, float, float]


def colours(theme: str) -> dict[str, Rgb]:
    """The named colours of a theme that are opaque."""
    block = STYLE.split(':root[data-theme="dark"]')[theme == "dark"].split("}")[0]
    return {name: rgb_of(code) for name, code in re.findall(r"--(\w+): #(\w{6});", block)}


def rgb_of(code: str) -> Rgb:
    red, green, blue = (int(code[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return red, green, blue


def track_colours(constant: str, theme: str) -> list[Rgb]:
    """The colours of all tracks as the timeline draws labels or bars."""
    found = re.search(rf"{constant} = {{.*?{theme}: (\d+)", STAGE)
    hues = re.search(r"HUES = \[(.*?)\]", STAGE)
    assert found, constant
    assert hues
    lightness = int(found.group(1)) / 100
    return [colorsys.hls_to_rgb(int(h) / 360, lightness, 0.85) for h in hues.group(1).split(",")]


def contrast(one: Rgb, other: Rgb) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: Rgb) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_bars_stand_out(theme: str) -> None:
    named = colours(theme)
    for ground in (named[name] for name in GROUNDS):
        for name in ("text", "soft", "accent", "good", "warn", "bad"):
            assert contrast(named[name], ground) >= TEXT, (name, ground)
        for label in track_colours("LABEL_LIGHT", theme):
            assert contrast(label, ground) >= TEXT, (label, ground)
        for bar in [*track_colours("BAR_LIGHT", theme), named["faint"]]:
            assert contrast(bar, ground) >= GRAPHIC, (bar, ground)
