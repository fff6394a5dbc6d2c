"""The models, loaded and ready to run: the only place that knows ONNX Runtime."""

from annotate.inference.qnn import QnnSettings
from annotate.inference.session import CPU, Model, Models, Provider, checked_provider, load_models

__all__ = ["CPU", "Model", "Models", "Provider", "QnnSettings", "checked_provider", "load_models"]
