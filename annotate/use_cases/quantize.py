"""Makes a pack with quantized models from a float pack, calibrated on the user's videos."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.pack import PACK_FILE, Pack
from annotate.domain.progress import Progress
from annotate.files import sha256_of
from annotate.inference import Models, load_models
from annotate.inference.layer_errors import LayerError, layer_errors
from annotate.inference.quantization import (
    CHOICES,
    ActivationBits,
    FloatLayers,
    calibrate,
    quantize,
)
from annotate.inference.session import load_model
from annotate.packs.installed import verify_pack
from annotate.packs.publish import new_pack, publish
from annotate.pipeline.calibration_crops import Crops, take_crops
from annotate.pipeline.fidelity import (
    MAX_MEDIAN_ERROR,
    MIN_FIDELITY_DB,
    Fidelity,
    Outputs,
    check_fidelity,
    fidelity_of,
    judged_outputs,
)

# Frames that crops are taken from, over all videos together.
FRAMES = 96
# Calibration crops at most that the errors of layers are found on.
EXPLAINED_CROPS = 8
# More layers stay float until the error on the calibration crops is well below the limit for other
# crops: half the median error, as a fraction of the crop's side, and 3 dB more agreement.
TARGET_MEDIAN_ERROR = MAX_MEDIAN_ERROR / 2
TARGET_AGREEMENT_DB = MIN_FIDELITY_DB + 3


@dataclass(frozen=True)
class QuantizedModel:
    """How a model was quantized.

    Attributes:
        float_layers: numbers of convolutions at its beginning and end that stay float.
        fidelity: compared with the float model, on crops that were not used for calibration.
        layers: the error of each convolution, if wanted.
    """

    float_layers: FloatLayers
    fidelity: Fidelity
    layers: Sequence[LayerError] = ()


def quantize_pack(
    folder: Path,
    videos: Sequence[Path],
    progress: Progress,
    *,
    bits: ActivationBits = 8,
    explain: bool = False,
) -> tuple[Path, dict[str, QuantizedModel]]:
    """Makes a pack with 8-bit weights beside the float pack in `folder`; replaces an older one.

    Args:
        bits: of the activations.
        explain: find the error of each layer too.

    Returns:
        The new pack's folder, and how each stage's model was quantized.

    Raises:
        PackError: a model is quantized already, or its 8-bit version is not accurate enough on the
            held-out crops. No pack is changed then.
        UsageError: the videos show no person.
        VideoError: a video cannot be read.
    """
    pack = verify_pack(folder)
    models = load_models(pack, folder)
    calibration, held_out = take_crops(videos, models, FRAMES, progress)
    with new_pack(folder.parent) as staged:
        chosen = {
            stage: _quantize_stage(models, stage, folder, staged, calibration, bits, progress)
            for stage in pack.stages
        }
        name = quantized_name(pack, bits)
        kind = "8 bits" if bits == 8 else f"8-bit weights and {bits}-bit activations"
        source = (
            f"{pack.name} {pack.digest[:12]}, {kind}, "
            f"calibrated on {len(calibration.landmark)} crops"
        )
        made = pack_with(pack, staged, name, source)
        found = pack_fidelity(load_models(made, staged), models, held_out)
        for stage, fidelity in found.items():
            check_fidelity(stage, fidelity)
        layers = {
            stage: _layers(models, stage, folder, staged, calibration) if explain else ()
            for stage in found
        }
        target = publish(staged, folder.parent, replace=True)
    return target, {
        stage: QuantizedModel(chosen[stage], found[stage], layers[stage]) for stage in found
    }


def quantized_name(pack: Pack, bits: ActivationBits = 8) -> str:
    """The name of the pack with 8-bit weights, and activations of `bits` bits, of a float one."""
    return f"{pack.name}-w8a{bits}"


def pack_with(pack: Pack, folder: Path, name: str, source: str) -> Pack:
    """The pack with other models: those in `folder`, under the same file names. Its `pack.json` is
    written there.
    """
    digests = {stage: sha256_of(folder / spec.file) for stage, spec in pack.stages.items()}
    made = replace(pack, name=name, source=source).with_digests(digests)
    (folder / PACK_FILE).write_text(made.to_json(), encoding="utf-8", newline="\n")
    return made


def pack_fidelity(models: Models, reference: Models, crops: Crops) -> dict[str, Fidelity]:
    """Fidelity of models to reference models, by stage."""
    found = {}
    for stage, spec in models.pack.stages.items():
        expected, answers = (
            [each.stage(stage).run(picture) for picture in crops.of(stage)]
            for each in (reference, models)
        )
        found[stage] = fidelity_of(spec, expected, answers)
    return found


def _quantize_stage(
    models: Models,
    stage: str,
    folder: Path,
    out: Path,
    crops: Crops,
    bits: ActivationBits,
    progress: Progress,
) -> FloatLayers:
    """Writes into `out` the quantized model with the fewest float layers that reaches the target,
    else the most accurate one. Returns its numbers of float layers.
    """
    spec, model = models.pack.stages[stage], models.stage(stage)
    pictures = crops.of(stage)
    expected: list[Outputs] = [model.run(picture) for picture in pictures]
    progress(f"Calibrating the {stage} model", 0.0)
    calibrated = calibrate(folder / spec.file, _inputs(models, stage, pictures))
    tried: list[tuple[float, FloatLayers, bytes]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for count, choice in enumerate(CHOICES):
            progress(f"Quantizing the {stage} model", count / len(CHOICES))
            file = Path(scratch) / f"{count}.onnx"
            quantize(calibrated, file, choice, bits)
            quantized = load_model(spec, file)
            found = fidelity_of(spec, expected, [quantized.run(one) for one in pictures])
            tried.append((found.median_error, choice, file.read_bytes()))
            if _reaches_target(stage, found):
                tried = tried[-1:]
                break
    _, choice, content = min(tried)
    (out / spec.file).write_bytes(content)
    return choice


def _layers(
    models: Models, stage: str, folder: Path, quantized: Path, crops: Crops
) -> list[LayerError]:
    """The error of each layer, on a few of the calibration crops from beginning to end."""
    pictures = crops.of(stage)
    few = pictures[:: -(-len(pictures) // EXPLAINED_CROPS)]
    file = models.pack.stages[stage].file
    return layer_errors(folder / file, quantized / file, _inputs(models, stage, few))


def _inputs(
    models: Models, stage: str, pictures: Sequence[FloatArray]
) -> Mapping[str, list[NDArray[Any]]]:
    model = models.stage(stage)
    return {models.pack.stages[stage].input: [model.input_of(one) for one in pictures]}


def _reaches_target(stage: str, found: Fidelity) -> bool:
    judged = judged_outputs(stage, found).values()
    agrees = all(decibel >= TARGET_AGREEMENT_DB for decibel in judged)
    accurate = found.median_error <= TARGET_MEDIAN_ERROR
    return accurate and agrees and found.finds_the_people
