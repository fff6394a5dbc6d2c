"""Jobs and results: the only place that knows where they stand and in which form."""

from annotate.store.files import Files
from annotate.store.store import Store

__all__ = ["Files", "Store"]
