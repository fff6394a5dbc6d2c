"""Body keypoints of every person in every frame of a folder or a bucket of videos.

The names in `__all__` are the Python API, see `annotate.api`. They are imported when they are first
used, so that `import annotate` and the command line start fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from annotate.api import (
        ExportOptions,
        SubmitOptions,
        export,
        final_tracks,
        missing_frames,
        open_store,
        submit,
    )

__version__ = "0.2.0"
__all__ = [
    "ExportOptions",
    "SubmitOptions",
    "__version__",
    "export",
    "final_tracks",
    "missing_frames",
    "open_store",
    "submit",
]


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(import_module("annotate.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
