"""Where a pack's person detector comes from: a file of the user, YOLOX's release, or NanoDet.

YOLOX-nano finds more people than NanoDet at a third of the cost, but its weights are published on
a site that not every host can reach; NanoDet's are in the package that MoveNet's come from.
"""

import hashlib
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from annotate.domain.errors import PackError
from annotate.domain.model_spec import DetectorSpec
from annotate.packs.built import Built
from annotate.packs.nanodet import convert_nanodet
from annotate.packs.person_detectors import nanodet_spec, yolox_nano_spec
from annotate.packs.weights import WeightFile

YOLOX_NANO = WeightFile(
    "yolox_nano.onnx",
    3_678_356,
    "e8af074932d4ed7e232278e3055cefcdea3edf178874a3694ae292649fb464dd",
)
YOLOX_URL = (
    f"https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/{YOLOX_NANO.name}"
)
NANODET = (
    WeightFile(
        "nanodet.json",
        121_604,
        "4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d",
    ),
    WeightFile(
        "nanodet.bin",
        7_574_558,
        "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9",
    ),
)
# Values of a row of YOLOX: a box, its objectness, and COCO's 80 classes.
_YOLOX_VALUES = 85
# The number of seconds to wait for an answer of the site that has YOLOX's weights.
_TIMEOUT_S = 20.0


def yolox_from_file(path: Path, roi_scale: float) -> Built[DetectorSpec]:
    """A YOLOX model of any size, as its authors export it to ONNX.

    Args:
        roi_scale: the crop of the landmark model, in sides of the person's box.

    Raises:
        PackError: the file cannot be read or is no such model.
    """
    try:
        model = path.read_bytes()
    except OSError as error:
        raise PackError(
            f"{path} cannot be read: {error.strerror}", "Name a file that exists and is readable."
        ) from error
    width, height = _yolox_size(path, model)
    built = yolox(model, roi_scale)
    return replace(built, spec=replace(built.spec, file=path.name, size=(width, height)))


def yolox(model: bytes, roi_scale: float) -> Built[DetectorSpec]:
    """YOLOX-nano, of its ONNX file."""
    return Built(yolox_nano_spec(YOLOX_NANO.name, _sha256(model), roi_scale), model)


def nanodet(contents: Mapping[str, bytes], roi_scale: float) -> Built[DetectorSpec]:
    """NanoDet, of its two files by name.

    Raises:
        PackError: the files are not NanoDet's.
    """
    model = convert_nanodet(*(contents[file.name] for file in NANODET))
    return Built(nanodet_spec("nanodet.onnx", _sha256(model), roi_scale), model)


def download_yolox(progress: Callable[[float], None]) -> bytes | None:
    """YOLOX-nano's ONNX file, or None where the site with it cannot be reached.

    Args:
        progress: called with the downloaded fraction.

    Raises:
        PackError: what was downloaded is not that file.
    """
    try:
        with urllib.request.urlopen(YOLOX_URL, timeout=_TIMEOUT_S) as answer:
            model: bytes = answer.read(YOLOX_NANO.size_bytes + 1)
    except (urllib.error.URLError, OSError, ValueError):
        return None
    progress(1.0)
    if _sha256(model) != YOLOX_NANO.sha256:
        raise PackError(
            f"{YOLOX_URL} does not match its digest: its SHA-256 is {_sha256(model)}",
            f"Download {YOLOX_NANO.name} elsewhere and name it: `--detector {YOLOX_NANO.name}`.",
        )
    return model


def _yolox_size(path: Path, model: bytes) -> tuple[int, int]:
    """Width and height of the input of a YOLOX model."""
    try:
        graph = onnx.load_model_from_string(model).graph
        (picture,), (output,) = graph.input, graph.output
        shapes = [
            tuple(axis.dim_value for axis in value.type.tensor_type.shape.dim)
            for value in (picture, output)
        ]
    except (DecodeError, ValueError) as error:
        raise _not_yolox(path) from error
    match picture.name, output.name, shapes:
        case "images", "output", [(1, 3, height, width), (1, rows, values)] if (
            values == _YOLOX_VALUES
            and rows == sum((width // s) * (height // s) for s in (8, 16, 32))
        ):
            return width, height
    raise _not_yolox(path)


def _not_yolox(path: Path) -> PackError:
    return PackError(
        f"{path} is not a YOLOX model as its authors export it to ONNX",
        f"Download {YOLOX_NANO.name} from {YOLOX_URL}, or name the zip that it came in.",
    )


def _sha256(model: bytes) -> str:
    return hashlib.sha256(model).hexdigest()
