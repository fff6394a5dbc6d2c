"""The ONNX graph that the conversion of a TF.js model writes: values that know their axes.

TF.js convolutions take (1, h, w, c), those of ONNX (1, c, h, w). So a value remembers in which
order its axes are stored: a Transpose of TF.js only changes that, and nodes that move data are
written only where an ONNX operator needs another order.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from annotate.domain.errors import PackError
from annotate.packs.onnx_writer import NO_MARGIN, TO_NCHW, Array, Margin, OnnxWriter
from annotate.packs.tfjs_graph import Node


@dataclass(frozen=True)
class Value:
    """A tensor that is computed.

    Attributes:
        name: in the ONNX graph.
        shape: in TF.js, padding included.
        order: of the axes in ONNX: its axis i holds the axis `order[i]` of TF.js.
        padding: of each axis of TF.js, before and after, not written yet: a convolution or pool
            that reads the value adds it. Empty where there is none.
        filling: what the padding holds.
    """

    name: str
    shape: tuple[int, ...]
    order: tuple[int, ...]
    padding: tuple[tuple[int, int], ...] = ()
    filling: float = 0.0

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """Shape in ONNX."""
        return tuple(self.shape[axis] for axis in self.order)

    @property
    def margin(self) -> Margin:
        """The padding of a picture (1, h, w, c)."""
        if not self.padding:
            return NO_MARGIN
        _, (top, bottom), (left, right), _ = self.padding
        return (top, left, bottom, right)

    def transposed(self, axes: tuple[int, ...]) -> "Value":
        """The same data; axis i of the new value is the axis `axes[i]` of this one."""
        return replace(
            self,
            shape=tuple(self.shape[axis] for axis in axes),
            order=tuple(axes.index(axis) for axis in self.order),
            padding=tuple(self.padding[axis] for axis in axes if self.padding),
        )


@dataclass
class TfjsBuilder(OnnxWriter):
    """An ONNX graph under construction.

    Attributes:
        constants: values by the node of TF.js.
        scale: height and width of the input, each over that which the model was made for.
    """

    constants: dict[str, Array]
    scale: tuple[float, float] = (1.0, 1.0)
    values: dict[str, Value] = field(default_factory=dict)
    _transposed: set[str] = field(init=False, default_factory=set)

    def constant(self, node: Node, place: int) -> Array:
        """The input number `place` of a node, which must be a constant."""
        name = node.inputs[place]
        if name not in self.constants:
            raise PackError(f"input {place} of {node.op} {node.name!r} is not a constant")
        return self.constants[name]

    def read_padded(self, node: Node, place: int = 0) -> Value:
        """The input number `place` of a node, perhaps with a padding."""
        name = node.inputs[place]
        if name not in self.values:
            raise PackError(f"{node.op} {node.name!r} reads the constant {name!r}")
        return self.values[name]

    def read(self, node: Node, place: int = 0) -> Value:
        """The input number `place` of a node, which must have no padding."""
        value = self.read_padded(node, place)
        if value.padding:
            raise _reads_padded(node)
        return value

    def read_picture(self, node: Node, filling: float) -> Value:
        """The first input of a node, (1, h, w, c), stored as (1, c, h, w), perhaps with a margin
        of `filling`.
        """
        value = self.read_padded(node)
        if value.padding:
            batch, _, _, channels = value.padding
            if any(batch + channels) or value.filling != filling:
                raise _reads_padded(node)
        return self.ordered(value, TO_NCHW)

    def ordered(self, value: Value, order: tuple[int, ...]) -> Value:
        """The value with its axes stored in another order; nothing is written if they are."""
        if value.order == order:
            return value
        perm = [value.order.index(axis) for axis in order]
        name = f"{value.name}_{''.join(map(str, perm))}"
        if name not in self._transposed:
            self._transposed.add(self.add("Transpose", [value.name], name, perm=perm))
        return replace(value, name=name, order=order)

    def finish(self, node: Node, value: Value, activation: str = "") -> None:
        """Makes `value` the output of a node, after the activation fused into that."""
        if activation == "Relu":
            value = replace(value, name=self.add("Relu", [value.name], f"{value.name}_relu"))
        elif activation == "Relu6":
            low = self.initializer("zero", np.array(0, np.float32))
            high = self.initializer("six", np.array(6, np.float32))
            inputs = [value.name, low, high]
            value = replace(value, name=self.add("Clip", inputs, f"{value.name}_clip"))
        elif activation:
            raise PackError(f"the activation {activation} of {node.name!r} is not supported")
        self.values[node.name] = value


def _reads_padded(node: Node) -> PackError:
    return PackError(f"{node.op} {node.name!r} reads a padded value, which is not supported")
