"""The models, loaded and ready to run: the only place that knows ONNX Runtime."""

from annotate.inference.qnn import QnnSettings
from annotate.inference.session import CPU, Model, Models, load_models

__all__ = ["CPU", "Model", "Models", "QnnSettings", "load_models"]
