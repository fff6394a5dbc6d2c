"""Each operator of the converter of TF.js models, on made models whose answer is known."""

import json
from typing import Any

import numpy as np
import onnx
import pytest

from annotate.domain.errors import PackError
from annotate.packs.tfjs_convert import convert_tfjs
from tests.cpu_session import cpu_session
from tests.tfjs_models import Array, TfjsModel, windows

ROUNDING = 1e-5
"""Largest difference of two float32 sums of some values about 1, in another order."""

RAMP = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
"""Its value is 4 * row + column."""


def run(model: TfjsModel, output: str, picture: Array) -> Array:
    """What the converted model says: (1, c, h, w)."""
    content = convert_tfjs(*model.files(), "test", ("image", "in"), {"result": output})
    session = cpu_session(content)
    (result,) = session.run(["result"], {"image": picture})
    return np.asarray(result)


def operators(model: TfjsModel, output: str) -> list[str]:
    """The operators of the converted model, but for those that only give an output its name."""
    content = convert_tfjs(*model.files(), "test", ("image", "in"), {"result": output})
    kinds = [node.op_type for node in onnx.load_from_string(content).graph.node]
    return [kind for kind in kinds if kind != "Identity"]


def picker(row: int, column: int, size: int = 3) -> Array:
    """A kernel (size, size, 1, 1) that gives the pixel at that place of its window."""
    kernel = np.zeros((size, size, 1, 1), np.float32)
    kernel[row, column] = 1
    return kernel


def convolved(kernel: Array, attributes: dict[str, Any], op: str = "Conv2D") -> TfjsModel:
    model = TfjsModel(1, 4, 4, 1)
    model.node("out", op, ["in", model.constant("kernel", kernel)], attributes)
    return model


@pytest.mark.parametrize("op", ["Conv2D", "DepthwiseConv2dNative"])
def test_at_stride_2_an_even_side_gets_its_zeros_at_the_end(op: str) -> None:
    first = run(convolved(picker(0, 0), windows("SAME", 2), op), "out", RAMP)
    assert first[0, 0].tolist() == [[0, 2], [8, 10]]
    last = run(convolved(picker(2, 2), windows("SAME", 2), op), "out", RAMP)
    assert last[0, 0].tolist() == [[10, 0], [0, 0]]


def test_at_stride_1_zeros_are_alike_on_both_sides() -> None:
    picked = run(convolved(picker(0, 0), windows("SAME", 1)), "out", RAMP)
    assert picked[0, 0].tolist() == [[0, 0, 0, 0], [0, 0, 1, 2], [0, 4, 5, 6], [0, 8, 9, 10]]


def test_without_padding_only_whole_windows_count() -> None:
    picked = run(convolved(picker(1, 1), windows("VALID", 1)), "out", RAMP)
    assert picked[0, 0].tolist() == [[5, 6], [9, 10]]


def test_dilated_window() -> None:
    picked = run(convolved(picker(1, 1, 2), windows("VALID", 1, dilation=3)), "out", RAMP)
    assert picked[0, 0].tolist() == [[15]]


def test_channels_are_mixed_as_the_weights_say() -> None:
    model = TfjsModel(1, 2, 2, 2)
    weights = np.array([[1, 0, 2], [0, 10, -1]], np.float32).reshape(1, 1, 2, 3)
    model.node("out", "Conv2D", ["in", model.constant("w", weights)], windows("SAME", 1))
    picture = np.array([[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]], np.float32)
    result = run(model, "out", picture)
    assert result[0].tolist() == [[[1, 3], [5, 7]], [[20, 40], [60, 80]], [[0, 2], [4, 6]]]


def test_depthwise_gives_several_outputs_for_each_channel() -> None:
    model = TfjsModel(1, 1, 1, 2)
    weights = np.array([[1, 2], [3, 4]], np.float32).reshape(1, 1, 2, 2)
    kernel = model.constant("w", weights)
    model.node("out", "DepthwiseConv2dNative", ["in", kernel], windows("SAME", 1))
    result = run(model, "out", np.array([[[[10, 100]]]], np.float32))
    assert result.ravel().tolist() == [10, 20, 300, 400]


@pytest.mark.parametrize(
    ("fused", "answer"),
    [
        (["BiasAdd"], [-4.0, 2.0, 9.0]),
        (["BiasAdd", "Relu"], [0.0, 2.0, 9.0]),
        (["BiasAdd", "Relu6"], [0.0, 2.0, 6.0]),
    ],
)
@pytest.mark.parametrize("op", ["_FusedConv2D", "FusedDepthwiseConv2dNative"])
def test_bias_and_activation_are_fused(op: str, fused: list[str], answer: list[float]) -> None:
    model = TfjsModel(1, 1, 3, 1)
    inputs = ["in", model.constant("w", picker(0, 0, 1))]
    inputs.append(model.constant("bias", np.array([1], np.float32)))
    model.node("out", op, inputs, windows("SAME", 1, fused))
    picture = np.array([-5, 1, 8], np.float32).reshape(1, 1, 3, 1)
    assert run(model, "out", picture).ravel().tolist() == answer


@pytest.mark.parametrize(
    ("flags", "answer"),
    [
        ({"half_pixel_centers": True}, [0, 1, 3, 4]),
        ({"align_corners": True}, [0, 4 / 3, 8 / 3, 4]),
        ({}, [0, 2, 4, 4]),
    ],
    ids=["half pixel centres", "corners aligned", "neither"],
)
def test_enlarging(flags: dict[str, bool], answer: list[float]) -> None:
    model = TfjsModel(1, 1, 2, 1)
    size = model.constant("size", np.array([1, 4], np.int32))
    model.node("out", "ResizeBilinear", ["in", size], flags)
    result = run(model, "out", np.array([0, 4], np.float32).reshape(1, 1, 2, 1))
    np.testing.assert_allclose(result.ravel(), answer, rtol=0, atol=ROUNDING)


def test_halving_takes_the_mean_of_four() -> None:
    model = TfjsModel(1, 4, 4, 1)
    size = model.constant("size", np.array([2, 2], np.int32))
    model.node("out", "ResizeBilinear", ["in", size], {"half_pixel_centers": True})
    assert run(model, "out", RAMP)[0, 0].tolist() == [[2.5, 4.5], [10.5, 12.5]]


def test_sum_of_a_value_and_its_enlarged_half() -> None:
    model = TfjsModel(1, 2, 2, 1)
    half = model.constant("half", np.array([1, 1], np.int32))
    whole = model.constant("whole", np.array([2, 2], np.int32))
    mode = {"half_pixel_centers": True}
    small = model.node("small", "ResizeBilinear", ["in", half], mode)
    large = model.node("large", "ResizeBilinear", [small, whole], mode)
    model.node("out", "AddV2", [large, "in"])
    picture = np.array([0, 2, 4, 6], np.float32).reshape(1, 2, 2, 1)
    assert run(model, "out", picture)[0, 0].tolist() == [[3, 5], [7, 9]]


def test_leaky_relu() -> None:
    model = TfjsModel(1, 1, 2, 1)
    model.node("out", "LeakyRelu", ["in"], {"alpha": 0.25})
    result = run(model, "out", np.array([-4, 4], np.float32).reshape(1, 1, 2, 1))
    assert result.ravel().tolist() == [-1, 4]


def test_padding_before_a_convolution_and_before_a_maximum() -> None:
    model = TfjsModel(1, 4, 4, 1)
    amounts = model.constant("amounts", np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32))
    least = model.constant("least", np.array(-np.inf, np.float32))
    padded = model.node("padded", "PadV2", ["in", amounts, least])
    pool = windows("VALID", 2) | {"ksize": [1, 3, 3, 1]}
    pooled = model.node("pooled", "MaxPool", [padded], pool)
    zeros = model.node("zeros", "Pad", [pooled, amounts])
    kernel = model.constant("kernel", picker(0, 0))
    model.node("out", "Conv2D", [zeros, kernel], windows("VALID", 1))
    # The largest of each window of -RAMP: where zeros would be, they would be larger.
    assert run(model, "pooled", -1 - RAMP)[0, 0].tolist() == [[-1, -2], [-5, -6]]
    assert run(model, "out", -1 - RAMP)[0, 0].tolist() == [[0, 0], [0, -1]]
    assert operators(model, "out") == ["Transpose", "MaxPool", "Conv"]


def channels_first() -> TfjsModel:
    """A convolution, a bias and a concatenation, as onnx-tf writes them: channels first between."""
    model = TfjsModel(1, 2, 3, 4)
    there = model.transposed("there", "in", 0, 2, 3, 1)
    weights = model.constant("weights", np.eye(2, dtype=np.float32).reshape(1, 1, 2, 2))
    value = model.node("conv", "Conv2D", [there, weights], windows("VALID", 1))
    bias = model.constant("bias", np.array([100, 200], np.float32))
    value = model.transposed("back", model.node("sum", "Add", [value, bias]), 0, 3, 1, 2)
    axis = model.constant("axis", np.array(1, np.int32))
    model.node("out", "ConcatV2", [value, "in", axis])
    return model


def test_transposes_of_channels_cost_nothing() -> None:
    picture = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)
    result = run(channels_first(), "out", picture)
    expected = np.concatenate([picture + np.array([100, 200]).reshape(1, 2, 1, 1), picture], 1)
    np.testing.assert_array_equal(result, expected)
    assert operators(channels_first(), "out") == ["Conv", "Add", "Concat"]


def test_values_in_different_orders_meet() -> None:
    model = TfjsModel(1, 2, 2, 1)
    kernel = model.constant("kernel", 2 * picker(0, 0, 1))
    twice = model.node("twice", "Conv2D", ["in", kernel], windows("SAME", 1))
    model.node("out", "Add", ["in", twice])
    picture = np.array([1, 2, 3, 4], np.float32).reshape(1, 2, 2, 1)
    assert run(model, "out", picture).ravel().tolist() == [3, 6, 9, 12]


def test_weights_stored_as_half_floats() -> None:
    model = TfjsModel(1, 1, 1, 1)
    kernel = model.constant("kernel", np.full((1, 1, 1, 1), 1 / 3, np.float32), "float16")
    model.node("out", "Conv2D", ["in", kernel], windows("SAME", 1))
    (result,) = run(model, "out", np.ones((1, 1, 1, 1), np.float32)).ravel()
    assert result == np.float32(np.float16(1 / 3))


def test_only_what_lies_between_the_cuts_is_converted() -> None:
    model = TfjsModel(1, 2, 2, 1)
    model.node("before", "Strange", ["in"])
    kernel = model.constant("kernel", picker(0, 0, 1))
    model.node("head", "Conv2D", ["before", kernel], windows("SAME", 1))
    model.node("out", "Strange", ["head"])
    files = model.files()
    convert_tfjs(*files, "test", ("image", "before"), {"result": "head"})
    with pytest.raises(PackError, match="Strange"):
        convert_tfjs(*files, "test", ("image", "before"), {"result": "out"})
    with pytest.raises(PackError, match="besides 'head'"):
        convert_tfjs(*files, "test", ("image", "head"), {"result": "before"})


def test_another_size_of_the_input_changes_sizes_in_proportion() -> None:
    model = TfjsModel(1, 8, 8, 3)
    weights = model.constant("weights", np.ones((3, 3, 3, 1), np.float32))
    small = model.node("small", "Conv2D", ["in", weights], windows("SAME", 2))
    size = model.constant("size", np.array([8, 8], np.int32))
    model.node("out", "ResizeBilinear", [small, size], {"half_pixel_centers": True})
    content = convert_tfjs(*model.files(), "test", ("image", "in"), {"result": "out"}, (8, 6))
    session = cpu_session(content)
    (result,) = session.run(["result"], {"image": np.ones((1, 8, 6, 3), np.float32)})
    assert np.asarray(result).shape == (1, 1, 8, 6)


def test_another_size_of_an_input_that_is_no_picture_is_refused() -> None:
    with pytest.raises(PackError, match="not pictures"):
        convert_tfjs(*channels_first().files(), "test", ("image", "in"), {"a": "out"}, (4, 4))


def damaged(**changes: Any) -> bytes:
    """The JSON of a model of one node, with changes to its constant's entry."""
    model = json.loads(convolved(picker(0, 0), windows("SAME", 1)).files()[0])
    model["weightsManifest"][0]["weights"][0].update(changes)
    return json.dumps(model).encode()


@pytest.mark.parametrize(
    ("model", "weights", "message"),
    [
        (b"\x00", b"", "not a TF.js graph model"),
        (b"[]", b"", "not a TF.js graph model"),
        (b"{}", b"", "not a TF.js graph model"),
        (damaged(), bytes(35), "truncated"),
        (damaged(), bytes(37), "36 bytes of weights, not 37"),
        (damaged(shape=None), bytes(36), "not a TF.js graph model"),
        (damaged(quantization={"dtype": "uint8"}), bytes(9), "uint8"),
    ],
)
def test_damaged_files_are_refused(model: bytes, weights: bytes, message: str) -> None:
    with pytest.raises(PackError, match=message):
        convert_tfjs(model, weights, "test", ("image", "in"), {"result": "out"})


def refused(model: TfjsModel, output: str = "out") -> str:
    with pytest.raises(PackError) as caught:
        convert_tfjs(*model.files(), "test", ("image", "in"), {"result": output})
    return caught.value.message


def test_what_the_converter_does_not_know_is_refused() -> None:
    kernel = picker(0, 0)
    channels_first = windows("SAME", 1) | {"data_format": "NCHW"}
    assert "of Conv2D 'out' are not supported" in refused(convolved(kernel, channels_first))
    assert "padding" in refused(convolved(kernel, windows("EXPLICIT", 1)))
    assert "FusedBatchNorm" in refused(convolved(kernel, windows("SAME", 1, ["FusedBatchNorm"])))
    assert "Elu" in refused(convolved(kernel, windows("SAME", 1, ["", "Elu"])))
    assert "no attribute 'padding'" in refused(
        convolved(kernel, {"data_format": "NHWC", "dilations": [1] * 4, "strides": [1] * 4})
    )
    assert "nowhere" in refused(TfjsModel(1, 1, 1, 1), "nowhere")


def test_nodes_that_form_a_cycle_are_refused() -> None:
    model = TfjsModel(1, 1, 1, 1)
    model.node("one", "LeakyRelu", ["out"], {"alpha": 0.1})
    model.node("out", "LeakyRelu", ["one"], {"alpha": 0.1})
    assert "cycle" in refused(model)


def test_padding_that_is_read_by_another_operator_is_refused() -> None:
    model = TfjsModel(1, 4, 4, 1)
    amounts = model.constant("amounts", np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32))
    padded = model.node("padded", "Pad", ["in", amounts])
    model.node("out", "LeakyRelu", [padded], {"alpha": 0.1})
    model.node("pooled", "MaxPool", [padded], windows("VALID", 2) | {"ksize": [1, 3, 3, 1]})
    assert "LeakyRelu 'out' reads a padded value" in refused(model)
    assert "MaxPool 'pooled' reads a padded value" in refused(model, "pooled")
    assert "'padded' of the TF.js model cannot be an output" in refused(model, "padded")
