"""NumPy arrays as Arrow arrays and back, without a copy of numbers.

pyarrow's own conversions import pandas where it is installed, and compute functions, which takes
more time than the models need for a short video.
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
    kind = np.dtype(array.type.to_pandas_dtype())
    if not len(array):  # there may be no buffer
        return np.zeros(0, kind)
    buffer = array.buffers()[1]
    if kind == np.bool_:
        bits = np.unpackbits(np.frombuffer(buffer, np.uint8), bitorder="little")
        return bits[array.offset : array.offset + len(array)].view(np.bool_)
    return np.frombuffer(buffer, kind, len(array), array.offset * kind.itemsize)


def offsets_of(lists: Any) -> NDArray[np.int64]:
    """(n + 1,) where each list begins among the values of all, and where the last one ends."""
    offsets: NDArray[np.int64] = to_numpy(lists.offsets).astype(np.int64)
    return offsets - offsets[:1]


def values_of(lists: Any) -> Any:
    """The values of all lists, end to end, as an Arrow array.

    Raises:
        ValueError: lists are missing.
    """
    if lists.null_count:
        raise ValueError(f"{lists.null_count} lists are missing")
    if pa.types.is_fixed_size_list(lists.type):
        size = lists.type.list_size
        return lists.values.slice(lists.offset * size, len(lists) * size)
    first, last = to_numpy(lists.offsets)[[0, -1]].tolist()
    return lists.values.slice(first, last - first)
