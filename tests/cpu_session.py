"""A session of ONNX Runtime for tests."""

from pathlib import Path

import onnxruntime as ort

from annotate.inference.cpu import cpu_options


def cpu_session(model: bytes | Path) -> ort.InferenceSession:
    """The model on one thread: those of a default session spin on every core."""
    return ort.InferenceSession(model, cpu_options(), providers=["CPUExecutionProvider"])
