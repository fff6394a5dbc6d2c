"""What a pack is compiled for at Qualcomm AI Hub, and how: the fields are options of the command
line.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from annotate.domain.flags import Flag

# The runtimes whose models hold binaries of the QAIRT SDK.
_OF_QAIRT = ("precompiled_qnn_onnx", "qnn_context_binary", "qnn_dlc")


class Runtime(StrEnum):
    """The runtimes that AI Hub compiles for."""

    ONNX = "onnx"
    PRECOMPILED = "precompiled_qnn_onnx"
    CONTEXT_BINARY = "qnn_context_binary"
    DLC = "qnn_dlc"
    TFLITE = "tflite"


class Precision(StrEnum):
    """The number formats that compiled models compute in."""

    FLOAT = "float"
    W8A8 = "w8a8"


class Component(StrEnum):
    """The models of a pack."""

    DETECTOR = "detector"
    LANDMARK = "landmark"


def _passed_on(step: str) -> str:
    return field(
        default="",
        metadata={"flag": Flag(f"Passed on to AI Hub's {step} jobs.", metavar="TEXT", default="")},
    )


@dataclass(frozen=True)
class HubOptions:
    """The target of the models, and options of AI Hub's jobs.

    Attributes:
        device: AI Hub's name of the device.
        runtime: what loads the compiled models.
        precision: `float`, or `w8a8` for 8-bit weights and activations.
        component: the model that is meant; None for both.
        qairt_version: the QAIRT SDK that compiles, such as `2.51`, `default` or `latest`; None is
            that of this host's plugin. Workers load only binaries that are not newer than theirs.
        quantize_options, compile_options, profile_options: as AI Hub's documentation writes them.
    """

    device: str = field(
        metadata={"flag": Flag("A name from `annotate models hub devices`.", metavar="NAME")}
    )
    runtime: Runtime = field(
        default=Runtime.PRECOMPILED, metadata={"flag": Flag("The runtime to compile for.")}
    )
    precision: Precision = field(
        default=Precision.FLOAT, metadata={"flag": Flag("float, or w8a8 for 8 bits.")}
    )
    component: Component | None = field(
        default=None, metadata={"flag": Flag("Only this model of the pack.", default="both")}
    )
    qairt_version: str | None = field(
        default=None,
        metadata={
            "flag": Flag(
                "The QAIRT SDK that compiles, or `latest`.",
                metavar="X.Y",
                default="that of this host's onnxruntime-qnn",
            )
        },
    )
    quantize_options: str = _passed_on("quantize")
    compile_options: str = _passed_on("compile")
    profile_options: str = _passed_on("profile")

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages of the pack that are meant."""
        return tuple(Component) if self.component is None else (self.component,)

    def of_compilation(self, runtime: str) -> str:
        """The options of a compile job for that runtime."""
        return _joined(f"--target_runtime {runtime}", self.of_link(runtime), self.compile_options)

    def of_link(self, runtime: str) -> str:
        """The options of a job that links a compiled model into a context binary."""
        wanted = self.qairt_version and runtime in _OF_QAIRT
        return f"--qairt_version {self.qairt_version}" if wanted else ""

    def of_quantization(self) -> str:
        """The options of a quantize job."""
        return _joined("--range_scheme min_max", self.quantize_options)


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
