"""What AI Hub's compilers and devices do with models, done on this machine."""

import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
from google.protobuf.message import Message
from numpy.typing import NDArray
from qai_hub import public_api_pb2 as pb
from qai_hub.util.dataset_entries_converters import dataset_entries_to_h5, h5_to_dataset_entries

from annotate.domain.soc import Soc
from annotate.inference.compiled import _compile_model
from annotate.inference.quantization import calibrate, quantize
from tests.cpu_session import cpu_session

# How many convolutions at both ends stay float, so that the few crops of a test calibrate enough.
FLOAT_LAYERS = (8, 28)


def quantized(model: bytes, dataset: bytes) -> bytes:
    """The model in QDQ form, with 8-bit weights and activations, calibrated on a dataset."""
    with tempfile.TemporaryDirectory() as scratch:
        source, out = Path(scratch) / "source.onnx", Path(scratch) / "quantized.onnx"
        source.write_bytes(model)
        quantize(calibrate(source, _inputs(dataset)), out, FLOAT_LAYERS)
        return out.read_bytes()


def precompile(model: bytes, soc: Soc) -> bytes:
    """A zip of a context binary and the ONNX file that names it, as AI Hub makes it."""
    content = io.BytesIO()
    with tempfile.TemporaryDirectory() as scratch:
        source, out = Path(scratch) / "source.onnx", Path(scratch) / "model.onnx"
        source.write_bytes(model)
        _compile_model(source, soc, out)
        with zipfile.ZipFile(content, "w") as archive:
            for file in sorted(Path(scratch).glob("model*")):
                archive.write(file, f"model.onnx/{file.name}")
    return content.getvalue()


def profile(model: bytes) -> Message:
    """A profile: a millisecond, 1 to 12 MB, all nodes on the NPU except one."""
    nodes = onnx.load_model_from_string(model).graph.node
    units = [pb.COMPUTE_UNIT_CPU] + [pb.COMPUTE_UNIT_NPU] * (len(nodes) - 1)
    memory = pb.Range(lower=1_000_000, upper=12_000_000)
    return pb.ProfileDetail(
        execution_time=1042,
        major_version=1,
        minor_version=2,
        execution_memory=pb.ProfileDetail.MemoryUsage(increase=memory, peak=memory),
        layer_details=[
            pb.LayerDetail(name=node.name, layer_type_name=node.op_type, compute_unit=unit)
            for node, unit in zip(nodes, units, strict=True)
        ],
    )


def run(
    model: bytes, dataset: bytes, *, noise: float, rename_outputs: bool, channels_last: bool
) -> bytes:
    """The outputs of a model for a dataset of inputs, both as HDF5 files.

    Args:
        noise: standard deviation of what is added to every output, as a fraction of its greatest
            magnitude.
        rename_outputs: calls the outputs `output_0`, `output_1`, ...
        channels_last: gives maps of (1, C, H, W) as (1, H, W, C), where C is not the last axis.
    """
    inputs = _inputs(dataset)
    session = cpu_session(model)
    names = [output.name for output in session.get_outputs()]
    (input_name,) = inputs
    rows = [session.run(names, {input_name: one}) for one in inputs[input_name]]
    generator = np.random.default_rng(0)
    answers = {}
    for place, name in enumerate(names):
        clean = [np.asarray(row[place]) for row in rows]
        if channels_last and clean[0].ndim == 4:
            clean = [np.moveaxis(one, 1, -1) for one in clean]
        answers[f"output_{place}" if rename_outputs else name] = [
            (
                values + generator.normal(0, noise * float(np.abs(values).max()), values.shape)
            ).astype(np.float32)
            for values in clean
        ]
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        dataset_entries_to_h5(answers, file)
    return content.getvalue()


def _inputs(dataset: bytes) -> dict[str, list[NDArray[Any]]]:
    """The arrays of a dataset, an HDF5 file, by the input's name."""
    with h5py.File(io.BytesIO(dataset), "r") as file:
        return dict(h5_to_dataset_entries(file))
