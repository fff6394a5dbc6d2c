"""Sessions on GPUs and other accelerators through ONNX Runtime's own execution providers.

ONNX Runtime falls back to the CPU silently where a provider is not in the installed wheel, where
its libraries do not load, where it does not support a node, and where a run fails. So this module
asks for one provider, disables both fallbacks, and reads back where each node was placed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import onnxruntime as ort

from annotate.domain.errors import ProviderError
from annotate.domain.settings import Provider
from annotate.inference.placement import placement

USE_CPU = "Use the CPU: ANNOTATE_PROVIDER=cpu."


@dataclass(frozen=True)
class Accelerator:
    """An execution provider of ONNX Runtime, other than the CPU's and QNN.

    Attributes:
        title: its name in messages.
        provider: its name in ONNX Runtime.
        wheel: the distribution of ONNX Runtime that contains it; it replaces `onnxruntime`.
        options: its options. They give the same bytes in every run on the same device.
        helpers: other providers that may run nodes that this one leaves.
        needs: what else must be installed.
    """

    title: str
    provider: str
    wheel: str
    options: Mapping[str, str] = field(default_factory=dict)
    helpers: tuple[str, ...] = ()
    needs: str = ""

    @property
    def hint(self) -> str:
        """How to install it."""
        also = f" It also needs {self.needs}." if self.needs else ""
        if self.wheel == "onnxruntime":
            return f"ONNX Runtime has it only on macOS. {USE_CPU}"
        return (
            f"Install its build of ONNX Runtime: `pip uninstall onnxruntime`, then "
            f"`pip install {self.wheel}`.{also}"
        )


# cuDNN's fastest algorithm is found by timing, so it can differ from run to run, and with it the
# last bits of the results; TF32 has a mantissa of 10 bits.
_CUDA_OPTIONS = {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}

ACCELERATORS: Mapping[Provider, Accelerator] = {
    "cuda": Accelerator(
        "CUDA",
        "CUDAExecutionProvider",
        "onnxruntime-gpu",
        _CUDA_OPTIONS,
        needs="NVIDIA's driver, CUDA and cuDNN",
    ),
    "tensorrt": Accelerator(
        "TensorRT",
        "TensorrtExecutionProvider",
        "onnxruntime-gpu",
        helpers=("CUDAExecutionProvider",),
        needs="NVIDIA's driver, CUDA, cuDNN and TensorRT",
    ),
    "openvino": Accelerator(
        "OpenVINO",
        "OpenVINOExecutionProvider",
        "onnxruntime-openvino",
        {"device_type": "CPU", "num_of_threads": "1"},
    ),
    "coreml": Accelerator("Core ML", "CoreMLExecutionProvider", "onnxruntime"),
    "dml": Accelerator("DirectML", "DmlExecutionProvider", "onnxruntime-directml"),
}
# The accelerators that `auto` tries where the installed ONNX Runtime has them: those measured on
# real hardware (docs/speed.md).
PROVEN: tuple[Provider, ...] = ("cuda",)


def installed(name: Provider) -> bool:
    """Whether the installed ONNX Runtime was built with the accelerator."""
    return ACCELERATORS[name].provider in ort.get_available_providers()


def open_accelerated(file: Path, name: Provider) -> ort.InferenceSession:
    """A session for an ONNX model with every node on the accelerator.

    Raises:
        ProviderError: ONNX Runtime lacks the provider, its libraries do not load, or it does not
            run every node.
    """
    accelerator = ACCELERATORS[name]
    if not installed(name):
        raise ProviderError(
            f"this installation of ONNX Runtime has no {accelerator.title}", accelerator.hint
        )
    # The CUDA libraries of NVIDIA's wheels lie where the system's loader does not look.
    if "CUDA" in accelerator.needs:
        ort.preload_dlls()
    try:
        session = ort.InferenceSession(
            file,
            sess_options=_options(),
            providers=_providers(accelerator),
            enable_fallback=0,
        )
    # ONNX Runtime's exceptions have no common base below Exception.
    except Exception as error:
        raise ProviderError(
            f"{accelerator.title} does not accept {file}: {error}",
            f"It needs {accelerator.needs or 'its driver'}. {USE_CPU}",
        ) from error
    _check_placement(session, accelerator, file)
    return session


def _options() -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1  # nothing runs on the CPU
    options.log_severity_level = 4  # errors are raised anyway
    options.use_deterministic_compute = True
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    return options


def _providers(accelerator: Accelerator) -> list[tuple[str, dict[str, str]]]:
    helpers: list[tuple[str, dict[str, str]]] = [(name, {}) for name in accelerator.helpers]
    return [(accelerator.provider, dict(accelerator.options)), *helpers]


def _check_placement(session: ort.InferenceSession, accelerator: Accelerator, file: Path) -> None:
    """Checks that the provider was loaded, and that no node runs on the CPU.

    Raises:
        ProviderError: it is not so.
    """
    if accelerator.provider not in session.get_providers():
        raise ProviderError(
            f"the libraries of {accelerator.title} do not load on this host",
            f"It needs {accelerator.needs or 'its driver'}. {USE_CPU}",
        )
    placed = placement(session)
    elsewhere = set(placed) - {accelerator.provider, *accelerator.helpers}
    if elsewhere or accelerator.provider not in placed:
        raise ProviderError(
            f"not every node of {file} is on {accelerator.title}: {placed}", USE_CPU
        )
