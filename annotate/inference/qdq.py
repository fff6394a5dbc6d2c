"""Reals to the integers of a quantized input or output, and back."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.model_spec import Quantization


def to_integers(values: FloatArray, quantization: Quantization) -> NDArray[Any]:
    """The nearest integers, clipped to the range of `quantization.dtype`."""
    dtype = np.dtype(quantization.dtype)
    limits = np.iinfo(dtype)
    steps = np.rint(values / np.float32(quantization.scale)) + quantization.zero_point
    integers: NDArray[Any] = steps.clip(limits.min, limits.max).astype(dtype)
    return integers


def to_reals(integers: NDArray[Any], quantization: Quantization) -> FloatArray:
    """What the integers stand for, as float32."""
    steps = integers.astype(np.float32) - np.float32(quantization.zero_point)
    reals: FloatArray = steps * np.float32(quantization.scale)
    return reals
