"""Real crops on a device of AI Hub against the CPU; what passes is put to use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.errors import HubError, PackError
from annotate.domain.model_spec import ModelSpec
from annotate.hub.precompiled import variant_of
from annotate.inference import load_models
from annotate.inference.qdq import to_reals
from annotate.packs.asset import read_onnx
from annotate.packs.publish import new_pack, publish
from annotate.pipeline.calibration_crops import Crops
from annotate.pipeline.fidelity import Fidelity, Outputs, check_fidelity, fidelity_of
from annotate.use_cases.hub import QUANTIZE, STAGES, HubPack, digest_of
from annotate.use_cases.quantize import pack_fidelity, pack_with

PRECOMPILED = "precompiled_qnn_onnx"


@dataclass(frozen=True)
class Verdict:
    """What was found on the device.

    Attributes:
        fidelity: to the CPU's answers, by stage.
        reason: why the models may not be used, or empty.
    """

    fidelity: Mapping[str, Fidelity]
    reason: str


def verify(asked: HubPack, crops: Crops) -> Verdict:
    """Runs the crops on the device and compares with what the float models answer on the CPU.

    Raises:
        HubError: the models are not compiled, a job failed, or the service is away.
        PackError: no crop shows anybody.
    """
    asked.require(asked.made)
    inputs = {stage: asked.inputs(stage, crops.of(stage)) for stage in STAGES}
    # The same videos go on with the same jobs, others get their own.
    step = f"verify {digest_of(inputs.values())[:12]}"
    asked.step(
        step,
        lambda stage: asked.hub.infer(
            asked.job(asked.made, stage), asked.device, asked.job_name(stage), inputs[stage]
        ),
    )
    found, reasons = {}, []
    for stage in STAGES:
        model, spec = asked.models.stage(stage), asked.models.pack.stages[stage]
        expected = [model.run(picture) for picture in crops.of(stage)]
        outputs = ordered(asked.hub.outputs(asked.job(step, stage)), spec, expected[0])
        found[stage] = fidelity_of(spec, expected, outputs)
        try:
            check_fidelity(stage, found[stage])
        except PackError as error:
            reasons.append(error.message)
    asked.record.forget(step, *STAGES)
    return Verdict(found, "; ".join(reasons))


def adopt(asked: HubPack, crops: Crops) -> Path:
    """Puts models that passed where workers take them: float ones into the pack's variants,
    8-bit ones into a new pack of their own, as their answers are others.

    Returns:
        The folder of the variant.

    Raises:
        HubError: they are of no SoC that is known, or AI Hub does not say what compiled them.
        PackError: the pack cannot be written, what AI Hub made does not fit it, or its 8-bit models
            are not good enough on the CPU.
    """
    files = dict(zip(STAGES, asked.fetch([]), strict=True))
    facts = asked.hub.facts(asked.job(asked.made, "detector"))
    pack = asked.models.pack
    if asked.target.precision == "float":
        return variant_of(pack, asked.folder, files, facts)
    asked.require(QUANTIZE)
    root = asked.folder.parent
    with new_pack(root) as staged:
        for stage, spec in pack.stages.items():
            _download_quantized(asked, stage, staged / spec.file)
        name = f"{pack.name}-hub-{asked.target.precision}"
        source = f"{pack.name} {pack.digest[:12]}, {asked.target.precision} by AI Hub"
        quantized = pack_with(pack, staged, name, source)
        # Where no NPU is, the same pack runs on the CPU.
        found = pack_fidelity(load_models(quantized, staged), asked.models, crops)
        for stage, fidelity in found.items():
            check_fidelity(stage, fidelity)
        variant = variant_of(quantized, staged, files, facts)
        target = publish(staged, root, replace=True)
        return target / variant.relative_to(staged)


def _download_quantized(asked: HubPack, stage: str, file: Path) -> None:
    """The 8-bit ONNX model that was compiled."""
    got = asked.hub.download(asked.job(QUANTIZE, stage), file)
    if got != file:  # with its weights beside it, in a zip
        file.write_bytes(read_onnx(got))
        got.unlink()


def ordered(
    answers: Mapping[str, Sequence[NDArray[np.generic]]],
    spec: ModelSpec,
    like: Outputs,
) -> list[list[FloatArray]]:
    """For each crop a device's answers as the model gives them: in its order, float32.

    Args:
        answers: by the name of the output; a runtime that renames them keeps their sizes.
        like: what the model gives for one crop.

    Raises:
        HubError: an output is not among them.
    """
    columns = []
    for name, right in zip(spec.outputs, like, strict=True):
        fit = [key for key, rows in answers.items() if rows[0].size == right.size]
        key = name if name in answers else fit[0] if len(fit) == 1 else None
        if key is None or answers[key][0].size != right.size:
            raise HubError(
                f"the device's outputs are {sorted(answers)}, and {name!r} is none of them",
                "Compile for another runtime; precompiled_qnn_onnx keeps the names.",
            )
        rows = [row.reshape(right.shape) for row in answers[key]]
        if name in spec.quantized:
            columns.append([to_reals(row, spec.quantized[name]) for row in rows])
        else:
            columns.append([row.astype(np.float32) for row in rows])
    return [list(row) for row in zip(*columns, strict=True)]
