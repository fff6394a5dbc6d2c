"""Tables held as columns: arrays whose first axis counts the rows."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

# The size of each axis: a number, or a letter, which has the same size in all columns.
Shape: TypeAlias = tuple[int | str, ...]


def check_shapes(table: object, shapes: Mapping[str, Shape]) -> dict[str, int]:
    """The size of each letter.

    Args:
        table: has the columns as attributes.
        shapes: of each column, by its name.

    Raises:
        ValueError: a column has another shape, e.g. "landmarks: expected (P, L, 5), got
            (3, 33, 4)".
    """
    sizes: dict[str, int] = {}
    for name, expected in shapes.items():
        found = getattr(table, name).shape
        known = {axis: sizes[axis] for axis in expected if isinstance(axis, str) and axis in sizes}
        fits = len(found) == len(expected) and all(
            size == (axis if isinstance(axis, int) else sizes.setdefault(axis, size))
            for axis, size in zip(expected, found, strict=True)
        )
        if not fits:
            letters = " and ".join(f"{axis} is {size}" for axis, size in known.items())
            where = f", where {letters}" if letters else ""
            raise ValueError(f"{name}: expected {_text(expected)}, got {found}{where}")
    return sizes


def taken(
    table: object, names: Sequence[str], rows: slice | NDArray[np.integer[Any] | np.bool_]
) -> dict[str, NDArray[Any]]:
    """The rows of the named columns."""
    return {name: getattr(table, name)[rows] for name in names}


def concatenated(tables: Sequence[object], names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The named columns of several tables, one after the other."""
    return {name: np.concatenate([getattr(one, name) for one in tables]) for name in names}


def _text(shape: Shape) -> str:
    """A shape as NumPy writes it: `(P, L, 5)`, `(P,)`."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
