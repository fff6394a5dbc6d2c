"""Sums of 8-bit products on this CPU."""

import platform
from pathlib import Path

import onnx
import pytest

from annotate.inference import session
from annotate.inference.cpu import cpu_options, is_quantized, sums_need_care
from annotate.inference.session import load_model

ENTRY = "session.x64quantprecision"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="only x86-64 CPUs overflow")
def test_sums_need_care_where_the_cpu_has_no_vnni() -> None:
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("flags")[2].split()
    assert sums_need_care() == (not {"avx512_vnni", "avx_vnni"} & set(flags))


def test_exact_sums_cost_time_so_they_are_off_unless_they_are_needed() -> None:
    assert cpu_options(exact_sums=True).get_session_config_entry(ENTRY) == "1"
    with pytest.raises(Exception, match=ENTRY):
        cpu_options().get_session_config_entry(ENTRY)


@pytest.mark.parametrize(
    ("quantized", "careful", "exact"),
    [(True, True, True), (True, False, False), (False, True, False)],
    ids=["8-bit layers that overflow", "8-bit layers on VNNI", "float layers"],
)
def test_only_8_bit_layers_that_would_overflow_are_computed_in_the_exact_way(
    quantized: bool,
    careful: bool,
    exact: bool,
    blazepose_pack: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken, asked = [], []

    def need_care() -> bool:
        asked.append("whether this CPU's sums overflow")
        return careful

    def options(threads: int, *, exact_sums: bool) -> object:
        taken.append(exact_sums)
        return cpu_options(threads, exact_sums=exact_sums)

    monkeypatch.setattr(session, "cpu_options", options)
    monkeypatch.setattr(session, "sums_need_care", need_care)
    monkeypatch.setattr(session, "is_quantized", lambda _: quantized)
    from annotate.domain.pack import read_pack

    pack = read_pack(blazepose_pack)
    load_model(pack.detector, blazepose_pack / pack.detector.file)
    assert taken == [exact]
    assert bool(asked) == quantized  # to ask takes a while


def test_a_model_with_8_bit_layers_is_recognised(blazepose_pack: Path, tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    file = tmp_path / "model.onnx"
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    y = helper.make_tensor_value_info("y", TensorProto.UINT8, [1])
    node = helper.make_node("QuantizeLinear", ["x", "scale"], ["y"])
    scale = helper.make_tensor("scale", TensorProto.FLOAT, [], [1.0])
    onnx.save(helper.make_model(helper.make_graph([node], "q", [x], [y], [scale])), file)
    assert is_quantized(file)
    assert not is_quantized(blazepose_pack / "pose_detection.onnx")
    assert not is_quantized(tmp_path / "missing.onnx")
