"""ONNX Runtime sessions for the two models of a pack.

A session is made in the process that uses it, never before a fork: the threads of a session do not
survive the fork, so it would hang in the child.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.errors import PackError, ProviderError
from annotate.domain.model_spec import ModelSpec
from annotate.domain.options import Arithmetic
from annotate.domain.pack import Pack
from annotate.domain.runs_on import CPU
from annotate.domain.settings import NO_NPU, Provider
from annotate.host import emulates_npu
from annotate.inference.accelerators import ACCELERATORS, PROVEN, installed, open_accelerated
from annotate.inference.agreement import agreement_db, made_picture
from annotate.inference.bf16 import (
    ON_ARM,
    OPENVINO,
    USE_FLOAT,
    OpenVinoSession,
    Session,
    bf16_provider,
    open_bf16,
)
from annotate.inference.compiled import compiled_models
from annotate.inference.cpu import cpu_options, is_quantized, sums_need_care
from annotate.inference.placement import placement
from annotate.inference.qdq import dequantize_values, quantize_values
from annotate.inference.qnn import QnnSettings, label, open_session, soc_of
from annotate.inference.timing import median_ms

# What runs models on the CPU.
CPUS = (CPU, OPENVINO, ON_ARM)
NPU_TITLE = "the NPU"
# The least accepted agreement of the NPU with the CPU, in dB. Correct variants reach 27 dB or more
# (8 bits, on the made picture, which is unlike the calibration pictures); some context binaries of
# other compilers were wrong, at -5 to 8 dB.
MIN_AGREEMENT_DB = 20.0
# Runs of each model, whose median tells whether an accelerator is faster than the CPU.
SPEED_RUNS = 5

logger = logging.getLogger(__name__)


class Model:
    """One model: a picture in, the named outputs out."""

    def __init__(self, session: Session, spec: ModelSpec) -> None:
        self._session = session
        self._spec = spec

    @property
    def placement(self) -> dict[str, int]:
        """Number of nodes on each execution provider of ONNX Runtime; with OpenVINO, in each type
        of numbers.
        """
        if isinstance(self._session, OpenVinoSession):
            return self._session.placement
        return placement(self._session)

    def run(self, image: FloatArray) -> list[FloatArray]:
        """The outputs for an (H, W, 3) float32 RGB picture in the model's range of values: float32
        arrays, in the order of `spec.outputs`.

        Raises:
            ProviderError: the execution provider fails; no other one is tried.
        """
        feed = {self._spec.input: self.input_of(image)}
        try:
            outputs: list[Any] = self._session.run(self._spec.outputs, feed)
        # ONNX Runtime's exceptions have no common base below Exception.
        except Exception as error:
            raise ProviderError(
                f"the model fails on {self._session.get_providers()[0]}: {error}",
                "Run `annotate doctor`. Restarting the worker may help.",
            ) from error
        quantized = self._spec.quantized
        return [
            dequantize_values(values, quantized[name]) if name in quantized else values
            for name, values in zip(self._spec.outputs, outputs, strict=True)
        ]

    def input_of(self, image: FloatArray) -> NDArray[Any]:
        """The model's input for an (H, W, 3) float32 RGB picture in its range of values: a batch of
        one, with the layout, the order of colours and the dtype that the pack states.
        """
        if self._spec.channels == "BGR":
            image = image[:, :, ::-1]
        if self._spec.layout == "NCHW":
            image = image.transpose(2, 0, 1)
        image = np.ascontiguousarray(image[None])
        quantization = self._spec.quantized.get(self._spec.input)
        return image if quantization is None else quantize_values(image, quantization)


@dataclass(frozen=True)
class Models:
    """The models of a pack, and the pack.

    Attributes:
        provider: what runs them in fact: `cpu`, `qnn` (the NPU), `htp-emulator`, or the name of
            another accelerator.
        placement: by model, the number of nodes on each execution provider of ONNX Runtime; a
            compiled model is one node.
        reason: why `auto` chose the CPU, else empty.
        precision: in which numbers they compute: `float`, `bf16`, or `quantized`.
    """

    pack: Pack
    detector: Model
    landmark: Model
    provider: str
    placement: Mapping[str, Mapping[str, int]]
    reason: str = ""
    person_detector: Model | None = None
    precision: str = "float"

    def stage(self, name: str) -> Model:
        """The model of a stage of `Pack.stages`."""
        model: Model = getattr(self, name)
        return model


def load_models(
    pack: Pack,
    folder: Path,
    *,
    threads: int = 1,
    provider: Provider = "cpu",
    qnn: QnnSettings | None = None,
    precision: Arithmetic = "float",
) -> Models:
    """Loads the models of the pack in `folder`.

    Args:
        threads: number of threads of each model on the CPU.
        provider: `cpu`; `qnn`, only the NPU; another accelerator, only that one; or `auto`, the
            NPU or a GPU if it runs every node, agrees with the CPU and is faster, else the CPU.
        qnn: settings of the NPU.
        precision: `bf16` computes in bfloat16, on the CPU only.

    Raises:
        PackError: a file is missing or ONNX Runtime refuses it.
        ProviderError: `provider` is neither `cpu` nor `auto`, and it cannot run the models; or they
            do not run in bfloat16 here.
        UsageError: an option in `qnn` does not exist.
    """
    if precision == "bf16":
        return _in_bf16(pack, folder, provider)
    models = _in_own_numbers(pack, folder, threads, provider, qnn or QnnSettings())
    quantized = any(is_quantized(folder / spec.file) for spec in pack.stages.values())
    return replace(models, precision="quantized") if quantized else models


def _in_own_numbers(
    pack: Pack, folder: Path, threads: int, provider: Provider, qnn: QnnSettings
) -> Models:
    """The models, which compute in the numbers of their files."""
    if provider == "qnn":
        return _on_qnn(pack, folder, qnn)
    on_cpu = _bound(pack, lambda name: _cpu_session(threads, folder / name), CPU)
    if provider == "cpu":
        return on_cpu
    if provider == "auto":
        return _best(on_cpu, folder, qnn)
    on_accelerator = _on_accelerator(pack, folder, provider)
    check_agreement(agreements(on_accelerator, on_cpu), ACCELERATORS[provider].title)
    return on_accelerator


def _in_bf16(pack: Pack, folder: Path, provider: Provider) -> Models:
    """The landmark model in bfloat16, compared with itself in float32; detectors in float32. What
    it does to people is judged on crops of videos, by `annotate submit`.

    A detector's scores decide who is found: in bfloat16, BlazePose's one lost 1 and added 5 of 43
    people in real frames, whose scores lie near the threshold.
    """
    if provider not in ("cpu", "auto"):
        raise ProviderError(
            f"this host runs models on {provider}, and --precision bf16 is for CPUs",
            "Set ANNOTATE_PROVIDER=cpu here, or submit without --precision.",
        )
    made_by = bf16_provider()
    on_cpu = _bound(pack, lambda name: _cpu_session(1, folder / name), CPU)
    landmark = Model(open_bf16(folder / pack.landmark.file), pack.landmark)
    placed = {**on_cpu.placement, "landmark": landmark.placement}
    models = replace(
        on_cpu, landmark=landmark, provider=made_by, placement=placed, precision="bf16"
    )
    found = agreements(models, on_cpu)["landmark"]
    if found == float("inf"):
        raise ProviderError("this CPU does not compute in bfloat16", USE_FLOAT)
    if found < MIN_AGREEMENT_DB:
        raise ProviderError(
            f"in bfloat16 the landmark model agrees with float32 to only {found:.0f} dB", USE_FLOAT
        )
    return models


def _best(on_cpu: Models, folder: Path, qnn: QnnSettings) -> Models:
    """The models on the first accelerator that agrees with the CPU and is faster, or on the CPU."""
    reasons = []
    for title, load in _candidates(on_cpu.pack, folder, qnn):
        try:
            models = load()
            check_agreement(agreements(models, on_cpu), title)
            check_speed(models, on_cpu, title)
        except (PackError, ProviderError) as error:
            logger.warning("The models run on the CPU: %s", error.message)
            reasons.append(error.message)
        else:
            return models
    return replace(on_cpu, reason="; ".join(reasons) or NO_NPU)


def _candidates(
    pack: Pack, folder: Path, qnn: QnnSettings
) -> Iterator[tuple[str, Callable[[], Models]]]:
    """The accelerators that `auto` tries: their titles, and what loads the models on them."""
    if not emulates_npu():
        yield NPU_TITLE, lambda: _on_qnn(pack, folder, qnn)
    for name in filter(installed, PROVEN):
        yield ACCELERATORS[name].title, partial(_on_accelerator, pack, folder, name)


def agreements(models: Models, reference: Models) -> dict[str, float]:
    """Agreement of the models with `reference` in one run on a made picture: the least over the
    outputs of each model, in dB as `agreement_db` defines it.
    """
    found = {}
    for name, spec in models.pack.stages.items():
        picture = made_picture(spec)
        outputs = models.stage(name).run(picture)
        expected = reference.stage(name).run(picture)
        found[name] = min(agreement_db(*pair) for pair in zip(expected, outputs, strict=True))
    return found


def check_agreement(found: Mapping[str, float], title: str) -> None:
    """Checks the result of `agreements` against `MIN_AGREEMENT_DB`.

    Args:
        title: name of the accelerator.

    Raises:
        ProviderError: a model does not agree with its reference.
    """
    for name, decibel in found.items():
        if decibel < MIN_AGREEMENT_DB:
            raise ProviderError(
                f"on {title} the {name} model agrees with the CPU to only {decibel:.0f} dB",
                "Use the CPU: ANNOTATE_PROVIDER=cpu. For an NPU, compiling the variant again may "
                "help: `annotate models compile`.",
            )


def check_speed(models: Models, on_cpu: Models, title: str) -> None:
    """Checks that one run of all models takes less time than on the CPU.

    Args:
        title: name of the accelerator.

    Raises:
        ProviderError: it takes longer, as it does on an emulated NPU.
    """
    here, there = (
        sum(median_ms(one.stage(name), spec, SPEED_RUNS) for name, spec in one.pack.stages.items())
        for one in (models, on_cpu)
    )
    if here > there:
        raise ProviderError(
            f"{title} is slower than the CPU: {here:.0f} ms a run of all models, not {there:.0f}",
            "Use the CPU: ANNOTATE_PROVIDER=cpu. `annotate doctor` examines this host.",
        )


def _on_qnn(pack: Pack, folder: Path, qnn: QnnSettings) -> Models:
    soc = soc_of(qnn)
    compiled = compiled_models(pack, folder, soc, qnn.cache)
    return _bound(
        pack, lambda file: open_session(compiled / file, soc, qnn.options, qnn.npu), label()
    )


def _on_accelerator(pack: Pack, folder: Path, name: Provider) -> Models:
    return _bound(pack, lambda file: open_accelerated(folder / file, name), name)


def _bound(pack: Pack, opened: Callable[[str], Session], provider: str) -> Models:
    models = {stage: Model(opened(spec.file), spec) for stage, spec in pack.stages.items()}
    placed = {stage: model.placement for stage, model in models.items()}
    return Models(
        pack,
        models["detector"],
        models["landmark"],
        provider,
        placed,
        person_detector=models.get("person_detector"),
    )


def load_model(spec: ModelSpec, file: Path) -> Model:
    """Loads one model from any file, on the CPU.

    Raises:
        PackError: the file is missing or ONNX Runtime refuses it.
    """
    return Model(_cpu_session(1, file), spec)


def _cpu_session(threads: int, file: Path) -> ort.InferenceSession:
    options = cpu_options(threads, exact_sums=is_quantized(file) and sums_need_care())
    try:
        return ort.InferenceSession(file, sess_options=options, providers=["CPUExecutionProvider"])
    # ONNX Runtime's exceptions have no common base below Exception.
    except Exception as error:
        raise PackError(
            f"ONNX Runtime cannot load {file}: {error}",
            "Make the pack again: `annotate models pull NAME --force`.",
        ) from error
