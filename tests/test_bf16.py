"""Landmark models in bfloat16: real ones where this CPU has it, and what is refused."""

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from annotate.domain.errors import PackError, ProviderError
from annotate.domain.pack import Pack, read_pack
from annotate.domain.progress import silent
from annotate.domain.settings import Provider
from annotate.inference import Models, bf16, load_models, session
from annotate.inference.agreement import made_picture
from annotate.inference.bf16 import ON_ARM, OPENVINO, bf16_provider, open_bf16
from annotate.inference.dense_ends import cut_dense_ends
from annotate.inference.session import load_model
from annotate.pipeline.bursts import take_bursts
from annotate.pipeline.calibration_crops import Crops
from annotate.use_cases.try_precision import MAX_LANDMARK_ERROR, compare
from annotate.video import probe
from tests.cpu_session import cpu_session

# World landmarks of float and bfloat16 models are this far apart at most in the median, in metres.
# With dense layers in bfloat16 it was 0.09.
WORLD_M = 0.03


def _why_not() -> str:
    try:
        bf16_provider()
    except ProviderError as error:
        return error.message
    return ""


needs_bf16 = pytest.mark.skipif(bool(_why_not()), reason=_why_not() or "this host has it")


class Changed:
    """A session whose answers are those of another one, changed."""

    def __init__(self, file: Path, factor: float) -> None:
        self._session = cpu_session(file)
        self._factor = factor

    def run(self, outputs: Sequence[str], feed: Mapping[str, NDArray[Any]]) -> Any:
        return [np.float32(self._factor) * one for one in self._session.run(outputs, feed)]

    def get_providers(self) -> list[str]:
        return ["changed"]

    def get_provider_graph_assignment_info(self) -> list[Any]:
        return []


@pytest.fixture(scope="module")
def pack(blazepose_pack: Path) -> Pack:
    return read_pack(blazepose_pack)


@pytest.fixture(scope="module")
def on_cpu(pack: Pack, blazepose_pack: Path) -> Models:
    return load_models(pack, blazepose_pack)


@pytest.fixture(scope="module")
def in_bf16(pack: Pack, blazepose_pack: Path) -> Models:
    return load_models(pack, blazepose_pack, precision="bf16")


@pytest.fixture(scope="module")
def crops(on_cpu: Models, stroll: Path) -> Crops:
    return take_bursts([(stroll, probe(stroll))], on_cpu, 4, silent)


@needs_bf16
def test_the_landmark_model_computes_in_bfloat16_and_detectors_in_float(
    on_cpu: Models, in_bf16: Models, pack: Pack
) -> None:
    assert in_bf16.provider in (OPENVINO, ON_ARM)
    assert (in_bf16.precision, on_cpu.precision) == ("bf16", "float")
    if in_bf16.provider == OPENVINO:
        placed = in_bf16.placement["landmark"]
        assert placed["OpenVINO bf16"] > 50 > placed["OpenVINO f32"] > 0
    picture = made_picture(pack.detector)
    for one, other in zip(on_cpu.detector.run(picture), in_bf16.detector.run(picture), strict=True):
        np.testing.assert_array_equal(one, other)


@needs_bf16
def test_people_and_their_world_landmarks_stay_where_they_are(
    on_cpu: Models, in_bf16: Models, crops: Crops
) -> None:
    trial = compare(in_bf16, on_cpu, crops)
    assert trial.people >= 6
    assert 0 < trial.median_error < MAX_LANDMARK_ERROR
    at = on_cpu.pack.landmark.outputs.index("world")
    apart = [
        np.linalg.norm((other[at] - one[at]).reshape(-1, 3)[:33], axis=1)
        for one, other in (
            (on_cpu.landmark.run(crop), in_bf16.landmark.run(crop)) for crop in crops.landmark
        )
    ]
    assert np.median(apart) < WORLD_M


@needs_bf16
def test_every_run_and_every_thread_gives_the_same_bytes(in_bf16: Models, crops: Crops) -> None:
    first = [in_bf16.landmark.run(crop) for crop in crops.landmark]
    with ThreadPoolExecutor(2) as pool:
        again = list(pool.map(in_bf16.landmark.run, crops.landmark))
    for one, other in zip(first, again, strict=True):
        assert [values.tobytes() for values in one] == [values.tobytes() for values in other]


@needs_bf16
def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    file = tmp_path / "damaged.onnx"
    file.write_bytes(b"no model")
    with pytest.raises(PackError, match=r"damaged\.onnx cannot be loaded in bfloat16"):
        open_bf16(file)


def test_answers_in_float32_are_not_taken_for_bfloat16(
    pack: Pack, blazepose_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "bf16_provider", lambda: OPENVINO)
    monkeypatch.setattr(session, "open_bf16", cpu_session)
    with pytest.raises(ProviderError, match="does not compute in bfloat16") as raised:
        load_models(pack, blazepose_pack, precision="bf16")
    assert "without --precision" in raised.value.hint


def test_wrong_answers_are_refused(
    pack: Pack, blazepose_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "bf16_provider", lambda: OPENVINO)
    monkeypatch.setattr(session, "open_bf16", lambda file: Changed(file, 2.0))
    with pytest.raises(ProviderError, match="in bfloat16 the landmark model agrees"):
        load_models(pack, blazepose_pack, precision="bf16")
    monkeypatch.setattr(session, "open_bf16", lambda file: Changed(file, 1.01))
    assert load_models(pack, blazepose_pack, precision="bf16").precision == "bf16"


@pytest.mark.skipif(
    sys.platform != "linux" or (_why_not() == "" and bf16_provider() == ON_ARM),
    reason="on Arm ONNX Runtime may do it",
)
def test_on_arm_onnx_runtime_is_asked_and_what_it_ignores_is_noticed(
    pack: Pack, blazepose_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # This CPU is none, so ONNX Runtime computes in float32 and says nothing.
    monkeypatch.setattr(bf16, "process_architecture", lambda: "linux-aarch64")
    assert bf16_provider() == ON_ARM
    with pytest.raises(ProviderError, match="does not compute in bfloat16"):
        load_models(pack, blazepose_pack, precision="bf16")


def test_a_cpu_without_bfloat16_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Core:
        def get_property(self, device: str, name: str) -> list[str]:
            assert (device, name) == ("CPU", "OPTIMIZATION_CAPABILITIES")
            return ["FP32", "INT8"]

    monkeypatch.setattr(bf16, "process_architecture", lambda: "linux-x86_64")
    monkeypatch.setattr(bf16, "_core", Core)
    with pytest.raises(ProviderError, match="does not compute in bfloat16") as raised:
        bf16_provider()
    assert "AVX512_BF16" in raised.value.hint


def test_a_host_without_openvino_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    bf16._core.cache_clear()
    monkeypatch.setattr(bf16, "process_architecture", lambda: "linux-x86_64")
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ProviderError, match="bfloat16 needs OpenVINO") as raised:
        bf16_provider()
    assert "[bf16]" in raised.value.hint
    assert "openvino_telemetry" not in sys.modules


@pytest.mark.parametrize("provider", ["qnn", "cuda"])
def test_an_accelerator_has_no_bfloat16_mode(
    provider: Provider, pack: Pack, blazepose_pack: Path
) -> None:
    with pytest.raises(ProviderError, match=f"runs models on {provider}"):
        load_models(pack, blazepose_pack, provider=provider, precision="bf16")


# How a model is cut


def test_both_parts_of_a_cut_model_answer_as_the_whole(pack: Pack, blazepose_pack: Path) -> None:
    file = blazepose_pack / pack.landmark.file
    cut = cut_dense_ends(file)
    assert cut.ends is not None
    picture = load_model(pack.landmark, file).input_of(made_picture(pack.landmark))
    fed = {pack.landmark.input: picture}
    body, ends = cpu_session(cut.body), cpu_session(cut.ends)
    names = [one.name for one in body.get_outputs()]
    made = dict(zip(names, body.run(names, fed), strict=True))
    last = [one.name for one in ends.get_outputs()]
    made |= zip(last, ends.run(last, {name: made[name] for name in cut.between}), strict=True)
    assert set(last) == {"landmarks", "flag", "world"}
    for name, values in zip(
        pack.landmark.outputs, cpu_session(file).run(pack.landmark.outputs, fed), strict=True
    ):
        np.testing.assert_allclose(made[name], values, rtol=1e-4, atol=1e-4)


def test_a_model_without_dense_layers_stays_whole(pack: Pack, blazepose_pack: Path) -> None:
    file = blazepose_pack / pack.detector.file
    cut = cut_dense_ends(file)
    assert (cut.ends, cut.between) == (None, ())
    names = [one.name for one in cpu_session(cut.body).get_outputs()]
    assert names == [one.name for one in cpu_session(file).get_outputs()]
