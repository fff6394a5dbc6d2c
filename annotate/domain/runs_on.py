"""What the models of a job run on: part of its recipe, as poses of an NPU, a GPU and a CPU differ
a little. The number format, floats or 8 bits, is the model pack's, which the recipe holds too.
"""

CPU = "cpu"
NPU = "qnn"
# The emulator of the NPU that the plugin for x86-64 holds.
EMULATOR = "htp-emulator"
# Whatever each worker has.
MIXED = "mixed"

# All that models can run on, the execution providers of ONNX Runtime and the emulator.
PLACES = (CPU, NPU, EMULATOR, "cuda", "tensorrt", "openvino", "coreml", "dml")
