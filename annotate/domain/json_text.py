"""Reads JSON that others may have written."""

import json
from typing import Any


def parsed(text: str | bytes) -> Any:
    """What the JSON says.

    Raises:
        ValueError: it is not JSON, or nested too deeply to be read.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
