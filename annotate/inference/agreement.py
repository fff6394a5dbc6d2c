"""Agreement of the outputs of two execution providers."""

import numpy as np

from annotate.domain.arrays import FloatArray
from annotate.domain.model_spec import ModelSpec

_BLOCKS = 16


def made_picture(spec: ModelSpec) -> FloatArray:
    """A picture (height, width, 3) float32 of coloured blocks as the model takes it, always the
    same.
    """
    blocks = np.random.default_rng(0).uniform(*spec.value_range, (_BLOCKS, _BLOCKS, 3))
    blocks = (blocks - spec.mean) / spec.std
    columns, rows = (np.arange(edge) * _BLOCKS // edge for edge in spec.size)
    return blocks[rows][:, columns].astype(np.float32)


def agreement_db(reference: FloatArray, measured: FloatArray) -> float:
    """Peak signal to noise ratio, 20 log10(peak / rms difference), in dB.

    The peak is the greatest magnitude in `reference`, but at least 1, the peak of a probability:
    else a tiny difference of two probabilities near 0 would count as large. Outputs of different
    shapes, such as final boxes of which one provider finds more, do not agree at all.
    """
    if reference.shape != measured.shape:
        return float("-inf")
    if not reference.size:
        return float("inf")
    peak = max(1.0, float(np.abs(reference).max()))
    rms = float(np.sqrt(np.mean(np.square(measured - reference, dtype=np.float64))))
    return float("inf") if rms == 0 else float(20 * np.log10(peak / rms))
