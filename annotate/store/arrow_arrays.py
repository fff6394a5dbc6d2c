"""NumPy arrays as Arrow arrays and back, without a copy of numbers.

pyarrow's own conversions import pandas where it is installed, which takes more time than the models
need for a short video.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def to_arrow(values: NDArray[Any]) -> Any:
    """An Arrow array of the same type: `values` are (n,), of numbers or bools."""
    if values.dtype == np.bool_:
        packed = np.packbits(values, bitorder="little")
        return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(packed)])
    kind = pa.from_numpy_dtype(values.dtype)
    buffer = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values), [None, buffer])


def to_numpy(array: Any) -> NDArray[Any]:
    """Inverse of `to_arrow`, for a chunked array too. What it gives cannot be written to.

    Raises:
        ValueError: values are missing.
    """
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if array.null_count:
        raise ValueError(f"{array.null_count} values are missing")
    if pa.types.is_boolean(array.type):
        bools: NDArray[np.bool_] = to_numpy(array.cast(pa.uint8())).view(np.bool_)
        return bools
    kind = np.dtype(array.type.to_pandas_dtype())
    buffer = array.buffers()[1]
    if not len(array):  # there may be no buffer
        return np.zeros(0, kind)
    return np.frombuffer(buffer, kind, len(array), array.offset * kind.itemsize)
