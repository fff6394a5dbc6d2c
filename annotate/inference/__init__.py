"""Loads and runs the models; the only package that imports ONNX Runtime."""

from annotate.inference.qnn import QnnSettings
from annotate.inference.session import CPU, Model, Models, load_models

__all__ = ["CPU", "Model", "Models", "QnnSettings", "load_models"]
