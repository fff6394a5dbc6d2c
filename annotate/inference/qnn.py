"""Sessions on the Hexagon NPU through QNN, with every way to fall back in silence closed.

QNN is a plugin of ONNX Runtime. Asked for in `providers=[...]` it gives the CPU; nodes that it
cannot take go to the CPU; an error in a run is tried again on the CPU; unknown options are
ignored. So the plugin is registered, its device added, fallback forbidden at both places, the
nodes' placement read back, and options compared with a list of our own.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, get_args

import onnxruntime as ort

from annotate.domain.distribution import install_command
from annotate.domain.errors import ProviderError, UsageError
from annotate.domain.settings import NpuPerformance
from annotate.domain.soc import SOCS, Soc
from annotate.inference.host import emulates_npu, this_soc

PROVIDER = "QNNExecutionProvider"
PACKAGE = "onnxruntime-qnn"
NPU = "qnn"
EMULATOR = "htp-emulator"

# The options that may be chosen, all without effect on compiled variants, and their values;
# an empty tuple takes any.
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "htp_performance_mode": get_args(NpuPerformance),
    "profiling_file_path": (),
    "profiling_level": ("off", "basic", "detailed", "optrace"),
    "qnn_context_priority": ("low", "normal", "normal_high", "high"),
    "rpc_control_latency": (),
}

_DEFAULTS = {
    "backend_type": "htp",
    "enable_htp_fp16_precision": "1",
    "htp_graph_finalization_optimization_mode": "3",
    "htp_performance_mode": "sustained_high_performance",
    # Else the quantization at a QDQ model's inputs and outputs is left to the CPU.
    "offload_graph_io_quantization": "0",
}


@dataclass(frozen=True)
class QnnSettings:
    """How the NPU is used.

    Attributes:
        soc: the SoC of this host; None finds out.
        options: of the execution provider, over the defaults; see `OPTIONS`.
        cache: folder for what is compiled on this host; None is the user's cache folder.
    """

    soc: Soc | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    cache: Path | None = None


def label() -> str:
    """What runs the models when QNN does: `qnn`, or `htp-emulator` where it emulates the NPU."""
    return EMULATOR if emulates_npu() else NPU


def check_options(options: Mapping[str, str]) -> None:
    """Compares options of the execution provider with `OPTIONS`.

    Raises:
        UsageError: there is no such option, or it takes no such value.
    """
    for name, value in options.items():
        if name not in OPTIONS:
            raise _unknown(f"no option {name!r} of the NPU can be chosen", name, OPTIONS)
        if OPTIONS[name] and value not in OPTIONS[name]:
            raise _unknown(f"the NPU's option {name} cannot be {value!r}", value, OPTIONS[name])


def soc_of(settings: QnnSettings) -> Soc:
    """The SoC that sessions are made for; the emulator takes the first that is known.

    Raises:
        ProviderError: the host does not say which SoC it is, or is none that is known.
    """
    soc = settings.soc or this_soc()
    if soc is None and emulates_npu():
        soc = SOCS[0]
    if soc is None:
        raise ProviderError(
            "the SoC of this host is not known, and the NPU must be told its own",
            f"Set ANNOTATE_SOC to one of {', '.join(one.name for one in SOCS)}.",
        )
    return soc


def versions() -> dict[str, str | None]:
    """Versions of ONNX Runtime, of its QNN plugin, and of the QAIRT SDK in it; None: missing."""
    found: dict[str, str | None] = {"onnxruntime": ort.__version__, PACKAGE: None, "QAIRT": None}
    with suppress(PackageNotFoundError, ProviderError):
        found[PACKAGE] = version(PACKAGE)
        found["QAIRT"] = sdk_version()
    return found


def sdk_version() -> str:
    """Version of the QAIRT SDK that the plugin holds.

    Raises:
        ProviderError: the plugin is not installed.
    """
    return str(_plugin().build_and_package_info.qnn_version)


def session_options(soc: Soc, options: Mapping[str, str]) -> ort.SessionOptions:
    """Options of a session that runs on the NPU or not at all.

    Raises:
        ProviderError: the plugin is not installed or does not load.
        UsageError: an option is unknown.
    """
    check_options(options)
    made = ort.SessionOptions()
    made.log_severity_level = 4  # what goes wrong is raised
    made.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    made.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    chosen = {**_DEFAULTS, **options, "soc_model": str(soc.soc_model)}
    made.add_provider_for_devices([_device()], chosen)
    return made


def open_session(file: Path, soc: Soc, options: Mapping[str, str]) -> ort.InferenceSession:
    """A session over a model, float, QDQ or compiled, with every node of it on the NPU.

    Raises:
        ProviderError: the NPU does not take it.
    """
    made = session_options(soc, options)
    try:
        session = ort.InferenceSession(file, sess_options=made)
    # ONNX Runtime's exceptions have no common base below Exception.
    except Exception as error:
        raise ProviderError(
            f"the NPU does not take {file}: {error}",
            "See what `annotate doctor` says, or work on the CPU: ANNOTATE_PROVIDER=cpu.",
        ) from error
    session.disable_fallback()
    placed = placement(session)
    if set(placed) != {PROVIDER}:
        raise ProviderError(
            f"not all of {file} is on the NPU: {placed}", "Work on the CPU: ANNOTATE_PROVIDER=cpu."
        )
    return session


def placement(session: ort.InferenceSession) -> dict[str, int]:
    """How many nodes of the model each execution provider has, where the session records it."""
    placed: dict[str, int] = {}
    for subgraph in session.get_provider_graph_assignment_info():
        nodes = len(subgraph.get_nodes())
        placed[subgraph.ep_name] = placed.get(subgraph.ep_name, 0) + nodes
    return placed


def _plugin() -> Any:
    try:
        import onnxruntime_qnn
    except ImportError as error:
        raise ProviderError(
            f"{PACKAGE} is not installed or does not load: {error}",
            f"Install it: `{install_command('npu')}`. On Linux it needs glibc 2.35, on Arm 2.34.",
        ) from error
    return onnxruntime_qnn


def device_kind() -> str:
    """What the plugin runs on, as ONNX Runtime calls it: `NPU`, `GPU`, or `CPU` (emulator).

    Raises:
        ProviderError: the plugin is not installed or does not load.
    """
    return str(_device().device.type.name)


def _device() -> ort.OrtEpDevice:
    """The plugin's device, best an NPU; registers the plugin at the first call in a process."""
    plugin = _plugin()
    if not _devices():
        try:
            ort.register_execution_provider_library(PROVIDER, plugin.get_library_path())
        # Another thread may have been quicker: then the devices are there.
        except Exception as error:
            if not _devices():
                raise ProviderError(
                    f"the QNN plugin of ONNX Runtime does not load: {error}",
                    "See what `annotate doctor` says of versions and architectures.",
                ) from error
    if not _devices():
        raise ProviderError(
            "the QNN plugin of ONNX Runtime finds no device here", "See `annotate doctor`."
        )
    return max(_devices(), key=lambda one: one.device.type == ort.OrtHardwareDeviceType.NPU)


def _devices() -> list[ort.OrtEpDevice]:
    return [device for device in ort.get_ep_devices() if device.ep_name == PROVIDER]


def _unknown(what: str, name: str, known: Mapping[str, object] | tuple[str, ...]) -> UsageError:
    near = get_close_matches(name, known, n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    return UsageError(what + meant, f"It can be {', '.join(known)}.")
