"""Digests of JSON-able values: equal values have equal digests, on every host."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def digest_of(fields: Mapping[str, Any]) -> str:
    """64 hex digits: the SHA-256 of the fields as JSON, whatever their order.

    >>> digest_of({"a": 1, "b": (2, 3)}) == digest_of({"b": [2, 3], "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
