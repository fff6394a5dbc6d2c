"""HDR pictures as a standard screen shows them. Arrays in, arrays out.

Models were trained with standard pictures; HDR ones look grey and flat to them. Each channel is
made linear light (ITU-R BT.2100: PQ, or HLG with its system gamma, for a screen of 1000 cd/m2), its
highlights are compressed to the white of standard video (ITU-R BT.2390, the EETF: below about half
of that white nothing changes), primaries become those of BT.709 (ITU-R BT.2087), and the light is
coded for a standard screen (ITU-R BT.1886, gamma 2.4).
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from annotate.domain.video import Hdr

# The luminance in cd/m2 of standard video's white in an HDR picture (ITU-R BT.2408), and the one
# that the brightest highlights are taken to have.
WHITE_NITS, PEAK_NITS = 203.0, 1000.0
# Constants of PQ (SMPTE ST 2084); its codes end at 10,000 cd/m2.
_M1, _M2, _C1, _C2, _C3, _PQ_NITS = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875, 1e4
# Constants of HLG, and its system gamma on a screen of 1000 cd/m2.
_A, _B, _C, _SYSTEM_GAMMA = 0.17883277, 0.28466892, 0.55991073, 1.2
# The gamma of a standard screen.
_SCREEN_GAMMA = 2.4
# From linear RGB with the primaries of BT.2020 to those of BT.709.
_TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    dtype=np.float32,
)
# The number of rows that are converted at a time, which bounds the memory.
_ROWS = 64


def tone_mapped(
    rgb: NDArray[np.uint16], hdr: Hdr, *, wide_primaries: bool = True
) -> NDArray[np.uint8]:
    """A standard picture of an HDR one.

    Args:
        rgb: (H, W, 3), coded as `hdr` says; 65535 is the highest code.
        hdr: how light is coded.
        wide_primaries: the primaries are those of BT.2020, else those of BT.709.

    Returns:
        (H, W, 3) uint8.
    """
    curve, codes = _light(hdr), _screen_codes()
    standard = np.empty(rgb.shape, np.uint8)
    for top in range(0, len(rgb), _ROWS):
        light = np.take(curve, rgb[top : top + _ROWS])
        if wide_primaries:
            light = np.asarray(cv2.transform(light, _TO_709), np.uint16)
        standard[top : top + _ROWS] = np.take(codes, light)
    return standard


@lru_cache(maxsize=2)
def _light(hdr: Hdr) -> NDArray[np.uint16]:
    """(65536,) uint16: the light of each code, highlights compressed; 65535 is standard white."""
    codes = np.arange(65536) / 65535
    nits = pq_nits(codes) if hdr == "pq" else hlg_nits(codes)
    light = compressed(np.minimum(nits, PEAK_NITS)) / WHITE_NITS
    return np.round(65535 * light).astype(np.uint16)


@lru_cache(maxsize=1)
def _screen_codes() -> NDArray[np.uint8]:
    """(65536,) uint8: what makes a standard screen show each light."""
    light = np.arange(65536) / 65535
    return np.round(255 * light ** (1 / _SCREEN_GAMMA)).astype(np.uint8)


def pq_nits(code: NDArray[np.float64]) -> NDArray[np.float64]:
    """Luminance in cd/m2 of PQ codes in [0, 1]."""
    root = code ** (1 / _M2)
    light: NDArray[np.float64] = np.maximum(root - _C1, 0) / (_C2 - _C3 * root)
    return _PQ_NITS * light ** (1 / _M1)


def pq_code(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse of `pq_nits`."""
    power = (nits / _PQ_NITS) ** _M1
    code: NDArray[np.float64] = ((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2
    return code


def hlg_nits(code: NDArray[np.float64]) -> NDArray[np.float64]:
    """Luminance in cd/m2 of HLG codes in [0, 1], on a screen of `PEAK_NITS`.

    The system gamma is applied to each channel; a reference screen applies it to luminance, which
    differs in saturated colours only.
    """
    scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - _C) / _A) + _B) / 12)
    nits: NDArray[np.float64] = PEAK_NITS * scene**_SYSTEM_GAMMA
    return nits


def compressed(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Luminance from [0, `PEAK_NITS`] in [0, `WHITE_NITS`]: the EETF of BT.2390, black stays."""
    peak = pq_code(np.array(PEAK_NITS))
    highest = pq_code(np.array(WHITE_NITS)) / peak
    knee = 1.5 * highest - 0.5
    code = pq_code(nits) / peak
    t = np.maximum(code - knee, 0) / (1 - knee)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (3 * t**2 - 2 * t**3) * highest
    )
    return pq_nits(np.where(code < knee, code, spline) * peak)
