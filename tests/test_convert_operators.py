"""Each operator of the converter against TFLite's interpreter."""

from dataclasses import replace

import numpy as np
import pytest
import tflite
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from annotate.domain.errors import PackError
from annotate.packs.convert import convert
from tests.cpu_session import cpu_session
from tests.tflite_models import Array, OneOperator

ROUNDING = 1e-5
"""Largest difference of two float32 sums of a few hundred values near 1, added in another order."""

SAME, VALID = tflite.Padding.SAME, tflite.Padding.VALID
NONE, RELU6 = tflite.ActivationFunctionType.NONE, tflite.ActivationFunctionType.RELU6


def normal(*shape: int) -> Array:
    return np.random.default_rng(7).normal(size=shape).astype(np.float32)


def convolution(
    side: tuple[int, int], kernel: int, padding: int, stride: int, dilation: int = 1
) -> OneOperator:
    options = {"Padding": padding, "StrideH": stride, "StrideW": stride}
    options |= {"DilationHFactor": dilation, "DilationWFactor": dilation}
    options |= {"FusedActivationFunction": RELU6}
    constants = (normal(5, kernel, kernel, 3), normal(5))
    return OneOperator("CONV_2D", (1, *side, 3), constants, "Conv2DOptions", options)


def depthwise(multiplier: int) -> OneOperator:
    options = {"Padding": SAME, "StrideH": 2, "StrideW": 2, "DepthMultiplier": multiplier}
    options |= {"DilationHFactor": 1, "DilationWFactor": 1, "FusedActivationFunction": NONE}
    constants = (normal(1, 3, 3, 4 * multiplier), normal(4 * multiplier))
    kind = "DepthwiseConv2DOptions"
    return OneOperator("DEPTHWISE_CONV_2D", (1, 8, 8, 4), constants, kind, options)


def max_pool(side: int, padding: int) -> OneOperator:
    options = {"Padding": padding, "StrideH": 2, "StrideW": 2, "FilterHeight": 3}
    options |= {"FilterWidth": 3, "FusedActivationFunction": NONE}
    return OneOperator("MAX_POOL_2D", (1, side, side, 2), (), "Pool2DOptions", options)


def resize(to: tuple[int, int], **options: int) -> OneOperator:
    constants = (np.array(to, np.int32),)
    kind = "ResizeBilinearOptions"
    return OneOperator("RESIZE_BILINEAR", (1, 6, 8, 3), constants, kind, options)


def concatenation(shape: tuple[int, ...], axis: int) -> OneOperator:
    options = {"Axis": axis, "FusedActivationFunction": NONE}
    kind = "ConcatenationOptions"
    return OneOperator("CONCATENATION", shape, (), kind, options, repeat_input=2)


def addition(activation: int) -> OneOperator:
    options = {"FusedActivationFunction": activation}
    return OneOperator("ADD", (1, 4, 4, 3), (), "AddOptions", options, repeat_input=2)


def padding(*amounts: tuple[int, int]) -> OneOperator:
    constants = (np.array(amounts, np.int32),)
    return OneOperator("PAD", (1, 3, 3, 2), constants, "PadOptions")


OPERATORS = {
    "convolution, no padding": convolution((7, 9), 3, VALID, 1),
    "convolution, padded alike on both sides": convolution((7, 9), 3, SAME, 1),
    "convolution, stride 2 on even sides: one more zero at the end": convolution(
        (8, 6), 3, SAME, 2
    ),
    "convolution, stride 2 on odd sides": convolution((7, 9), 3, SAME, 2),
    "convolution, even kernel": convolution((7, 9), 2, SAME, 1),
    "convolution, dilated": convolution((11, 9), 3, SAME, 1, dilation=2),
    "depthwise": depthwise(1),
    "depthwise, two outputs for each input channel": depthwise(2),
    "max pool, no padding": max_pool(7, VALID),
    "max pool, padded": max_pool(8, SAME),
    "resize, half pixel centres, enlarging": resize((12, 16), HalfPixelCenters=1),
    "resize, half pixel centres, odd factor": resize((15, 11), HalfPixelCenters=1),
    "resize, corners aligned": resize((11, 15), AlignCorners=1),
    "resize, neither": resize((12, 16)),
    "add": addition(NONE),
    "add, clipped to 0..6": addition(RELU6),
    "concatenate the rows of pictures": concatenation((1, 4, 5, 3), 1),
    "concatenate the channels of pictures": concatenation((1, 4, 5, 3), 3),
    "concatenate, axis counted from the end": concatenation((1, 4, 5, 3), -2),
    "depth to space": OneOperator(
        "DEPTH_TO_SPACE", (1, 3, 5, 8), (), "DepthToSpaceOptions", {"BlockSize": 2}
    ),
    "reshape of a picture": OneOperator("RESHAPE", (1, 3, 5, 4), (np.array([1, 30, 2], np.int32),)),
    "pad the channels": padding((0, 0), (0, 0), (0, 0), (1, 2)),
    "logistic": OneOperator("LOGISTIC", (1, 3, 5, 4)),
}


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS.keys())
def test_operator_gives_what_the_interpreter_gives(operator: OneOperator) -> None:
    # Twice the spread of a normal distribution, so that clipping at 0 and 6 both happen.
    picture = 2 * normal(*operator.input_shape)
    expected = run_tflite(operator, picture)
    model = convert(operator.model(expected.shape), "test", "image", {"result": "out"})
    session = cpu_session(model)
    (result,) = session.run(["result"], {"image": picture})
    assert result.shape == expected.shape
    np.testing.assert_allclose(result, expected, rtol=ROUNDING, atol=ROUNDING)


def run_tflite(operator: OneOperator, picture: Array) -> Array:
    # The interpreter works out the output's shape for itself, so the placeholder does no harm.
    interpreter = Interpreter(
        model_content=operator.model((1,)),
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture)
    interpreter.invoke()
    output: Array = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return output


def test_unknown_operator_is_named() -> None:
    model = OneOperator("TANH", (1, 3, 3, 1)).model((1, 3, 3, 1))
    with pytest.raises(PackError, match="TANH"):
        convert(model, "test", "image", {"result": "out"})


def test_unknown_activation_is_refused() -> None:
    operator = addition(tflite.ActivationFunctionType.TANH)
    with pytest.raises(PackError, match="activation"):
        convert(operator.model((1, 4, 4, 3)), "test", "image", {"result": "out"})


def test_padding_of_the_batch_is_refused() -> None:
    with pytest.raises(PackError, match="batch"):
        convert(
            padding((0, 1), (0, 0), (0, 0), (0, 0)).model((2, 3, 3, 2)),
            "test",
            "image",
            {"result": "out"},
        )


def test_padding_that_no_convolution_reads_is_refused() -> None:
    operator = padding((0, 0), (1, 1), (1, 1), (0, 0))
    with pytest.raises(PackError, match="out"):
        convert(operator.model((1, 5, 5, 2)), "test", "image", {"result": "out"})


def test_reshape_to_a_picture_is_refused() -> None:
    operator = OneOperator("RESHAPE", (1, 3, 5, 4), (np.array([1, 5, 3, 4], np.int32),))
    with pytest.raises(PackError, match="RESHAPE"):
        convert(operator.model((1, 5, 3, 4)), "test", "image", {"result": "out"})


def test_weights_that_are_not_constant_are_refused() -> None:
    operator = replace(convolution((7, 9), 3, VALID, 1), constants=(), repeat_input=3)
    with pytest.raises(PackError, match="CONV_2D"):
        convert(operator.model((1, 5, 7, 5)), "test", "image", {"result": "out"})


def test_missing_output_is_named() -> None:
    model = addition(NONE).model((1, 4, 4, 3))
    with pytest.raises(PackError, match="nowhere"):
        convert(model, "test", "image", {"result": "nowhere"})


def test_file_that_is_not_a_model_is_refused() -> None:
    with pytest.raises(PackError, match="not a TFLite model"):
        convert(b"not a model at all", "test", "image", {"result": "out"})
