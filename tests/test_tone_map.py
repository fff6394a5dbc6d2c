"""HDR videos become the standard pictures that they were made from."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from annotate.domain.video import Chunk, Hdr
from annotate.video import decode, probe
from annotate.video.tone_map import (
    PEAK_NITS,
    WHITE_NITS,
    compressed,
    hlg_nits,
    pq_code,
    pq_nits,
    tone_mapped,
)
from tests.made_hdr import coded, hdr_video

# The largest difference in steps of 255 below the knee; two matrices with four digits and 10 bits
# of limited range account for it.
TOLERANCE = 4
# Codes up to here are below the knee of the compression.
MIDTONE = 160


def test_curves_meet_the_points_of_the_standards() -> None:
    """PQ from ST 2084 and BT.2408; HLG's 75% is the same white on a screen of 1000 cd/m2."""
    assert pq_nits(np.array([0.0, 0.5081, 1.0])) == pytest.approx([0, 100, 10_000], rel=2e-3)
    assert pq_code(np.array(203.0)) == pytest.approx(0.58, abs=1e-3)
    assert hlg_nits(np.array([0.0, 0.75, 1.0])) == pytest.approx([0, 203, 1000], rel=5e-3, abs=1e-9)


def test_highlights_are_compressed_and_nothing_else() -> None:
    nits = np.linspace(0, PEAK_NITS, 1000)
    out = compressed(nits)
    assert (np.diff(out) > 0).all()
    assert out[-1] == pytest.approx(WHITE_NITS)
    low = nits < 0.4 * WHITE_NITS
    np.testing.assert_allclose(out[low], nits[low], rtol=1e-6, atol=1e-9)
    assert (out[~low] <= nits[~low] + 1e-6).all()


@pytest.fixture
def standard() -> NDArray[np.uint8]:
    """Squares of random colours."""
    colours = np.random.default_rng(3).integers(8, 256, (6, 8, 3)).astype(np.uint8)
    return colours.repeat(16, 0).repeat(16, 1)


@pytest.mark.parametrize("hdr", ["pq", "hlg"])
def test_a_picture_survives_the_way_to_hdr_and_back(hdr: Hdr, standard: NDArray[np.uint8]) -> None:
    back = tone_mapped(coded(standard, hdr), hdr).astype(int)
    low = (standard < MIDTONE).all(axis=2)
    assert np.abs(back - standard)[low].max() <= TOLERANCE
    # A bright channel is compressed, and so its colour loses saturation.
    assert np.abs(back - standard).mean() <= 2 * TOLERANCE


@pytest.mark.parametrize("hdr", ["pq", "hlg"])
def test_grey_stays_grey_and_brighter_stays_brighter(hdr: Hdr) -> None:
    greys = np.arange(0, 65536, 257, dtype=np.uint16)[:, None, None].repeat(3, 2)
    shown = tone_mapped(greys, hdr).astype(int)
    assert (np.ptp(shown, axis=2) <= 1).all()
    assert (np.diff(shown[:, 0, 0]) >= 0).all()
    assert shown[[0, -1], 0, 0].tolist() == [0, 255]


@pytest.mark.parametrize("hdr", ["pq", "hlg"])
def test_an_hdr_video_is_decoded_as_a_standard_one(
    hdr: Hdr, standard: NDArray[np.uint8], tmp_path: Path
) -> None:
    path = hdr_video(tmp_path / "hdr.mkv", [standard], hdr)
    index = probe(path)
    assert index.hdr == hdr
    [shown] = decode(path, index, Chunk(0, 1))
    low = (standard < MIDTONE).all(axis=2)
    assert np.abs(shown.rgb.astype(int) - standard)[low].max() <= 2 * TOLERANCE
