"""Reads the zips that OpenMMLab publishes for its SDK, and that rtmlib downloads: RTMPose, and the
person detectors RTMDet and YOLOX.

MMDeploy writes them: `end2end.onnx`, and `pipeline.json` with what is done before and after it.
Sizes are those of the ONNX graph, since some zips describe another one; colours and normalization
are those of `pipeline.json`: rtmlib feeds BGR to models that were trained on RGB.
"""

import hashlib
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from annotate.domain.detector_kinds import FinalBoxes
from annotate.domain.errors import PackError
from annotate.domain.landmark_kinds import SimCC
from annotate.domain.model_spec import Channels
from annotate.packs.built import Built, Published
from annotate.packs.top_down import SKELETON_OF, keypoint_spec, person_box_spec, why_not_simcc
from annotate.packs.zip_members import ZipMembers

MODEL, PIPELINE = "end2end.onnx", "pipeline.json"
HINT = (
    "Use a zip of RTMPose for people, or of RTMDet or YOLOX for --detector, from the lists in "
    "rtmlib's README, under its own name."
)
_FAMILY = re.compile(r"rtmpose-[a-z]+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
# What the name of a model may contain that is not used, and why.
_REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "rtmw": "its zip does not tell the scale of its scores. Whole-body RTMPose has 133 "
        "keypoints too, such as rtmpose-m_simcc-ucoco_dw-ucoco_270e-256x192",
        "ap10k": "its 17 keypoints are those of animals",
    }
)


@dataclass(frozen=True)
class _Model:
    """A model, and what its zip says of it.

    Attributes:
        path: of the zip.
        name: under which the model was published.
        content: of the ONNX file.
        input: name of its picture.
        size: width and height of the picture.
        outputs: shapes by name; 0 stands for a length that varies.
        mean, std: of red, green and blue.
        channels: order of the colours.
    """

    path: str
    name: str
    content: bytes
    input: str
    size: tuple[int, int]
    outputs: Mapping[str, tuple[int, ...]]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    channels: Channels

    @property
    def common(self) -> dict[str, Any]:
        """The fields of `ModelSpec` besides the decoder."""
        return {
            "file": f"{self.name}.onnx",
            "sha256": hashlib.sha256(self.content).hexdigest(),
            "input": self.input,
            "layout": "NCHW",
            "size": self.size,
            "value_range": (0.0, 255.0),
            "mean": self.mean,
            "std": self.std,
            "channels": self.channels,
        }

    def refused(self, why: str) -> PackError:
        """The error of a model that is not taken."""
        return PackError(f"{self.path}: the model {why}", HINT)


def openmmlab(members: ZipMembers) -> Published:
    """The model in a zip of OpenMMLab.

    Raises:
        PackError: it is damaged, or too little is known of such a model.
    """
    model = _read(members)
    source = f"OpenMMLab, {model.name}"
    match sorted(model.outputs):
        case ["dets", "labels"]:
            if model.outputs["dets"][2:] != (5,) or len(model.outputs["labels"]) != 2:
                raise model.refused(f"has outputs of shapes {dict(model.outputs)}")
            boxes = person_box_spec(model.common, FinalBoxes("dets", labels="labels"))
            return Published(model.name, source, detector=Built(boxes, model.content))
        case ["simcc_x", "simcc_y"]:
            count = _keypoints(model)
            skeleton = SKELETON_OF[count]
            spec = keypoint_spec(model.common, SimCC("simcc_x", "simcc_y"), count)
            landmark = Built(spec, model.content)
            return Published(_pack_name(model), source, landmark=landmark, skeleton=skeleton)
    raise model.refused(f"has the outputs {', '.join(model.outputs)}")


def _read(members: ZipMembers) -> _Model:
    name, where = _published_name(members), members.only(MODEL)
    model = members.model(where)
    try:
        tasks = members.json(members.only(PIPELINE))["pipeline"]["tasks"]
        steps = {one["type"]: one for task in tasks for one in task.get("transforms", ())}
        normalize, resize = steps["Normalize"], steps.get("Resize", {})
        channels: Channels = "RGB" if normalize["to_rgb"] else "BGR"
        mean, std = (_by_colour(normalize[key], channels) for key in ("mean", "std"))
        (picture,) = model.graph.input
        size = _fix_size(picture.type.tensor_type.shape.dim, resize.get("size"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackError(
            f"{members.path}: {PIPELINE} and {MODEL} do not have MMDeploy's format: "
            f"{type(error).__name__} {error}",
            HINT,
        ) from error
    shapes = {
        output.name: tuple(axis.dim_value for axis in output.type.tensor_type.shape.dim)
        for output in model.graph.output
    }
    content = bytes(model.SerializeToString(deterministic=True))
    return _Model(str(members.path), name, content, picture.name, size, shapes, mean, std, channels)


def _published_name(members: ZipMembers) -> str:
    """The name of the zip, or of the folder in it, whichever is that of a landmark model; else the
    zip's.
    """
    stem = members.path.stem
    names = [stem, posixpath.basename(posixpath.dirname(members.only(MODEL)))]
    for part, why in _REFUSED.items():
        if any(part in name for name in names):
            raise PackError(f"{members.path}: the model is not used, as {why}", HINT)
    found = next(filter(_FAMILY.match, names), stem)
    return found if _NAME.fullmatch(found) else "model"


def _by_colour(values: Any, channels: Channels) -> tuple[float, ...]:
    """Numbers in the order of a model's channels, as those of red, green and blue."""
    first, second, third = (float(value) for value in values)
    return (first, second, third) if channels == "RGB" else (third, second, first)


def _fix_size(axes: Any, size: Any) -> tuple[int, int]:
    """Makes the picture (n, 3, h, w) a batch of one with a fixed size; returns width and height.

    Args:
        size: width and height of a picture whose size varies, or None.

    Raises:
        ValueError: the input is no picture, or its size is unknown.
    """
    batch, channels, height, width = axes
    if batch.dim_value not in (0, 1) or channels.dim_value != 3:
        raise ValueError("the input is not one picture")
    batch.dim_value = 1
    if not (height.dim_value and width.dim_value):
        if size is None:
            raise ValueError("the size of the input is not known")
        width.dim_value, height.dim_value = (int(edge) for edge in size)
    return width.dim_value, height.dim_value


def _keypoints(model: _Model) -> int:
    """The number of keypoints of a landmark model."""
    x, y = (model.outputs[name] for name in ("simcc_x", "simcc_y"))
    if why := why_not_simcc(x, y, model.size):
        raise model.refused(f"is no RTMPose: {why}")
    if x[1] not in SKELETON_OF:
        raise model.refused(
            f"has {x[1]} keypoints; those of people are {', '.join(SKELETON_OF.values())}"
        )
    return x[1]


def _pack_name(model: _Model) -> str:
    """The name of the pack: the model's family, the size of its picture, and the skeleton unless
    that is COCO's.
    """
    family = _FAMILY.match(model.name)
    if family is None:
        raise model.refused(f"is called {model.name!r}, not as it was published")
    width, height = model.size
    skeleton = SKELETON_OF[model.outputs["simcc_x"][1]]
    name = f"{family[0]}-{height}x{width}"
    return name if skeleton == "coco-17" else f"{name}-{skeleton}"
