"""Proves that this host has an NPU that runs models, with a model of one convolution."""

import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from annotate.domain.errors import AnnotateError, ProviderError
from annotate.domain.soc import Soc
from annotate.host import npus
from annotate.inference.isolated import run_isolated
from annotate.inference.qnn import QnnSettings, open_session, soc_of

# Channels and side of the picture, in pixels.
_CHANNELS, _SIDE = 4, 8
# Largest difference of a result of about 1 in float16.
_TOLERANCE = 0.01


def working_npus(soc: Soc | None) -> tuple[int, ...]:
    """Numbers of the NPUs of this host that run a model; empty where none does.

    Args:
        soc: the SoC of this host; None detects it.
    """
    found = []
    with suppress(AnnotateError):
        known = soc_of(QnnSettings(soc))
        for npu in npus(known):
            with suppress(AnnotateError):
                run_isolated(run_small_model, known, npu)
                found.append(npu)
    return tuple(found)


def why_no_npu(soc: Soc | None) -> str:
    """Why this host has no NPU to run models on, or an empty text: it has one, which ran one.

    Args:
        soc: the SoC of this host; None detects it.
    """
    try:
        # Fast where there is none: no library is loaded.
        found = soc_of(QnnSettings(soc))
        run_isolated(run_small_model, found)
    except AnnotateError as error:
        return error.message
    return ""


def run_small_model(soc: Soc, npu: int = 0) -> None:
    """Runs a model of one convolution on the NPU of that number, in this process.

    Raises:
        ProviderError: the NPU does not run it, or its answer is wrong.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        file = Path(folder) / "convolution.onnx"
        onnx.save(_model(), file)
        session = open_session(file, soc, {}, npu)
        picture = np.full((1, _CHANNELS, _SIDE, _SIDE), 0.5, np.float32)
        (answer,) = session.run(None, {"picture": picture})
    if not np.allclose(answer, picture.mean(), atol=_TOLERANCE):
        raise ProviderError(
            "the NPU gives a wrong answer to a small model",
            "Run `annotate doctor`, or use the CPU: ANNOTATE_PROVIDER=cpu.",
        )


def _model() -> onnx.ModelProto:
    """The mean over channels, as a convolution."""
    weights = np.full((1, _CHANNELS, 1, 1), 1 / _CHANNELS, np.float32)
    picture = helper.make_tensor_value_info(
        "picture", TensorProto.FLOAT, [1, _CHANNELS, _SIDE, _SIDE]
    )
    mean = helper.make_tensor_value_info("mean", TensorProto.FLOAT, [1, 1, _SIDE, _SIDE])
    graph = helper.make_graph(
        [helper.make_node("Conv", ["picture", "weights"], ["mean"])],
        "convolution",
        [picture],
        [mean],
        [helper.make_tensor("weights", TensorProto.FLOAT, weights.shape, weights.ravel())],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
