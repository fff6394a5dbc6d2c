"""Reads the zip that AI Hub publishes of a model: `metadata.json` and the ONNX files it names.

Members are read by their names and never unpacked, and what they say is compared: a zip from
anywhere can be tried.
"""

import hashlib
import json
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
from annotate.domain.model_spec import Quantization
from annotate.domain.pack import PACK_FILE, Pack
from annotate.packs.qualcomm import HINT, Stage, Tensor, pack_of

METADATA = "metadata.json"
MODEL_MOST_BYTES = 200_000_000
STAGES = ("pose_detector", "pose_landmark_detector")


def import_asset(path: Path, folder: Path) -> Pack:
    """Writes the pack that the zip `path` holds into the empty `folder`.

    Raises:
        PackError: it is no such zip, or a damaged or hostile one.
        OSError: the folder cannot be written.
    """
    with _opened(path) as archive:
        pack = _import(_Members(path, archive, METADATA), folder)
    (folder / PACK_FILE).write_text(pack.to_json(), encoding="utf-8", newline="\n")
    return pack


def read_onnx(path: Path) -> bytes:
    """The only ONNX model of a zip, with the weights inside that it keeps in files beside it.

    Raises:
        PackError: there is none, or it is damaged.
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
        raise PackError(f"{path} is no zip: {error}", HINT) from error


def _import(members: "_Members", folder: Path) -> Pack:
    try:
        metadata = json.loads(members.read(METADATA))
        described = metadata["model_files"]
        detector, landmark = (_stage(members, described, name, folder) for name in STAGES)
        precision, runtime = str(metadata["precision"]), str(metadata["runtime"])
        version = str(metadata["tool_versions"].get("ai_hub_models", "of an unknown version"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackError(
            f"{members.path}: {METADATA} is not AI Hub's: {type(error).__name__} {error}", HINT
        ) from error
    source = f"AI Hub Models {version}, {runtime}, {precision}"
    return pack_of(detector, landmark, precision, source)


def _stage(members: "_Members", described: Any, name: str, folder: Path) -> Stage:
    """One model of the asset, its file written into `folder`."""
    file = next((file for file in described if file.split(".")[0] == name), None)
    if file is None:
        raise PackError(f"{members.path} holds no {name}", HINT)
    if file != f"{name}.onnx":
        raise PackError(
            f"{members.path} holds {file}, which is not ONNX",
            "Download the model for the runtime ONNX; `annotate models compile` makes the rest.",
        )
    inputs = {key: _tensor(key, fields) for key, fields in described[file]["inputs"].items()}
    outputs = {key: _tensor(key, fields) for key, fields in described[file]["outputs"].items()}
    model = _model(members, file)
    _compare(file, model.graph.input, inputs)
    _compare(file, model.graph.output, outputs)
    content = model.SerializeToString(deterministic=True)
    (folder / file).write_bytes(content)
    return Stage(file, hashlib.sha256(content).hexdigest(), inputs, outputs)


def _tensor(name: str, fields: Mapping[str, Any]) -> Tensor:
    dtype, picture = str(fields["dtype"]), fields.get("image_metadata") or {}
    steps = fields.get("quantization_parameters")
    low, high = picture.get("value_range", (0.0, 1.0))
    return Tensor(
        name,
        tuple(int(length) for length in fields["shape"]),
        dtype,
        Quantization(dtype, float(steps["scale"]), int(steps["zero_point"])) if steps else None,
        "BGR" if picture.get("color_format") == "bgr" else "RGB",
        (float(low), float(high)),
    )


def _model(members: "_Members", file: str) -> onnx.ModelProto:
    """The model, sound, with the weights inside that it may keep in files beside it."""
    content = members.read(file)
    try:
        model = onnx.load_model_from_string(content)
        for tensor in model.graph.initializer:
            if uses_external_data(tensor):
                _fill(members, file, tensor)
        onnx.checker.check_model(model)
    except (DecodeError, onnx.checker.ValidationError, ValueError) as error:
        raise PackError(f"{members.path}: {file} is no ONNX model: {error}", HINT) from error
    if any(node.op_type == "EPContext" for node in model.graph.node):
        raise PackError(
            f"{members.path}: {file} is compiled for one chipset",
            "Download the model for the runtime ONNX; `annotate models compile` makes the rest.",
        )
    return model


def _fill(members: "_Members", file: str, tensor: onnx.TensorProto) -> None:
    """Puts the values of a tensor, which are in another file, into the model."""
    where = {entry.key: entry.value for entry in tensor.external_data}
    content = members.read(posixpath.join(posixpath.dirname(file), where["location"]))
    start = int(where.get("offset", 0))
    stop = start + int(where.get("length", len(content) - start))
    if not 0 <= start <= stop <= len(content):
        raise ValueError(f"{tensor.name!r} is at {start}-{stop} of {len(content)} bytes")
    tensor.raw_data = content[start:stop]
    tensor.ClearField("external_data")
    tensor.data_location = onnx.TensorProto.DEFAULT


def _compare(file: str, values: Any, described: Mapping[str, Tensor]) -> None:
    """The inputs or outputs of a model are those that the metadata names."""
    found = {}
    for value in values:
        kind = value.type.tensor_type
        shape = tuple(axis.dim_value for axis in kind.shape.dim)
        found[value.name] = (shape, onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type).name)
    said = {name: (tensor.shape, tensor.dtype) for name, tensor in described.items()}
    if found != said:
        raise PackError(f"{file} has {found}, and {METADATA} says {said}", HINT)


class _Members:
    """The files of a zip in the folder of its only file of some ending.

    Attributes:
        path: of the zip.
        found: name of that file in its folder.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile, ending: str) -> None:
        self.path = path
        self._archive = archive
        names = [name for name in archive.namelist() if name.endswith(ending)]
        if len(names) != 1:
            raise PackError(f"{path} holds {len(names)} files {ending} instead of one", HINT)
        self._folder, self.found = posixpath.split(names[0])
        for name in archive.namelist():
            if name.startswith("/") or "\\" in name or ".." in name.split("/"):
                raise PackError(f"{path} holds {name!r}, which leads outside of it", HINT)

    def read(self, name: str) -> bytes:
        """The content of a member.

        Raises:
            PackError: it is missing, too large or damaged.
        """
        member = posixpath.join(self._folder, name)
        try:
            size = self._archive.getinfo(member).file_size
            if size > MODEL_MOST_BYTES:
                raise PackError(f"{self.path}: {member} has {size} bytes, far too many", HINT)
            return self._archive.read(member)
        except KeyError as error:
            raise PackError(f"{self.path} holds no {member}", HINT) from error
        # What zipfile raises for damage; the last two also for encryption, and for methods of
        # compression that it does not know.
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            RuntimeError,
            NotImplementedError,
        ) as error:
            raise PackError(f"{self.path}: {member} is damaged: {error}", HINT) from error
