"""A compiled variant of a pack: its models as context binaries for one SoC's NPU.

`<pack>/variants/<soc>/` holds `variant.json`, and for each model an ONNX file with the same name as
in the pack. The ONNX file has a single node, which refers to a binary beside it. QNN's loader does
not check the SoC of a binary, so `variant.json` states it and this module checks it.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from annotate.domain.errors import PackError
from annotate.domain.json_text import parsed
from annotate.domain.pack import Pack
from annotate.domain.soc import Soc, with_same_npu

VARIANTS = "variants"
VARIANT_FILE = "variant.json"


@dataclass(frozen=True)
class FileFacts:
    """The length and the lower-case hex SHA-256 that a file of a variant must have."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Variant:
    """The content of `variant.json`.

    Attributes:
        soc: name of the SoC in `annotate.domain.soc.SOCS`.
        soc_model, htp_arch: as there.
        sdk: version of the QAIRT SDK that compiled it; older versions cannot load it.
        onnxruntime: version of ONNX Runtime that wrote the ONNX files; empty if AI Hub wrote them.
        sources: SHA-256 of the pack's ONNX files that it was compiled from, by file name.
        files: the files of the variant, by name.
    """

    soc: str
    soc_model: int
    htp_arch: int
    sdk: str
    onnxruntime: str
    sources: dict[str, str]
    files: dict[str, FileFacts]

    def to_json(self) -> str:
        """The text of `variant.json`, keys sorted."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"


def variant_folder(pack_folder: Path, soc: Soc) -> Path:
    """The folder of a pack's variant for `soc`, which all SoCs with the same NPU share."""
    return pack_folder / VARIANTS / with_same_npu(soc).name


def sources_of(pack: Pack) -> dict[str, str]:
    """SHA-256 of the pack's ONNX files, by file name."""
    return {spec.file: spec.sha256 for spec in pack.stages.values()}


def file_facts(files: Iterable[Path]) -> dict[str, FileFacts]:
    """Length and SHA-256 of files, by file name."""
    return {
        file.name: FileFacts(file.stat().st_size, hashlib.sha256(file.read_bytes()).hexdigest())
        for file in files
    }


def read_variant(folder: Path) -> Variant:
    """The variant in `folder`, from its `variant.json`.

    Raises:
        PackError: the description is missing or damaged.
    """
    try:
        fields = parsed((folder / VARIANT_FILE).read_text(encoding="utf-8"))
        files = {name: FileFacts(**facts) for name, facts in fields.pop("files").items()}
        return Variant(**fields, files=files)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise PackError(
            f"{folder} is not a compiled variant of a model pack: {error}",
            _compile_again(folder.name),
        ) from error


def check_variant(folder: Path, pack: Pack, soc: Soc, sdk: str) -> Variant:
    """The variant in `folder`, if it can run on a host with that SoC and that QAIRT SDK.

    Raises:
        PackError: it is of another SoC, of a newer SDK or of other models, or a file of it is
            missing, cut off or damaged.
    """
    variant = read_variant(folder)
    if variant.soc_model != soc.soc_model:
        raise PackError(
            f"{folder} was compiled for the SoC {variant.soc}, and this host is {soc.name}",
            _compile_again(soc.name),
        )
    if is_newer_sdk(variant.sdk, sdk):
        raise PackError(
            f"{folder} was compiled by QAIRT {variant.sdk}, which is newer than this host's {sdk}",
            "Update this host: `pip install --upgrade onnxruntime-qnn`. Or compile with its "
            f"version: `annotate models compile --soc {soc.name}`.",
        )
    if variant.sources != sources_of(pack):
        raise PackError(
            f"{folder} was compiled from other models than the pack's present ones",
            _compile_again(soc.name),
        )
    for name, facts in variant.files.items():
        _check_file(folder / name, facts, soc)
    return variant


def is_newer_sdk(version: str, other: str) -> bool:
    """Whether a version of the QAIRT SDK, such as `2.51.0`, is newer than another.

    Raises:
        PackError: one is not a version.
    """
    return _ordered(version) > _ordered(other)


def _check_file(file: Path, facts: FileFacts, soc: Soc) -> None:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise PackError(
            f"{file} cannot be read: {error.strerror}", _compile_again(soc.name)
        ) from error
    if len(data) < facts.size_bytes:
        raise PackError(
            f"{file} is truncated: it has {len(data)} of {facts.size_bytes} bytes",
            _compile_again(soc.name),
        )
    if hashlib.sha256(data).hexdigest() != facts.sha256:
        raise PackError(
            f"{file} is damaged: it does not match its digest in {VARIANT_FILE}",
            _compile_again(soc.name),
        )


def _ordered(version: str) -> tuple[int, ...]:
    """`2.51.0` as (2, 51, 0), which compares correctly."""
    try:
        return tuple(int(number) for number in version.split("."))
    except ValueError as error:
        raise PackError(
            f"{version!r} is not a version of the QAIRT SDK",
            "Compile the variant again: `annotate models compile`.",
        ) from error


def _compile_again(soc: str) -> str:
    return f"Compile it again: `annotate models compile --soc {soc}`."
