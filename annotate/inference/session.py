"""Sessions of ONNX Runtime over the two models of a pack.

A session is made in the process that uses it, never before a fork: a session with threads of its
own hangs in the child.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.domain.errors import PackError, ProviderError
from annotate.domain.model_spec import ModelSpec
from annotate.domain.pack import Pack
from annotate.domain.settings import Provider
from annotate.inference.agreement import agreement_db, made_picture
from annotate.inference.compiled import compiled_models
from annotate.inference.host import emulates_npu
from annotate.inference.qdq import dequantize_values, quantize_values
from annotate.inference.qnn import QnnSettings, label, open_session, placement, soc_of

CPU = "cpu"
# The least agreement with the CPU in dB. Correct variants reach 27 dB or more, even 8-bit ones on
# the made picture, which they were not calibrated with; some context binaries of other compilers
# were wrong altogether, at -5 to 8 dB.
MIN_AGREEMENT_DB = 20.0

logger = logging.getLogger(__name__)


class Model:
    """One model: a picture in, the named outputs out."""

    def __init__(self, session: ort.InferenceSession, spec: ModelSpec) -> None:
        self._session = session
        self._spec = spec

    @property
    def placement(self) -> dict[str, int]:
        """How many nodes each execution provider of ONNX Runtime has."""
        return placement(self._session)

    def run(self, image: FloatArray) -> list[FloatArray]:
        """The outputs, in the order of `spec.outputs` and as float32, of an (H, W, 3) float32 RGB
        picture in the model's range of values.

        Raises:
            ProviderError: the execution provider fails; another is not tried.
        """
        feed = {self._spec.input: self.input_of(image)}
        try:
            outputs: list[Any] = self._session.run(self._spec.outputs, feed)
        # ONNX Runtime's exceptions have no common base below Exception.
        except Exception as error:
            raise ProviderError(
                f"the model fails on {self._session.get_providers()[0]}: {error}",
                "See what `annotate doctor` says; on the NPU, restarting the worker may help.",
            ) from error
        quantized = self._spec.quantized
        return [
            dequantize_values(values, quantized[name]) if name in quantized else values
            for name, values in zip(self._spec.outputs, outputs, strict=True)
        ]

    def input_of(self, image: FloatArray) -> NDArray[Any]:
        """What the model takes for an (H, W, 3) float32 RGB picture in its range of values: the
        layout, the order of colours and the type that the pack says, a batch of one.
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
    """Both models of a pack, and what the pack says of them.

    Attributes:
        provider: what really runs them: `cpu`, `qnn` (the NPU), or `htp-emulator`.
        placement: how many nodes of each model each execution provider of ONNX Runtime has; a
            compiled model has one.
        reason: why `auto` did not take the NPU, else empty.
    """

    pack: Pack
    detector: Model
    landmark: Model
    provider: str
    placement: Mapping[str, Mapping[str, int]]
    reason: str = ""

    def stage(self, name: str) -> Model:
        """The model of the stage `detector` or `landmark`."""
        return {"detector": self.detector, "landmark": self.landmark}[name]


def load_models(
    pack: Pack,
    folder: Path,
    *,
    threads: int = 1,
    provider: Provider = "cpu",
    qnn: QnnSettings | None = None,
) -> Models:
    """Both models of the pack in `folder`.

    Args:
        threads: for each model on the CPU.
        provider: `cpu`; `qnn`, the NPU and nothing else; or `auto`, the NPU if there is one that
            takes every node and gives about the answers that the CPU gives, else the CPU.
        qnn: how the NPU is used.

    Raises:
        PackError: a file is missing or ONNX Runtime refuses it.
        ProviderError: the provider is `qnn` and the NPU cannot run the models.
        UsageError: `qnn` holds an option that does not exist.
    """
    if provider == "qnn":
        return _on_qnn(pack, folder, qnn or QnnSettings())
    on_cpu = _bound(pack, lambda name: _cpu_session(threads, folder / name), CPU)
    if provider == "cpu":
        return on_cpu
    return _best(on_cpu, folder, qnn or QnnSettings())


def _best(on_cpu: Models, folder: Path, qnn: QnnSettings) -> Models:
    """The models on the NPU if it proves itself against those on the CPU, else these."""
    if emulates_npu():
        return replace(on_cpu, reason="this host has no NPU")
    try:
        on_npu = _on_qnn(on_cpu.pack, folder, qnn)
        check_agreement(agreements(on_npu, on_cpu))
    except (PackError, ProviderError) as error:
        logger.warning("The models run on the CPU: %s", error.message)
        return replace(on_cpu, reason=error.message)
    return on_npu


def agreements(models: Models, reference: Models) -> dict[str, float]:
    """How near the answers of both models are to those of `reference` in one run of each on a
    made picture: the least of each model's outputs, in dB as `agreement_db` has it.
    """
    found = {}
    for name, spec in models.pack.stages.items():
        picture = made_picture(spec)
        outputs = models.stage(name).run(picture)
        expected = reference.stage(name).run(picture)
        found[name] = min(agreement_db(*pair) for pair in zip(expected, outputs, strict=True))
    return found


def check_agreement(found: Mapping[str, float]) -> None:
    """Compares what `agreements` found with `MIN_AGREEMENT_DB`.

    Raises:
        ProviderError: a model is not near its reference.
    """
    for name, decibel in found.items():
        if decibel < MIN_AGREEMENT_DB:
            raise ProviderError(
                f"on the NPU the {name} model agrees with the CPU to {decibel:.0f} dB only",
                "Compile the variant again: `annotate models compile`.",
            )


def _on_qnn(pack: Pack, folder: Path, qnn: QnnSettings) -> Models:
    soc = soc_of(qnn)
    compiled = compiled_models(pack, folder, soc, qnn.cache)
    return _bound(pack, lambda file: open_session(compiled / file, soc, qnn.options), label())


def _bound(pack: Pack, opened: Callable[[str], ort.InferenceSession], provider: str) -> Models:
    detector = Model(opened(pack.detector.file), pack.detector)
    landmark = Model(opened(pack.landmark.file), pack.landmark)
    placed = {"detector": detector.placement, "landmark": landmark.placement}
    return Models(pack, detector, landmark, provider, placed)


def load_model(spec: ModelSpec, file: Path) -> Model:
    """One model on the CPU, from any file.

    Raises:
        PackError: the file is missing or ONNX Runtime refuses it.
    """
    return Model(_cpu_session(1, file), spec)


def cpu_options(threads: int = 1) -> ort.SessionOptions:
    """Options of a session on the CPU."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    # On an x86-64 CPU without VNNI sums of 8-bit products overflow, in silence: landmarks of a
    # sound 8-bit model were 3.5% of the crop off in the median, and with this 0.33%.
    options.add_session_config_entry("session.x64quantprecision", "1")
    return options


def _cpu_session(threads: int, file: Path) -> ort.InferenceSession:
    options = cpu_options(threads)
    try:
        return ort.InferenceSession(file, sess_options=options, providers=["CPUExecutionProvider"])
    # ONNX Runtime's exceptions have no common base below Exception.
    except Exception as error:
        raise PackError(
            f"ONNX Runtime cannot load {file}: {error}",
            "Run `annotate models pull --force` to make the pack again.",
        ) from error
