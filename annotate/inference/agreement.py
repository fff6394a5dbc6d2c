"""How near the answers of one execution provider are to those of another."""

import numpy as np

from annotate.domain.arrays import FloatArray

_BLOCKS = 16


def made_picture(size: int, value_range: tuple[float, float]) -> FloatArray:
    """A picture (size, size, 3) float32 of coloured blocks, always the same."""
    least, most = value_range
    blocks = np.random.default_rng(0).uniform(least, most, (_BLOCKS, _BLOCKS, 3))
    cell = np.arange(size) * _BLOCKS // size
    return blocks[cell][:, cell].astype(np.float32)


def agreement_db(reference: FloatArray, measured: FloatArray) -> float:
    """Peak signal to noise ratio, 20 log10(peak / rms difference), in dB.

    The peak is the greatest magnitude in `reference`, but at least 1, which is that of a
    probability: else one that is nearly 0 in both would count as a great difference.
    """
    peak = max(1.0, float(np.abs(reference).max()))
    rms = float(np.sqrt(np.mean(np.square(measured - reference, dtype=np.float64))))
    return float("inf") if rms == 0 else float(20 * np.log10(peak / rms))
