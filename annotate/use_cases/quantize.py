"""A pack with 8-bit models, made of a float pack and calibrated on the user's own videos."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from annotate.domain.pack import PACK_FILE, Pack
from annotate.domain.progress import Progress
from annotate.files import sha256_of
from annotate.inference import Models, load_models
from annotate.inference.quantization import CHOICES, FloatLayers, quantize
from annotate.inference.session import load_model
from annotate.packs.installed import verify_pack
from annotate.packs.publish import new_pack, publish
from annotate.pipeline.calibration_crops import Crops, real_crops
from annotate.pipeline.fidelity import (
    LEAST_AGREEMENT_DB,
    MOST_MEDIAN_ERROR,
    Fidelity,
    Outputs,
    check_fidelity,
    fidelity_of,
)

SUFFIX = "-w8a8"
FRAMES = 96
# More layers stay float until the median error on the crops that were calibrated with is half of
# what is allowed on others, and every output as much nearer.
AIM = MOST_MEDIAN_ERROR / 2
AIM_DB = LEAST_AGREEMENT_DB + 3


@dataclass(frozen=True)
class Quantized:
    """What became of a model.

    Attributes:
        float_layers: how many convolutions at its beginning and end stay float.
        fidelity: to the float model, on crops that it was not calibrated with.
    """

    float_layers: FloatLayers
    fidelity: Fidelity


def quantize_pack(
    folder: Path, videos: Sequence[Path], progress: Progress
) -> tuple[Path, dict[str, Quantized]]:
    """Makes the 8-bit pack of the float one in `folder`, beside it; replaces an older one.

    Returns:
        Its folder, and what became of each stage's model.

    Raises:
        PackError: a model is quantized already, or becomes one that is too far from it on the
            held-out crops; nothing was changed.
        UsageError: nobody is seen in the videos.
        VideoError: a video cannot be read.
    """
    pack = verify_pack(folder)
    models = load_models(pack, folder)
    learn, judge = real_crops(videos, models, FRAMES, progress)
    with new_pack(folder.parent) as staged:
        kept = {
            stage: _quantized(models, stage, folder, staged / spec.file, learn, progress)
            for stage, spec in pack.stages.items()
        }
        name = f"{pack.name}{SUFFIX}"
        source = (
            f"{pack.name} {pack.digest[:12]}, 8 bits, calibrated on {len(learn.landmark)} crops"
        )
        made = pack_with(pack, staged, name, source)
        found = pack_fidelity(load_models(made, staged), models, judge)
        for stage, fidelity in found.items():
            check_fidelity(stage, fidelity)
        target = publish(staged, folder.parent, replace=True)
    return target, {stage: Quantized(kept[stage], found[stage]) for stage in found}


def pack_with(pack: Pack, folder: Path, name: str, source: str) -> Pack:
    """The pack with the models that stand in `folder` under the same names, written down there."""
    made = replace(
        pack,
        name=name,
        source=source,
        detector=replace(pack.detector, sha256=sha256_of(folder / pack.detector.file)),
        landmark=replace(pack.landmark, sha256=sha256_of(folder / pack.landmark.file)),
    )
    (folder / PACK_FILE).write_text(made.to_json(), encoding="utf-8", newline="\n")
    return made


def pack_fidelity(models: Models, reference: Models, crops: Crops) -> dict[str, Fidelity]:
    """How near the answers of models are to those of others, by stage."""
    found = {}
    for stage, spec in models.pack.stages.items():
        expected, answers = (
            [each.stage(stage).run(picture) for picture in crops.of(stage)]
            for each in (reference, models)
        )
        found[stage] = fidelity_of(spec, expected, answers)
    return found


def _quantized(
    models: Models, stage: str, folder: Path, out: Path, crops: Crops, progress: Progress
) -> FloatLayers:
    """Writes the 8-bit model with the fewest float layers that is well above the bar, else the one
    with the least error.
    """
    spec, model = models.pack.stages[stage], models.stage(stage)
    pictures = crops.of(stage)
    inputs: Mapping[str, list[NDArray[Any]]] = {
        spec.input: [model.input_of(picture) for picture in pictures]
    }
    expected: list[Outputs] = [model.run(picture) for picture in pictures]
    tried: list[tuple[float, FloatLayers, bytes]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for count, choice in enumerate(CHOICES):
            progress(f"Quantizing the {stage} model", count / len(CHOICES))
            file = Path(scratch) / f"{count}.onnx"
            quantize(folder / spec.file, file, inputs, choice)
            quantized = load_model(spec, file)
            found = fidelity_of(spec, expected, [quantized.run(one) for one in pictures])
            tried.append((found.median_error, choice, file.read_bytes()))
            if _is_well(found):
                tried = tried[-1:]
                break
    _, choice, content = min(tried)
    out.write_bytes(content)
    return choice


def _is_well(found: Fidelity) -> bool:
    near = min(found.agreement_db.values()) >= AIM_DB
    return found.median_error <= AIM and near and not found.loses_people
