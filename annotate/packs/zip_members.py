"""Reads models from a published zip. It is not trusted: members are read by name, not extracted."""

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError
from onnx.external_data_helper import uses_external_data

from annotate.domain.errors import PackError
from annotate.domain.json_text import parsed

# Larger members are refused, in bytes: a small zip can hold a very large one. YOLOX-x has 397 MB.
MAX_MODEL_BYTES = 500_000_000
HINT = "`annotate models add --help` says which zips it takes."
DOWNLOAD_ONNX = (
    "Download the model for the runtime ONNX, and compile it with `annotate models compile`."
)


class ZipMembers:
    """The files in a zip.

    Attributes:
        path: of the zip.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._archive = archive
        for name in archive.namelist():
            if name.startswith("/") or "\\" in name or ".." in name.split("/"):
                raise PackError(f"{path} contains {name!r}, a path outside of it", HINT)

    def has(self, ending: str) -> bool:
        """Whether a file ends so."""
        return any(name.endswith(ending) for name in self._archive.namelist())

    def only(self, ending: str) -> str:
        """The only file that ends so.

        Raises:
            PackError: there is none, or there are several.
        """
        names = [name for name in self._archive.namelist() if name.endswith(ending)]
        if len(names) != 1:
            raise PackError(
                f"{self.path} contains {len(names)} files {ending} instead of one", HINT
            )
        return names[0]

    def json(self, name: str) -> Any:
        """What a JSON file says.

        Raises:
            PackError: the file is missing, too large or damaged.
            ValueError: it is no JSON.
        """
        return parsed(self.read(name))

    def model(self, name: str) -> onnx.ModelProto:
        """The checked ONNX model, with external weights moved into it.

        Raises:
            PackError: a file is missing, too large or damaged, or the model is compiled.
        """
        content = self.read(name)
        file = posixpath.basename(name)
        try:
            model = onnx.load_model_from_string(content)
            self._move_weights_into(model, posixpath.dirname(name))
            onnx.checker.check_model(model)
        except (DecodeError, onnx.checker.ValidationError, ValueError) as error:
            raise PackError(f"{self.path}: {file} is not an ONNX model: {error}", HINT) from error
        if any(node.op_type == "EPContext" for node in model.graph.node):
            raise PackError(f"{self.path}: {file} is compiled for one chipset", DOWNLOAD_ONNX)
        return model

    def read(self, name: str) -> bytes:
        """The content of a member.

        Raises:
            PackError: it is missing, too large or damaged.
        """
        try:
            size = self._archive.getinfo(name).file_size
            if size > MAX_MODEL_BYTES:
                raise PackError(f"{self.path}: {name} is too large: {size} bytes", HINT)
            return self._archive.read(name)
        except KeyError as error:
            raise PackError(f"{self.path} contains no {name}", HINT) from error
        # zipfile raises these for damage; the last two also for encrypted members and for unknown
        # methods of compression.
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            RuntimeError,
            NotImplementedError,
        ) as error:
            raise PackError(f"{self.path}: {name} is damaged: {error}", HINT) from error

    def _move_weights_into(self, model: onnx.ModelProto, folder: str) -> None:
        contents: dict[str, bytes] = {}
        for tensor in filter(uses_external_data, model.graph.initializer):
            where = {entry.key: entry.value for entry in tensor.external_data}
            file = posixpath.join(folder, where["location"])
            if file not in contents:
                contents[file] = self.read(file)
            content = contents[file]
            start = int(where.get("offset", 0))
            stop = start + int(where.get("length", len(content) - start))
            if not 0 <= start <= stop <= len(content):
                raise ValueError(f"{tensor.name!r} is at bytes {start}-{stop} of {len(content)}")
            tensor.raw_data = content[start:stop]
            tensor.ClearField("external_data")
            tensor.data_location = onnx.TensorProto.DEFAULT


@contextmanager
def opened_zip(path: Path) -> Iterator[ZipMembers]:
    """The files in a zip.

    Raises:
        PackError: it cannot be read, is no zip, or names paths outside of it.
    """
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise PackError(
            f"{path} cannot be read: {error.strerror}", "Name a file that exists and is readable."
        ) from error
    except zipfile.BadZipFile as error:
        raise PackError(f"{path} is not a zip file: {error}", HINT) from error
    with archive:
        yield ZipMembers(path, archive)


def read_onnx(path: Path) -> bytes:
    """The only ONNX model of a zip, with external weights moved into it.

    Raises:
        PackError: there is not exactly one, or it is damaged.
    """
    with opened_zip(path) as members:
        model = members.model(members.only(".onnx"))
        return bytes(model.SerializeToString(deterministic=True))
