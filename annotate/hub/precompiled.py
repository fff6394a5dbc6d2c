"""Makes a variant of a pack from models that AI Hub compiled for one SoC."""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from annotate.domain.errors import HubError, PackError
from annotate.domain.pack import Pack
from annotate.domain.soc import SOCS, Soc
from annotate.domain.variant import (
    VARIANT_FILE,
    Variant,
    file_facts,
    is_newer_sdk,
    sources_of,
    variant_folder,
)
from annotate.files import scratch_in

SOC_MODEL = "qnn_context_bin_soc_model"
SDK = ("qairt_sdk_version", "qnn_sdk_version")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_BINARY = "ep_cache_context"
_AGAIN = "Compile again. If that does not help, use `annotate models compile`."


class UnknownSocError(HubError):
    """The models are for a SoC that workers do not know."""


def variant_of(
    pack: Pack, folder: Path, zips: Mapping[str, Path], facts: Mapping[str, str]
) -> Path:
    """Makes the variant of the pack in `folder` for the SoC that the models were compiled for.

    Args:
        zips: by stage, AI Hub's zip for the runtime precompiled_qnn_onnx: an ONNX file with one
            EPContext node, and the binary that the node names.
        facts: AI Hub's metadata of the models.

    Returns:
        The variant's folder, which replaces an older one.

    Raises:
        UnknownSocError: the metadata names no known SoC.
        HubError: the metadata names no SDK, or a zip does not fit the pack.
        PackError: the pack is not writable.
    """
    soc, sdk = _soc(facts), _sdk(facts)
    target = variant_folder(folder, soc)
    try:
        with scratch_in(target.parent, ".compiling-") as scratch:
            new = scratch / "new"
            new.mkdir()
            for stage, spec in pack.stages.items():
                _unpack(zips[stage], new / spec.file, folder / spec.file)
            variant = Variant(
                soc=soc.name,
                soc_model=soc.soc_model,
                htp_arch=soc.htp_arch,
                sdk=sdk,
                onnxruntime="",
                sources=sources_of(pack),
                files=file_facts(sorted(new.iterdir())),
            )
            (new / VARIANT_FILE).write_text(variant.to_json(), encoding="utf-8")
            if target.exists():
                target.rename(scratch / "old")
            new.rename(target)
    except OSError as error:
        raise PackError(
            f"{target} cannot be written: {error.strerror or error}",
            "Make the pack's folder writable.",
        ) from error
    return target


def _unpack(path: Path, out: Path, source: Path) -> None:
    """Writes the ONNX file of the zip at `path` to `out`, and its binary beside that."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            (model_name,) = (name for name in names if name.endswith(".onnx"))
            (binary_name,) = (name for name in names if name.endswith(".bin"))
            model = onnx.load_model_from_string(archive.read(model_name))
            binary = archive.read(binary_name)
    except (OSError, ValueError, zipfile.BadZipFile, DecodeError) as error:
        raise HubError(f"{path} is not a precompiled model of AI Hub: {error}", _AGAIN) from error
    _check_same(path, model, onnx.load(source, load_external_data=False))
    file = f"{out.stem}_qnn.bin"
    for attribute in model.graph.node[0].attribute:
        if attribute.name == _BINARY:
            attribute.s = file.encode()
    out.with_name(file).write_bytes(binary)
    out.write_bytes(model.SerializeToString(deterministic=True))


def _check_same(path: Path, compiled: onnx.ModelProto, source: onnx.ModelProto) -> None:
    nodes = [node.op_type for node in compiled.graph.node]
    if nodes != ["EPContext"]:
        raise HubError(
            f"{path} contains the nodes {nodes[:5]} instead of one EPContext node", _AGAIN
        )
    for kind in ("input", "output"):
        found, expected = (
            {value.name for value in getattr(model.graph, kind)} for model in (compiled, source)
        )
        if not expected <= found:
            raise HubError(
                f"{path}: its {kind}s are {sorted(found)}, but the pack's are {sorted(expected)}",
                _AGAIN,
            )


def _soc(facts: Mapping[str, str]) -> Soc:
    number = facts.get(SOC_MODEL, "")
    for soc in SOCS:
        if number == str(soc.soc_model):
            return soc
    raise UnknownSocError(
        f"AI Hub compiled for SoC number {number or 'unknown'}, which is not one of "
        f"{', '.join(f'{soc.soc_model} ({soc.name})' for soc in SOCS)}",
        "Workers cannot use these models; the downloads stay in the pack's folder `hub`.",
    )


def check_sdk(facts: Mapping[str, str], own: str) -> None:
    """Refuses models that workers with the QAIRT SDK of version `own` could not load.

    Raises:
        PackError: a newer one compiled them.
        HubError: the metadata names none.
    """
    sdk = _sdk(facts)
    if is_newer_sdk(sdk, own):
        raise PackError(
            f"AI Hub compiled with QAIRT {sdk}, which is newer than this host's {own}",
            "Update this host: `pip install --upgrade onnxruntime-qnn`. Or compile again with "
            f"`--qairt-version {'.'.join(own.split('.')[:2])}`.",
        )


def _sdk(facts: Mapping[str, str]) -> str:
    for key in SDK:
        if found := _VERSION.search(facts.get(key, "")):
            return found[0]
    raise HubError("AI Hub does not say which QAIRT SDK compiled the models", _AGAIN)
