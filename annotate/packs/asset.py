"""Reads the zip that AI Hub publishes for a model: `metadata.json` and the ONNX files it names.

The zip is not trusted. Its members are read by name and never extracted, and the models are
compared with what the metadata says about them.
"""

import hashlib
import posixpath
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError
from onnx.external_data_helper import uses_external_data

from annotate.domain.errors import PackError
from annotate.domain.json_text import parsed
from annotate.domain.model_spec import Quantization
from annotate.domain.pack import PACK_FILE, Pack
from annotate.packs.qualcomm import HINT, StageMetadata, TensorMetadata, pack_of

METADATA = "metadata.json"
# Larger members are refused, in bytes: a small zip can hold a very large one.
MAX_MODEL_BYTES = 200_000_000
STAGES = ("pose_detector", "pose_landmark_detector")
_DOWNLOAD_ONNX = (
    "Download the model for the runtime ONNX, and compile it with `annotate models compile`."
)


def import_asset(path: Path, folder: Path) -> Pack:
    """Writes the pack in the zip `path` into the empty `folder`.

    Raises:
        PackError: the file is not such a zip, or is damaged or unsafe.
        OSError: the folder is not writable.
    """
    with _opened(path) as archive:
        pack = _import(_Members(path, archive, METADATA), folder)
    (folder / PACK_FILE).write_text(pack.to_json(), encoding="utf-8", newline="\n")
    return pack


def read_onnx(path: Path) -> bytes:
    """The only ONNX model of a zip, with external weights moved into it.

    Raises:
        PackError: there is not exactly one, or it is damaged.
    """
    with _opened(path) as archive:
        members = _Members(path, archive, ".onnx")
        return bytes(_model(members, members.found).SerializeToString(deterministic=True))


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except OSError as error:
        raise PackError(
            f"{path} cannot be read: {error.strerror}", "Name a file that exists and is readable."
        ) from error
    except zipfile.BadZipFile as error:
        raise PackError(f"{path} is not a zip file: {error}", HINT) from error


def _import(members: "_Members", folder: Path) -> Pack:
    try:
        metadata = parsed(members.read(METADATA))
        described = metadata["model_files"]
        detector, landmark = (_stage(members, described, name, folder) for name in STAGES)
        precision, runtime = str(metadata["precision"]), str(metadata["runtime"])
        version = str(metadata["tool_versions"].get("ai_hub_models", "of an unknown version"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackError(
            f"{members.path}: {METADATA} does not have AI Hub's format: "
            f"{type(error).__name__} {error}",
            HINT,
        ) from error
    source = f"AI Hub Models {version}, {runtime}, {precision}"
    return pack_of(detector, landmark, precision, source)


def _stage(members: "_Members", described: Any, name: str, folder: Path) -> StageMetadata:
    """Describes one model of the asset and writes its file into `folder`."""
    file = next((file for file in described if file.split(".")[0] == name), None)
    if file is None:
        raise PackError(f"{members.path} contains no {name}", HINT)
    if file != f"{name}.onnx":
        raise PackError(
            f"{members.path} contains {file}, which is not ONNX",
            _DOWNLOAD_ONNX,
        )
    inputs = {key: _tensor(key, fields) for key, fields in described[file]["inputs"].items()}
    outputs = {key: _tensor(key, fields) for key, fields in described[file]["outputs"].items()}
    model = _model(members, file)
    _compare(file, model.graph.input, inputs)
    _compare(file, model.graph.output, outputs)
    content = model.SerializeToString(deterministic=True)
    (folder / file).write_bytes(content)
    return StageMetadata(file, hashlib.sha256(content).hexdigest(), inputs, outputs)


def _tensor(name: str, fields: Mapping[str, Any]) -> TensorMetadata:
    dtype, picture = str(fields["dtype"]), fields.get("image_metadata") or {}
    steps = fields.get("quantization_parameters")
    low, high = picture.get("value_range", (0.0, 1.0))
    return TensorMetadata(
        name,
        tuple(int(length) for length in fields["shape"]),
        dtype,
        Quantization(dtype, float(steps["scale"]), int(steps["zero_point"])) if steps else None,
        "BGR" if picture.get("color_format") == "bgr" else "RGB",
        (float(low), float(high)),
    )


def _model(members: "_Members", file: str) -> onnx.ModelProto:
    """The checked model, with external weights moved into it."""
    content = members.read(file)
    try:
        model = onnx.load_model_from_string(content)
        for tensor in model.graph.initializer:
            if uses_external_data(tensor):
                _fill(members, file, tensor)
        onnx.checker.check_model(model)
    except (DecodeError, onnx.checker.ValidationError, ValueError) as error:
        raise PackError(f"{members.path}: {file} is not an ONNX model: {error}", HINT) from error
    if any(node.op_type == "EPContext" for node in model.graph.node):
        raise PackError(f"{members.path}: {file} is compiled for one chipset", _DOWNLOAD_ONNX)
    return model


def _fill(members: "_Members", file: str, tensor: onnx.TensorProto) -> None:
    """Moves the values of a tensor from another file into the model."""
    where = {entry.key: entry.value for entry in tensor.external_data}
    content = members.read(posixpath.join(posixpath.dirname(file), where["location"]))
    start = int(where.get("offset", 0))
    stop = start + int(where.get("length", len(content) - start))
    if not 0 <= start <= stop <= len(content):
        raise ValueError(f"{tensor.name!r} is at bytes {start}-{stop} of {len(content)}")
    tensor.raw_data = content[start:stop]
    tensor.ClearField("external_data")
    tensor.data_location = onnx.TensorProto.DEFAULT


def _compare(file: str, values: Any, described: Mapping[str, TensorMetadata]) -> None:
    """Checks that a model has the inputs or outputs that the metadata describes."""
    found = {}
    for value in values:
        kind = value.type.tensor_type
        shape = tuple(axis.dim_value for axis in kind.shape.dim)
        found[value.name] = (shape, onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type).name)
    expected = {name: (tensor.shape, tensor.dtype) for name, tensor in described.items()}
    if found != expected:
        raise PackError(f"{file} has {found}, but {METADATA} says {expected}", HINT)


class _Members:
    """The files in one folder of a zip: the folder of its only file with a given ending.

    Attributes:
        path: the zip.
        found: name of that only file, without its folder.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile, ending: str) -> None:
        self.path = path
        self._archive = archive
        names = [name for name in archive.namelist() if name.endswith(ending)]
        if len(names) != 1:
            raise PackError(f"{path} contains {len(names)} files {ending} instead of one", HINT)
        self._folder, self.found = posixpath.split(names[0])
        for name in archive.namelist():
            if name.startswith("/") or "\\" in name or ".." in name.split("/"):
                raise PackError(f"{path} contains {name!r}, a path outside of it", HINT)

    def read(self, name: str) -> bytes:
        """The content of a member.

        Raises:
            PackError: it is missing, too large or damaged.
        """
        member = posixpath.join(self._folder, name)
        try:
            size = self._archive.getinfo(member).file_size
            if size > MAX_MODEL_BYTES:
                raise PackError(f"{self.path}: {member} is too large: {size} bytes", HINT)
            return self._archive.read(member)
        except KeyError as error:
            raise PackError(f"{self.path} contains no {member}", HINT) from error
        # zipfile raises these for damage; the last two also for encrypted members and for unknown
        # methods of compression.
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            RuntimeError,
            NotImplementedError,
        ) as error:
            raise PackError(f"{self.path}: {member} is damaged: {error}", HINT) from error
