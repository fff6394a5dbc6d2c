"""Runs real crops on a device of AI Hub and compares with the CPU; installs models that pass."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.errors import HubError, PackError, ProviderError
from annotate.domain.model_spec import ModelSpec
from annotate.hub.precompiled import check_sdk, variant_of
from annotate.inference import load_models
from annotate.inference.qdq import dequantize_values
from annotate.inference.qnn import sdk_version
from annotate.packs.publish import new_pack, publish
from annotate.packs.zip_members import read_onnx
from annotate.pipeline.calibration_crops import Crops
from annotate.pipeline.fidelity import Fidelity, Outputs, check_fidelity, fidelity_of
from annotate.use_cases.hub import QUANTIZE, STAGES, HubPack, digest_of
from annotate.use_cases.quantize import pack_fidelity, pack_with

PRECOMPILED = "precompiled_qnn_onnx"
# Batch, channels, height and width.
_MAP_AXES = 4


@dataclass(frozen=True)
class Verdict:
    """The result of a verification.

    Attributes:
        fidelity: of the device's outputs to the CPU's, by stage.
        reason: why the models must not be used, or empty.
    """

    fidelity: Mapping[str, Fidelity]
    reason: str


def verify(hub_pack: HubPack, crops: Crops) -> Verdict:
    """Runs the crops on the device and compares with the float models on the CPU.

    Raises:
        HubError: the models are not compiled, a job failed, or the service cannot be reached.
        PackError: no crop shows a person, or a newer QAIRT SDK than this host's compiled the
            models, so that its workers could not load them.
    """
    hub_pack.require(hub_pack.final_step)
    if hub_pack.target.runtime == PRECOMPILED:
        with suppress(ProviderError):  # without the plugin, other hosts are meant
            check_sdk(hub_pack.facts(), sdk_version())
    inputs = {stage: hub_pack.inputs(stage, crops.of(stage)) for stage in hub_pack.stages}
    # The same crops continue with the same jobs; other crops get new ones.
    step = f"verify {digest_of(inputs.values())[:12]}"
    hub_pack.step(
        step,
        lambda stage: hub_pack.hub.infer(
            hub_pack.job(hub_pack.final_step, stage),
            hub_pack.device,
            hub_pack.job_name(stage),
            inputs[stage],
        ),
    )
    found, reasons = {}, []
    for stage in hub_pack.stages:
        model, spec = hub_pack.models.stage(stage), hub_pack.models.pack.stages[stage]
        expected = [model.run(picture) for picture in crops.of(stage)]
        answers = hub_pack.hub.outputs(hub_pack.job(step, stage))
        outputs = outputs_in_order(answers, spec, expected[0])
        found[stage] = fidelity_of(spec, expected, outputs)
        try:
            check_fidelity(stage, found[stage])
        except PackError as error:
            reasons.append(error.message)
    hub_pack.record.forget(step, *hub_pack.stages)
    return Verdict(found, "; ".join(reasons))


def adopt(hub_pack: HubPack, crops: Crops) -> Path:
    """Installs models that passed where workers find them: float models as a variant of the pack,
    8-bit models as a variant of a new pack, since their outputs differ.

    Returns:
        The folder of the variant.

    Raises:
        UnknownSocError: the device's SoC is not one that workers know.
        HubError: AI Hub's metadata names no SDK, or a model does not fit the pack.
        PackError: the pack is not writable, or the 8-bit models are not accurate enough on the CPU.
    """
    files = dict(zip(STAGES, hub_pack.fetch([]), strict=True))
    facts = hub_pack.facts()
    pack = hub_pack.models.pack
    if hub_pack.target.precision == "float":
        return variant_of(pack, hub_pack.folder, files, facts)
    hub_pack.require(QUANTIZE)
    root = hub_pack.folder.parent
    with new_pack(root) as staged:
        for stage, spec in pack.stages.items():
            _download_quantized(hub_pack, stage, staged / spec.file)
        name = f"{pack.name}-hub-{hub_pack.target.precision}"
        source = f"{pack.name} {pack.digest[:12]}, {hub_pack.target.precision} by AI Hub"
        quantized = pack_with(pack, staged, name, source)
        # Hosts without an NPU run this pack on the CPU, so it must be accurate there too.
        found = pack_fidelity(load_models(quantized, staged), hub_pack.models, crops)
        for stage, fidelity in found.items():
            check_fidelity(stage, fidelity)
        variant = variant_of(quantized, staged, files, facts)
        target = publish(staged, root, replace=True)
        return target / variant.relative_to(staged)


def _download_quantized(hub_pack: HubPack, stage: str, file: Path) -> None:
    """Downloads the 8-bit ONNX model that was compiled."""
    downloaded = hub_pack.hub.download(hub_pack.job(QUANTIZE, stage), file)
    if downloaded != file:  # a zip of the model and its external weights
        file.write_bytes(read_onnx(downloaded))
        downloaded.unlink()


def outputs_in_order(
    answers: Mapping[str, Sequence[NDArray[np.generic]]],
    spec: ModelSpec,
    example: Outputs,
) -> list[list[FloatArray]]:
    """A device's outputs for each crop, as the model gives them on the CPU: float32, in the order
    of `spec.outputs`.

    Args:
        answers: one array for each crop, by the device's name of the output.
        example: the outputs of the model for one crop, which give the shapes.

    Raises:
        HubError: an output is missing.
    """
    columns = []
    for name, shaped in zip(spec.outputs, example, strict=True):
        rows = _find_output(answers, name, shaped.shape)
        whole = np.issubdtype(rows[0].dtype, np.integer)
        if whole and name in spec.quantized:
            columns.append([dequantize_values(row, spec.quantized[name]) for row in rows])
        elif whole:
            raise HubError(
                f"output {name!r} comes as {rows[0].dtype} from the device, without a scale",
                "Compile without `--quantize_io`.",
            )
        else:
            columns.append([row.astype(np.float32) for row in rows])
    return [list(row) for row in zip(*columns, strict=True)]


def _find_output(
    answers: Mapping[str, Sequence[NDArray[np.generic]]], name: str, shape: tuple[int, ...]
) -> list[NDArray[np.generic]]:
    """The arrays of an output, in that shape. Where a runtime renames outputs, it is the only one
    that has it.
    """
    candidates = [answers[name]] if name in answers else answers.values()
    shaped = [[in_shape(row, shape) for row in rows] for rows in candidates]
    fitting = [[row for row in rows if row is not None] for rows in shaped if rows[0] is not None]
    if len(fitting) != 1:
        shapes = {given: rows[0].shape for given, rows in sorted(answers.items())}
        raise HubError(
            f"output {name!r} of shape {shape} is not among the device's outputs: {shapes}",
            "Compile for another runtime; precompiled_qnn_onnx keeps names and shapes.",
        )
    return fitting[0]


def in_shape(row: NDArray[np.generic], shape: tuple[int, ...]) -> NDArray[np.generic] | None:
    """An array in another shape: axes of length 1 may come and go, and a map's channels may be its
    second or its last axis. None where it has neither.

    >>> in_shape(np.zeros((1, 8, 8, 3)), (1, 3, 8, 8)).shape
    (1, 3, 8, 8)
    """
    long, wanted = ([one for one in sizes if one != 1] for sizes in (row.shape, shape))
    if long == wanted:
        return row.reshape(shape)
    if row.ndim == len(shape) == _MAP_AXES:
        for source, to in ((-1, 1), (1, -1)):
            moved = np.moveaxis(row, source, to)
            if moved.shape == shape:
                return moved
    return None
