"""The export formats by name. A new format is one file, and one line here."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from annotate.domain.choices import one_of

if TYPE_CHECKING:
    from annotate.formats.base import Format

# Module and object of each format. A format is imported when it is used: the command line lists
# all names without waiting for the libraries behind them.
_FORMATS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "coco": ("annotate.formats.coco", "COCO"),
        "coco-results": ("annotate.formats.coco_results", "COCO_RESULTS"),
        "csv": ("annotate.formats.csv", "CSV"),
        "parquet": ("annotate.formats.parquet", "PARQUET"),
        "cvat": ("annotate.formats.cvat", "CVAT"),
        "yolo-pose": ("annotate.formats.yolo_pose", "YOLO_POSE"),
        "mot": ("annotate.formats.mot", "MOT"),
        "posetrack21": ("annotate.formats.posetrack21", "POSETRACK21"),
        "openpose": ("annotate.formats.openpose", "OPENPOSE"),
        "deeplabcut": ("annotate.formats.deeplabcut", "DEEPLABCUT"),
        "trc": ("annotate.formats.trc", "TRC"),
        "c3d": ("annotate.formats.c3d", "C3D"),
        "slp": ("annotate.formats.slp", "SLP"),
        "nwb": ("annotate.formats.nwb", "NWB"),
    }
)


def format_names() -> list[str]:
    """Names of all formats.

    >>> format_names()[:3]
    ['coco', 'coco-results', 'csv']
    """
    return list(_FORMATS)


def find_format(name: str) -> "Format":
    """The format of that name.

    Raises:
        UsageError: there is no such format.

    >>> find_format("coco").suffix
    '.json'
    """
    module, attribute = _FORMATS[one_of(format_names(), name, "--format")]
    found: Format = getattr(import_module(module), attribute)
    return found


def all_signatures() -> tuple[bytes, ...]:
    """How files of all formats begin.

    >>> b'"video","frame","pts",' in all_signatures()
    True
    """
    return tuple(one for name in _FORMATS for one in find_format(name).signatures)
