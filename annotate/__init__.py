"""Body keypoints of every person in every frame of a folder or a bucket of videos.

The names in `__all__` are the Python API; docs/python.md shows how to use them. They are imported
when they are first used, so that `import annotate` and the command line start fast.
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
    from annotate.api.estimator import PoseEstimator
    from annotate.api.people import PeopleInFrame, draw

__version__ = "0.2.0"
__all__ = [
    "ExportOptions",
    "PeopleInFrame",
    "PoseEstimator",
    "SubmitOptions",
    "__version__",
    "draw",
    "export",
    "final_tracks",
    "missing_frames",
    "open_store",
    "submit",
]
# Where names are that are not in `annotate.api`: they load models or draw.
_ELSEWHERE = {
    "PeopleInFrame": "annotate.api.people",
    "PoseEstimator": "annotate.api.estimator",
    "draw": "annotate.api.people",
}


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(import_module(_ELSEWHERE.get(name, "annotate.api")), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
