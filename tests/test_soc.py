"""The SoCs that models are compiled for."""

import struct
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from annotate.domain.errors import UsageError
from annotate.domain.soc import SOCS, Soc, find_soc, soc_described, with_same_npu
from annotate.host import emulates_npu
from annotate.inference.qnn import session_options

X_ELITE, X2_ELITE = find_soc("x-elite"), find_soc("x2-elite")
NPUS = list(dict.fromkeys(map(with_same_npu, SOCS)))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Snapdragon(R) X Elite - X1E80100 - Qualcomm(R) Oryon(TM) CPU", "x-elite"),
        ("Snapdragon(R) X Plus - X1P42100 - Qualcomm(R) Oryon(TM) CPU", "x-plus"),
        ("Snapdragon(R) X2 Elite - X2E80100 - Qualcomm(R) Oryon(TM) CPU", "x2-elite"),
        ("qcom,qcs8550-aim300-aiot\0qcom,qcs8550\0qcom,sm8550", "qcs8550"),
        ("qcom,qcs6490-rb3gen2\0qcom,qcs6490", "qcs6490"),
        ("qcom,qcs9075-iq-9075-evk\0qcom,qcs9075\0qcom,sa8775p", "iq-9075"),
        ("qcom,sa8775p-ride\0qcom,sa8775p", "sa8775p"),
        ("QCS9075\n", "iq-9075"),
        ("AMD EPYC", None),
    ],
)
def test_a_host_detects_its_soc_from_its_description(text: str, name: str | None) -> None:
    soc = soc_described(text)
    assert (soc and soc.name) == name


def test_an_unknown_soc_is_refused_with_a_suggestion() -> None:
    assert [find_soc(soc.name) for soc in SOCS] == list(SOCS)
    with pytest.raises(UsageError, match="'x-elit' is not one of: x-elite, x-plus") as raised:
        find_soc("x-elit")
    assert raised.value.hint == "Did you mean x-elite?"


def test_socs_with_the_same_number_have_the_same_npu() -> None:
    assert with_same_npu(find_soc("x-plus")) is X_ELITE
    for soc in SOCS:
        npu = with_same_npu(soc)
        assert (soc.htp_arch, soc.has_float16) == (npu.htp_arch, npu.has_float16)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """A convolution as floats (True) and quantized to 8 bits (False)."""
    folder = tmp_path_factory.mktemp("models")
    weights = np.random.default_rng(0).integers(-100, 100, (16, 8, 3, 3)).astype(np.int8)
    floats = [helper.make_node("Conv", ["x", "w"], ["y"])]
    quantized = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["x8"]),
        helper.make_node("DequantizeLinear", ["x8", "scale", "zero"], ["xf"]),
        helper.make_node("DequantizeLinear", ["w8", "scale"], ["wf"]),
        helper.make_node("Conv", ["xf", "wf"], ["c"]),
        helper.make_node("QuantizeLinear", ["c", "scale", "zero"], ["c8"]),
        helper.make_node("DequantizeLinear", ["c8", "scale", "zero"], ["y"]),
    ]
    constants = {
        "w": weights.astype(np.float32),
        "w8": weights,
        "scale": np.float32(0.01),
        "zero": np.uint8(128),
    }
    made = {}
    for has_floats, nodes in ((True, floats), (False, quantized)):
        used = {name for node in nodes for name in node.input}
        graph = helper.make_graph(
            nodes,
            "convolution",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8, 32, 32])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 16, 30, 30])],
            [
                numpy_helper.from_array(np.asarray(array), name)
                for name, array in constants.items()
                if name in used
            ],
        )
        made[has_floats] = folder / f"{has_floats}.onnx"
        opsets = [helper.make_opsetid("", 17)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), made[has_floats])
    return made


def compiled(model: Path, soc: Soc) -> bytes:
    """The context binary of a model for a SoC."""
    out = model.with_name(f"{model.stem}-{soc.name}.onnx")
    ort.ModelCompiler(session_options(soc, {}), model).compile_to_file(str(out))
    return out.with_name(f"{out.stem}_qnn.bin").read_bytes()


def numbers(binary: bytes) -> tuple[int, ...]:
    """A binary as little-endian 32-bit integers."""
    return struct.unpack(f"<{len(binary) // 4}I", binary[: len(binary) // 4 * 4])


@pytest.mark.skipif(not emulates_npu(), reason="the compiler is for x86-64 Linux")
@pytest.mark.parametrize("soc", NPUS, ids=lambda soc: soc.name)
def test_the_compiler_agrees_about_a_soc(models: dict[bool, Path], soc: Soc) -> None:
    """A binary holds the number of its SoC and the version of its HTP, at places that two SoCs of
    known versions show; float models compile where the table says so and nowhere else.
    """
    first, second = (numbers(compiled(models[False], one)) for one in (X_ELITE, X2_ELITE))
    found = numbers(compiled(models[False], soc))

    def told(known: int, other: int) -> set[int]:
        pairs = zip(first, second, found, strict=False)
        return {value for one, two, value in pairs if (one, two) == (known, other)}

    assert told(X_ELITE.soc_model, X2_ELITE.soc_model) == {soc.soc_model}
    assert soc.htp_arch in told(X_ELITE.htp_arch, X2_ELITE.htp_arch)
    if soc.has_float16:
        assert compiled(models[True], soc)
    else:
        # ONNX Runtime's exceptions have no common base below Exception.
        with pytest.raises(Exception, match="QNNExecutionProvider"):
            compiled(models[True], soc)
