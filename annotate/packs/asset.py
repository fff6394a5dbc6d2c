"""Reads the zip that AI Hub publishes for a model: `metadata.json` and the ONNX files it names.

The models are compared with what the metadata says about them.
"""

import hashlib
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import onnx

from annotate.domain.errors import PackError
from annotate.domain.model_spec import Quantization
from annotate.packs.asset_stage import StageMetadata, TensorMetadata
from annotate.packs.zip_members import DOWNLOAD_ONNX, HINT, ZipMembers

METADATA = "metadata.json"
# Without a name in its metadata, an asset is of the model that was the first to be published.
FIRST_MODEL = "mediapipe_pose"
_PRECISION = re.compile(r"[a-z0-9_]{1,24}")


@dataclass(frozen=True)
class Asset:
    """What a zip of AI Hub holds.

    Attributes:
        model_id: AI Hub's name of the model.
        precision: AI Hub's name of it: `float`, `w8a8`.
        source: a readable description of where it comes from.
        stages: its models, by the names of their files without ending.
        models: the contents of their ONNX files, likewise.
        hint: what to do where it is not the expected asset.
    """

    model_id: str
    precision: str
    source: str
    stages: Mapping[str, StageMetadata]
    models: Mapping[str, bytes]
    hint: str

    def stage(self, name: str) -> StageMetadata:
        """The model of that name.

        Raises:
            PackError: there is none.
        """
        if name not in self.stages:
            raise PackError(f"the asset of {self.model_id} contains no {name}", self.hint)
        return self.stages[name]

    def named(self, name: str) -> str:
        """The name of its pack: `name`, and the precision unless it is float."""
        return name if self.precision == "float" else f"{name}-{self.precision}"


def read_asset(members: ZipMembers, titles: Mapping[str, str]) -> Asset:
    """The asset in a zip.

    Args:
        titles: of the pages of the models that are known, by AI Hub's names of them.

    Raises:
        PackError: it is of another model, damaged, or does not match its metadata.
    """
    name = members.only(METADATA)
    try:
        metadata = members.json(name)
        model_id = str(metadata.get("model_id", FIRST_MODEL))
        if model_id not in titles:
            raise PackError(
                f"{members.path} has AI Hub's model {model_id!r}, of which too little is known",
                HINT,
            )
        hint = f"Use the zip for ONNX from AI Hub's page of {titles[model_id]}."
        described = metadata["model_files"].items()
        folder = posixpath.dirname(name)
        read = [_stage(members, folder, file, fields, hint) for file, fields in described]
        precision, runtime = str(metadata["precision"]), str(metadata["runtime"])
        version = str(metadata["tool_versions"].get("ai_hub_models", "of an unknown version"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackError(
            f"{members.path}: {METADATA} does not have AI Hub's format: "
            f"{type(error).__name__} {error}",
            HINT,
        ) from error
    if not _PRECISION.fullmatch(precision):
        raise PackError(f"{precision!r} is not a valid precision of an asset", hint)
    return Asset(
        model_id,
        precision,
        f"AI Hub Models {version}, {runtime}, {precision}",
        {stage.file.removesuffix(".onnx"): stage for stage, _ in read},
        {stage.file.removesuffix(".onnx"): model for stage, model in read},
        hint,
    )


def _stage(
    members: ZipMembers, folder: str, file: str, fields: Any, hint: str
) -> tuple[StageMetadata, bytes]:
    """One model: its description, and the content of its ONNX file."""
    if not file.endswith(".onnx"):
        raise PackError(f"{members.path} contains {file}, which is not ONNX", DOWNLOAD_ONNX)
    inputs = {key: _tensor(key, tensor) for key, tensor in fields["inputs"].items()}
    outputs = {key: _tensor(key, tensor) for key, tensor in fields["outputs"].items()}
    model = members.model(posixpath.join(folder, file))
    _compare(file, model.graph.input, inputs, hint)
    _compare(file, model.graph.output, outputs, hint)
    content = model.SerializeToString(deterministic=True)
    digest = hashlib.sha256(content).hexdigest()
    return StageMetadata(posixpath.basename(file), digest, inputs, outputs, hint), content


def _tensor(name: str, fields: Mapping[str, Any]) -> TensorMetadata:
    dtype, picture = str(fields["dtype"]), fields.get("image_metadata") or {}
    steps = fields.get("quantization_parameters")
    low, high = fields.get("value_range") or picture.get("value_range") or (0.0, 1.0)
    return TensorMetadata(
        name,
        tuple(int(length) for length in fields["shape"]),
        dtype,
        Quantization(dtype, float(steps["scale"]), int(steps["zero_point"])) if steps else None,
        "BGR" if picture.get("color_format") == "bgr" else "RGB",
        (float(low), float(high)),
    )


def _compare(file: str, values: Any, described: Mapping[str, TensorMetadata], hint: str) -> None:
    """Checks that a model has the inputs or outputs that the metadata describes."""
    found = {}
    for value in values:
        kind = value.type.tensor_type
        shape = tuple(axis.dim_value for axis in kind.shape.dim)
        found[value.name] = (shape, onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type).name)
    expected = {name: (tensor.shape, tensor.dtype) for name, tensor in described.items()}
    if found != expected:
        raise PackError(f"{file} has {found}, but {METADATA} says {expected}", hint)
