"""Options of sessions on the CPU, and whether it sums 8-bit products exactly."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime as ort

if TYPE_CHECKING:
    import onnx

# Products of 255 and 127 in the sums of the test: two of them exceed 16 bits.
_TERMS = 64
_LARGEST_UNSIGNED, _LARGEST_SIGNED = 255, 127


def cpu_options(threads: int = 1, *, exact_sums: bool = False) -> ort.SessionOptions:
    """Options of a session on the CPU.

    Args:
        threads: number of threads of the model.
        exact_sums: whether sums of 8-bit products must be computed in a slower, exact way. On
            x86-64 CPUs without VNNI they silently overflow otherwise: the median error of landmarks
            of an 8-bit model was 3.5% of the crop, and 0.33% with this.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    if exact_sums:
        options.add_session_config_entry("session.x64quantprecision", "1")
    return options


def is_quantized(file: Path) -> bool:
    """Whether an ONNX model has 8-bit layers; False where the file cannot be read."""
    try:
        return b"QuantizeLinear" in file.read_bytes()
    except OSError:
        return False


@lru_cache(maxsize=1)
def sums_need_care() -> bool:
    """Whether this CPU's sums of 8-bit products overflow by default, found by computing one."""
    session = ort.InferenceSession(
        _sum_model().SerializeToString(),
        sess_options=cpu_options(),
        providers=["CPUExecutionProvider"],
    )
    row = np.full((1, _TERMS), _LARGEST_UNSIGNED, np.uint8)
    (total,) = session.run(None, {"row": row})
    return bool((total != _TERMS * _LARGEST_UNSIGNED * _LARGEST_SIGNED).any())


def _sum_model() -> "onnx.ModelProto":
    """A row of unsigned bytes times a matrix of the largest signed byte."""
    from onnx import TensorProto, helper  # few models are 8-bit ones

    matrix = np.full((_TERMS, _TERMS), _LARGEST_SIGNED, np.int8)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["row", "matrix"], ["total"])],
        "sums",
        [helper.make_tensor_value_info("row", TensorProto.UINT8, [1, _TERMS])],
        [helper.make_tensor_value_info("total", TensorProto.INT32, [1, _TERMS])],
        [helper.make_tensor("matrix", TensorProto.INT8, matrix.shape, matrix.tobytes(), raw=True)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
