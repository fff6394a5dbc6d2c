"""Reads a TFLite flatbuffer into a plain graph of tensors and operators.

Source of the format: TensorFlow's `tensorflow/compiler/mlir/lite/schema/schema.fbs`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite

from annotate.domain.errors import PackError

Array = npt.NDArray[Any]

_FILE_IDENTIFIER = b"TFL3"
_OPERATOR_NAMES = {
    code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)
}
_OPTION_NAMES = {
    code: name for name, code in vars(tflite.BuiltinOptions).items() if isinstance(code, int)
}
_DTYPES = {
    tflite.TensorType.FLOAT32: np.dtype("<f4"),
    tflite.TensorType.FLOAT16: np.dtype("<f2"),
    tflite.TensorType.INT32: np.dtype("<i4"),
}
_SPARSE_INDEX_VECTORS = {
    tflite.SparseIndexVector.Int32Vector: tflite.Int32Vector,
    tflite.SparseIndexVector.Uint16Vector: tflite.Uint16Vector,
    tflite.SparseIndexVector.Uint8Vector: tflite.Uint8Vector,
}


@dataclass(frozen=True)
class Tensor:
    """A tensor of the graph: its name, its shape, and the dense values of a constant, else None."""

    name: str
    shape: tuple[int, ...]
    constant: Array | None


@dataclass(frozen=True)
class Operator:
    """One operator; `options` is the options table that the schema has for it, or None."""

    name: str
    options: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Graph:
    """The only subgraph of a model; operators refer to tensors by index."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def output_named(self, name: str) -> int:
        """Index of the output tensor `name`.

        Raises:
            PackError: the model has no such output.
        """
        for index in self.outputs:
            if self.tensors[index].name == name:
                return index
        raise PackError(f"the TFLite model has no output {name!r}")

    def readers(self, tensor: int) -> tuple[Operator, ...]:
        """The operators that take `tensor` as an input."""
        return tuple(operator for operator in self.operators if tensor in operator.inputs)

    def operators_for(self, outputs: tuple[int, ...]) -> tuple[Operator, ...]:
        """The operators that `outputs` depend on, in the order of the file."""
        needed = set(outputs)
        kept: list[Operator] = []
        for operator in reversed(self.operators):
            if needed.intersection(operator.outputs):
                needed.update(operator.inputs)
                kept.append(operator)
        return tuple(reversed(kept))


def read_graph(data: bytes) -> Graph:
    """The graph of the TFLite model `data`.

    Sparse constants become dense, so that their DENSIFY operators have no effect.

    Raises:
        PackError: not a TFLite model, several subgraphs, or a sparse layout or dtype that is not
            supported.
    """
    if data[4:8] != _FILE_IDENTIFIER:
        raise PackError("the file is not a TFLite model")
    model = tflite.Model.GetRootAs(data, 0)
    if model.SubgraphsLength() != 1:
        raise PackError(f"the TFLite model has {model.SubgraphsLength()} subgraphs instead of 1")
    subgraph = model.Subgraphs(0)
    return Graph(
        tensors=tuple(_tensor(model, subgraph.Tensors(i)) for i in range(subgraph.TensorsLength())),
        operators=tuple(
            _operator(model, subgraph.Operators(i)) for i in range(subgraph.OperatorsLength())
        ),
        inputs=tuple(subgraph.InputsAsNumpy().tolist()),
        outputs=tuple(subgraph.OutputsAsNumpy().tolist()),
    )


def _tensor(model: Any, table: Any) -> Tensor:
    name = table.Name().decode()
    shape = tuple(table.ShapeAsNumpy().tolist()) if table.ShapeLength() else ()
    buffer = model.Buffers(table.Buffer())
    if buffer.DataLength() == 0:
        return Tensor(name, shape, None)
    if table.Type() not in _DTYPES:
        raise PackError(f"TFLite tensor {name!r} has dtype {table.Type()}, which is not supported")
    values = buffer.DataAsNumpy().view(_DTYPES[table.Type()])
    if (sparsity := table.Sparsity()) is not None:
        values = _dense(name, values, shape, sparsity)
    return Tensor(name, shape, values.reshape(shape))


def _dense(name: str, values: Array, shape: tuple[int, ...], sparsity: Any) -> Array:
    """Values of a sparse tensor as a dense array (rows, columns).

    Supported is the layout of our models: all axes but the last are dense and in natural order, and
    the last one is in compressed rows, where the columns of row i are
    `indices[segments[i]:segments[i + 1]]`.
    """
    rank = len(shape)
    axes = [sparsity.DimMetadata(axis) for axis in range(rank)]
    formats = [axis.Format() for axis in axes]
    compressed_rows = [tflite.DimensionType.DENSE] * (rank - 1)
    compressed_rows.append(tflite.DimensionType.SPARSE_CSR)
    order = sparsity.TraversalOrderAsNumpy().tolist()
    if formats != compressed_rows or order != list(range(rank)) or sparsity.BlockMapLength():
        raise PackError(f"TFLite tensor {name!r} has a sparse layout that is not supported")
    last = axes[-1]
    segments = _index_vector(last.ArraySegmentsType(), last.ArraySegments())
    columns = _index_vector(last.ArrayIndicesType(), last.ArrayIndices())
    dense = np.zeros((len(segments) - 1, shape[-1]), values.dtype)
    dense[np.repeat(np.arange(len(dense)), np.diff(segments)), columns] = values
    return dense


def _index_vector(kind: int, table: Any) -> npt.NDArray[np.int64]:
    vector = _SPARSE_INDEX_VECTORS[kind]()
    vector.Init(table.Bytes, table.Pos)
    indices: npt.NDArray[np.int64] = vector.ValuesAsNumpy().astype(np.int64)
    return indices


def _operator(model: Any, table: Any) -> Operator:
    code = model.OperatorCodes(table.OpcodeIndex())
    # The older, narrower field holds codes below 127; there the newer one may be 0.
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    return Operator(
        name=_OPERATOR_NAMES[number],
        options=_options(table),
        inputs=tuple(table.InputsAsNumpy().tolist()),
        outputs=tuple(table.OutputsAsNumpy().tolist()),
    )


def _options(table: Any) -> Any:
    union = table.BuiltinOptions()
    if union is None:
        return None
    options = getattr(tflite, _OPTION_NAMES[table.BuiltinOptionsType()])()
    options.Init(union.Bytes, union.Pos)
    return options
