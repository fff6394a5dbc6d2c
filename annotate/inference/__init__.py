"""The models, loaded and ready to run: the only place that knows ONNX Runtime."""

from annotate.inference.session import Model, Models, load_models

__all__ = ["Model", "Models", "load_models"]
