"""Quantizes and dequantizes the inputs and outputs of QDQ models."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.model_spec import Quantization


def quantize_values(values: FloatArray, quantization: Quantization) -> NDArray[Any]:
    """The nearest integers, clipped to the range of `quantization.dtype`."""
    dtype = np.dtype(quantization.dtype)
    limits = np.iinfo(dtype)
    steps = np.rint(values / np.float32(quantization.scale)) + quantization.zero_point
    integers: NDArray[Any] = steps.clip(limits.min, limits.max).astype(dtype)
    return integers


def dequantize_values(integers: NDArray[Any], quantization: Quantization) -> FloatArray:
    """The float32 values that the integers represent."""
    steps = integers.astype(np.float32) - np.float32(quantization.zero_point)
    values: FloatArray = steps * np.float32(quantization.scale)
    return values
