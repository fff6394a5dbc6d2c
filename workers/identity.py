"""The id of the store that the worker's processes work for."""

import os

from annotate.domain.settings import STORE_VARIABLE, settings_from
from annotate.store import open_store


def store_id() -> str:
    """The id that `annotate worker` has looked up when it started; the store may be away now."""
    return os.environ.get(STORE_VARIABLE) or open_store(settings_from().store).id()
