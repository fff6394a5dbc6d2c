"""Seals of Parquet files: digests of facts and columns, so that no flipped bit goes unseen.

The checksums of pages leave out the footer, which holds the facts, the schema and the places of the
pages. A file without seals, which an earlier version wrote, is accepted.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotate.domain.json_text import parsed

FACTS_SEAL, ROWS_SEAL = b"annotate.facts", b"annotate.rows"
# The digest of each column, so that some of them can be read and checked without the others.
COLUMNS_SEAL = b"annotate.columns"

_MISMATCH = "its content does not match its digest"


class RowsSeal:
    """The digest of columns that come block by block, wherever a block ends."""

    def __init__(self) -> None:
        self._columns: dict[str, Any] = {}

    def add(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """The next rows; the same columns each time."""
        for name, values in columns.items():
            if not values.size:
                continue  # a block without rows may be left out of the file
            digest = self._columns.setdefault(name, hashlib.sha256())
            # Without a copy of the values.
            digest.update(np.ascontiguousarray(values).reshape(-1).view(np.uint8))

    @property
    def value(self) -> bytes:
        """Hex digits over all rows so far."""
        return _rows_seal(self._ends)

    @property
    def columns(self) -> bytes:
        """JSON of the hex digits over each column so far."""
        return json.dumps(self._ends).encode()

    @property
    def _ends(self) -> dict[str, str]:
        ends = {name: digest.hexdigest() for name, digest in self._columns.items()}
        return dict(sorted(ends.items()))

    def check_columns(self, metadata: Mapping[bytes, bytes]) -> None:
        """Compares what a file with `COLUMNS_SEAL` says of itself with what was read: some columns.

        Raises:
            ValueError: they differ.
        """
        ends = parsed(metadata[COLUMNS_SEAL])
        check_seal(metadata, ROWS_SEAL, _rows_seal(ends))
        if self._ends != {name: end for name, end in ends.items() if name in self._columns}:
            raise ValueError(_MISMATCH)


def facts_seal(facts: bytes) -> bytes:
    """Hex digits over the facts as they are written."""
    return _digest(facts)


def columns_of(table: Any) -> dict[str, NDArray[Any]]:
    """The columns of a dataclass of arrays."""
    return {field.name: getattr(table, field.name) for field in fields(table)}


def check_seal(metadata: Mapping[bytes, bytes], name: bytes, value: bytes) -> None:
    """Compares what a file says of itself with what was read.

    Args:
        metadata: of the file.
        name: of the seal.
        value: of what was read.

    Raises:
        ValueError: they differ.
    """
    if metadata.get(name, value) != value:
        raise ValueError(_MISMATCH)


def _rows_seal(ends: Mapping[str, str]) -> bytes:
    return _digest(repr([*ends.items()]).encode())


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest()[:32].encode()
