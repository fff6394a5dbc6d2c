"""Sessions that compute in bfloat16, on CPUs that have it.

On x86-64 OpenVINO's own runtime does it, since ONNX Runtime's kernels there know float32 only. On
Arm ONNX Runtime has its own kernels. Both take float models as they are: nothing is calibrated.
"""

import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from annotate.domain.distribution import install_command
from annotate.domain.errors import PackError, ProviderError
from annotate.host import process_architecture
from annotate.inference.cpu import cpu_options
from annotate.inference.dense_ends import cut_dense_ends

# What computes in bfloat16, as parts and `annotate status` name it.
OPENVINO, ON_ARM = "openvino-bf16", "cpu-bf16"
USE_FLOAT = "Submit without --precision bf16, or work on a CPU with AVX512_BF16 or AMX."
# OpenVINO's own library for statistics, which it sends when it is imported.
_TELEMETRY = "openvino_telemetry"
# Its settings: a worker process has one core, and is not to choose which.
_SETTINGS = {
    "INFERENCE_NUM_THREADS": 1,
    "NUM_STREAMS": 1,
    "ENABLE_CPU_PINNING": False,
}
# Nodes of OpenVINO that only hold or move numbers.
_NO_ARITHMETIC = {"Const", "Input", "Output", "Reorder", "Reshape"}
# What ONNX Runtime calls it on Arm.
_ARM_ENTRY = "mlas.enable_gemm_fastmath_arm64_bfloat16"


class Session(Protocol):
    """What a model needs of a session of ONNX Runtime."""

    def run(self, outputs: Sequence[str], feed: Mapping[str, NDArray[Any]]) -> Any:
        """The named outputs for the named inputs."""

    def get_providers(self) -> list[str]:
        """What runs the model, the first one foremost."""


class OpenVinoSession:
    """A model that OpenVINO compiled, with those methods of ONNX Runtime's sessions that are
    needed. Threads may share it.

    Args:
        file: a float ONNX model. Its last dense layers compute in float32.
    """

    def __init__(self, file: Path) -> None:
        cut = cut_dense_ends(file)
        self._between = cut.between
        self._body = _compiled(cut.body, "bf16")
        self._ends = None if cut.ends is None else _compiled(cut.ends, "f32")
        self._made_last = set() if self._ends is None else _outputs(self._ends)
        self._local = threading.local()

    def run(
        self, outputs: Sequence[str], feed: Mapping[str, NDArray[Any]]
    ) -> list[NDArray[np.float32]]:
        """The named outputs for the named inputs."""
        body, ends = self._requests
        body.infer(dict(feed), share_inputs=True)
        made: dict[str, Any] = {}
        if ends is not None:
            ends.infer()
            made = dict.fromkeys(self._made_last, ends)
        # The tensors are overwritten by the next run.
        return [np.array(made.get(name, body).get_tensor(name).data) for name in outputs]

    def get_providers(self) -> list[str]:
        """What runs the model."""
        return ["OpenVINO"]

    @property
    def placement(self) -> dict[str, int]:
        """Number of nodes that compute in each type, e.g. of `OpenVINO bf16`."""
        placed: dict[str, int] = {}
        for part in filter(None, (self._body, self._ends)):
            for node in part.get_runtime_model().get_ordered_ops():
                facts = {name: value.astype(str) for name, value in node.get_rt_info().items()}
                if facts["layerType"] not in _NO_ARITHMETIC:
                    name = f"OpenVINO {facts['runtimePrecision']}"
                    placed[name] = placed.get(name, 0) + 1
        return placed

    @property
    def _requests(self) -> tuple[Any, Any]:
        """Of this thread: a request takes one run at a time."""
        if not hasattr(self._local, "requests"):
            body, ends = self._body.create_infer_request(), None
            if self._ends is not None:
                ends = self._ends.create_infer_request()
                for name in self._between:  # the ends read where the body writes
                    ends.set_tensor(name, body.get_tensor(name))
            self._local.requests = (body, ends)
        requests: tuple[Any, Any] = self._local.requests
        return requests


def bf16_provider() -> str:
    """What computes in bfloat16 on this host.

    Raises:
        ProviderError: OpenVINO is missing, or finds no such instructions in this CPU.
    """
    if process_architecture().endswith(("aarch64", "arm64")):
        return ON_ARM
    if "BF16" not in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise ProviderError("this CPU does not compute in bfloat16", USE_FLOAT)
    return OPENVINO


def open_bf16(file: Path) -> Session:
    """A session for a float ONNX model that computes in bfloat16 on one core.

    ONNX Runtime ignores its option silently where it has no use for it, so whoever opens a session
    compares its answers with those in float32: equal ones are none in bfloat16.

    Raises:
        PackError: the file is missing, or the runtime refuses it.
        ProviderError: nothing here computes in bfloat16.
    """
    provider = bf16_provider()
    try:
        if provider == OPENVINO:
            return OpenVinoSession(file)
        options = cpu_options()
        options.add_session_config_entry(_ARM_ENTRY, "1")
        session: Session = ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    # The exceptions of both have no common base below Exception.
    except Exception as error:
        last = str(error).strip().splitlines()[-1]
        raise PackError(
            f"{file} cannot be loaded in bfloat16: {last}",
            "Make the pack again: `annotate models pull NAME --force`.",
        ) from error
    return session


def _compiled(model: bytes, numbers: str) -> Any:
    """An ONNX model that OpenVINO compiled to compute in `bf16` or `f32`."""
    settings = {**_SETTINGS, "INFERENCE_PRECISION_HINT": numbers}
    return _core().compile_model(_core().read_model(model), "CPU", settings)


def _outputs(compiled: Any) -> set[str]:
    return {name for output in compiled.outputs for name in output.get_names()}


@lru_cache(maxsize=1)
def _core() -> Any:
    """OpenVINO in this process."""
    try:
        with _without_telemetry():
            openvino: Any = import_module("openvino")
    except ImportError as error:
        raise ProviderError(
            f"bfloat16 needs OpenVINO on this CPU: {error}",
            f"Install it: {install_command('bf16')}",
        ) from error
    return openvino.Core()


@contextmanager
def _without_telemetry() -> Iterator[None]:
    """While OpenVINO is imported, its library for statistics is not there."""
    if _TELEMETRY in sys.modules:
        yield
        return
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # Python's way to forbid an import
    try:
        yield
    finally:
        del sys.modules[_TELEMETRY]
