"""Sessions on the Hexagon NPU through QNN that never fall back to the CPU silently.

QNN is a plugin of ONNX Runtime. By default there are four silent failures: the name in
`providers=[...]` gives the CPU; unsupported nodes go to the CPU; a failed run is repeated on the
CPU; unknown options are ignored. So this module registers the plugin and adds its device, disables
both fallbacks, reads back where each node was placed, and validates the options itself.
"""

import os
import sys
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
from annotate.domain.runs_on import EMULATOR, NPU
from annotate.domain.settings import NpuPerformance
from annotate.domain.soc import SOCS, Soc
from annotate.host import emulates_npu, is_emulated_on_arm, this_soc
from annotate.inference.placement import placement

PROVIDER = "QNNExecutionProvider"
PACKAGE = "onnxruntime-qnn"
# The plugin's folder of libraries for x86-64 processes on Arm hosts.
ARM64EC = "arm64ec"

# The options that a user may set, with their allowed values; an empty tuple allows any value. None
# of them changes a compiled variant.
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
    # With 1, the CPU would quantize the inputs and outputs of QDQ models.
    "offload_graph_io_quantization": "0",
}


@dataclass(frozen=True)
class QnnSettings:
    """How the NPU is used.

    Attributes:
        soc: the SoC of this host; None detects it.
        options: options of the execution provider that override the defaults; see `OPTIONS`.
        cache: folder for models compiled on this host; None is the user's cache folder.
        npu: number of the NPU to use, where the SoC has several.
    """

    soc: Soc | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    cache: Path | None = None
    npu: int = 0


def label() -> str:
    """The provider that QNN is on this host: `qnn`, or `htp-emulator` where it emulates the NPU."""
    return EMULATOR if emulates_npu() else NPU


def check_options(options: Mapping[str, str]) -> None:
    """Checks options of the execution provider against `OPTIONS`.

    Raises:
        UsageError: an option does not exist, or does not allow the value.
    """
    for name, value in options.items():
        if name not in OPTIONS:
            raise _unknown(f"the NPU has no option {name!r} to set", name, OPTIONS)
        if OPTIONS[name] and value not in OPTIONS[name]:
            raise _unknown(f"the NPU's option {name} cannot be {value!r}", value, OPTIONS[name])


def soc_of(settings: QnnSettings) -> Soc:
    """The SoC to make sessions for; the emulator uses the first known one.

    Raises:
        ProviderError: the SoC of this host is not known.
    """
    soc = settings.soc or this_soc()
    if soc is None and emulates_npu():
        soc = SOCS[0]
    if soc is None:
        raise ProviderError(
            "the SoC of this host is not known, and QNN needs it",
            f"Set ANNOTATE_SOC to one of {', '.join(one.name for one in SOCS)}.",
        )
    return soc


def versions() -> dict[str, str | None]:
    """Versions of ONNX Runtime, its QNN plugin, and the plugin's QAIRT SDK; None where missing."""
    found: dict[str, str | None] = {"onnxruntime": ort.__version__, PACKAGE: None, "QAIRT": None}
    with suppress(PackageNotFoundError, ProviderError):
        found[PACKAGE] = version(PACKAGE)
        found["QAIRT"] = sdk_version()
    return found


def sdk_version() -> str:
    """Version of the QAIRT SDK inside the plugin.

    Raises:
        ProviderError: the plugin is not installed.
    """
    return str(_plugin().build_and_package_info.qnn_version)


def session_options(soc: Soc, options: Mapping[str, str], npu: int = 0) -> ort.SessionOptions:
    """Options of a session that runs on the NPU of that number and nowhere else.

    Raises:
        ProviderError: the plugin is not installed or does not load.
        UsageError: an option is unknown.
    """
    check_options(options)
    made = ort.SessionOptions()
    made.intra_op_num_threads = 1  # nothing runs on the CPU
    made.log_severity_level = 4  # errors are raised anyway
    made.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    made.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    chosen = {**_DEFAULTS, **options, "soc_model": str(soc.soc_model)}
    device = _device()
    listed = [one for one in _devices() if _is_npu(one)]
    if len(listed) > 1:  # each NPU is a device of its own
        device = listed[npu % len(listed)]
    elif npu:
        chosen["device_id"] = str(npu)
    made.add_provider_for_devices([device], chosen)
    return made


def open_session(
    file: Path, soc: Soc, options: Mapping[str, str], npu: int = 0
) -> ort.InferenceSession:
    """A session for a float, QDQ or compiled model, with every node on the NPU of that number.

    Raises:
        ProviderError: the NPU does not accept the model.
    """
    made = session_options(soc, options, npu)
    try:
        session = ort.InferenceSession(file, sess_options=made)
    # ONNX Runtime's exceptions have no common base below Exception.
    except Exception as error:
        raise ProviderError(
            f"the NPU does not accept {file}: {error}",
            rejected_hint(soc, "Run `annotate doctor`, or use the CPU: ANNOTATE_PROVIDER=cpu."),
        ) from error
    session.disable_fallback()
    placed = placement(session)
    if set(placed) != {PROVIDER}:
        raise ProviderError(
            f"not every node of {file} is on the NPU: {placed}",
            "Use the CPU: ANNOTATE_PROVIDER=cpu.",
        )
    return session


def rejected_hint(soc: Soc, otherwise: str) -> str:
    """What to do where the NPU of `soc` does not accept a model."""
    if soc.has_float16:
        return otherwise
    return (
        f"The NPU of {soc.title} runs quantized models only: `annotate models quantize`, "
        "then compile or use that pack."
    )


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
    """The plugin's kind of device in ONNX Runtime's words: `NPU`, `GPU`, or `CPU` (emulator).

    Raises:
        ProviderError: the plugin is not installed or does not load.
    """
    return str(_device().device.type.name)


def _device() -> ort.OrtEpDevice:
    """The plugin's device, preferably an NPU. The first call in a process registers the plugin."""
    plugin = _plugin()
    if not _devices():
        try:
            ort.register_execution_provider_library(PROVIDER, str(_library(plugin)))
        # Another thread may have registered it at the same time: then its devices are listed.
        except Exception as error:
            if not _devices():
                raise ProviderError(
                    f"the QNN plugin of ONNX Runtime does not load: {error}",
                    "Run `annotate doctor` and compare the versions and architectures.",
                ) from error
    if not _devices():
        raise ProviderError(
            "the QNN plugin of ONNX Runtime finds no device on this host", "Run `annotate doctor`."
        )
    best = max(_devices(), key=_is_npu)
    if not _is_npu(best) and not emulates_npu():
        raise ProviderError(
            f"the QNN plugin finds no NPU on this host, only a {best.device.type.name}",
            "Install the NPU's driver, and run `annotate doctor`.",
        )
    return best


def _is_npu(device: ort.OrtEpDevice) -> bool:
    return bool(device.device.type == ort.OrtHardwareDeviceType.NPU)


def _library(plugin: Any) -> Path:
    """The plugin's library for this process.

    On an Arm host that emulates x86-64, the plugin itself would choose its libraries for x86-64
    hosts, which only emulate the NPU (onnxruntime-qnn 2.7: it looks at `platform.machine()`).

    Raises:
        ProviderError: the plugin has none that reaches the NPU.
    """
    library = Path(plugin.get_library_path())
    if is_emulated_on_arm():
        library = library.parent.parent / ARM64EC / library.name
        if not library.exists():
            raise ProviderError(
                f"{PACKAGE} has no libraries for emulated Python on Arm ({library})",
                f"Install {PACKAGE} 2.7 or newer, or use the CPU: ANNOTATE_PROVIDER=cpu.",
            )
        _add_library_folder(library.parent)
    if not emulates_npu():
        # Where the NPU's driver looks for the parts of QNN that run on the NPU.
        os.environ.setdefault("ADSP_LIBRARY_PATH", str(library.parent))
    return library


def _add_library_folder(folder: Path) -> None:
    if sys.platform == "win32":
        os.add_dll_directory(str(folder))
        os.environ["PATH"] = str(folder) + os.pathsep + os.environ.get("PATH", "")


def _devices() -> list[ort.OrtEpDevice]:
    return [device for device in ort.get_ep_devices() if device.ep_name == PROVIDER]


def _unknown(what: str, name: str, known: Mapping[str, object] | tuple[str, ...]) -> UsageError:
    near = get_close_matches(name, known, n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    return UsageError(what + meant, f"Valid are {', '.join(known)}.")
