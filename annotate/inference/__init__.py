"""Loads and runs the models; the only package that imports ONNX Runtime.

From 1.29 on, ONNX Runtime sends names and digests of models and facts of the host to its maker, and
keeps a number of the device, unless it is told not to before it is imported.
"""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from annotate.inference.qnn import QnnSettings
from annotate.inference.session import CPUS, Model, Models, load_models

__all__ = ["CPUS", "Model", "Models", "QnnSettings", "load_models"]
