"""The real QNN execution provider, on the HTP emulator of its x86-64 Linux wheel."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from annotate.domain.arrays import FloatArray
from annotate.domain.errors import ProviderError, UsageError
from annotate.domain.model_spec import ModelSpec
from annotate.domain.pack import Pack, read_pack
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.domain.soc import find_soc
from annotate.domain.video import Chunk, Frame
from annotate.host import emulates_npu
from annotate.inference import Model, Models, QnnSettings, load_models, session
from annotate.inference.agreement import agreement_db, made_picture
from annotate.inference.placement import placement
from annotate.inference.qnn import (
    OPTIONS,
    PROVIDER,
    check_options,
    open_session,
    sdk_version,
    versions,
)
from annotate.inference.quantization import calibrate, quantize
from annotate.inference.timing import median_ms
from annotate.pipeline import PoseEstimator
from annotate.pipeline.crops import model_crop
from annotate.pipeline.detector_pass import Candidate
from annotate.pipeline.landmark_stage import CropRequest, LandmarkStage
from annotate.video import decode, probe
from tests.cpu_session import cpu_session
from workers import host

pytestmark = pytest.mark.skipif(not emulates_npu(), reason="the HTP emulator is for x86-64 Linux")

X_ELITE = find_soc("x-elite")
# The NPU computes in float16. Largest distances of landmarks from the CPU's, in pixels of the
# 256 px crop, over six real frames, with the same ROI: measured 0.03 in the median and 0.98 at
# most.
MEDIAN_PX = 0.1
MAX_PX = 1.5
# The same with the detector on the NPU too, which moves an ROI by up to 1 pixel of the picture:
# measured 0.11 in the median and 3.6 at most.
PIPELINE_MEDIAN_PX = 0.3
PIPELINE_MAX_PX = 5.0
# Median distance of world landmarks in metres, likewise: measured 0.003.
WORLD_MEDIAN_M = 0.006
# Least agreement of the emulator's 8-bit arithmetic with the CPU's on one quantized model: measured
# 32. A quantization step of the outputs is 1.6 pixels, at a peak of 170.
QUANTIZED_DB = 28.0


@pytest.fixture(scope="module")
def pack(blazepose_pack: Path) -> Pack:
    return read_pack(blazepose_pack)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> QnnSettings:
    return QnnSettings(soc=X_ELITE, cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def on_cpu(pack: Pack, blazepose_pack: Path) -> Models:
    return load_models(pack, blazepose_pack)


@pytest.fixture(scope="module")
def on_npu(pack: Pack, blazepose_pack: Path, settings: QnnSettings) -> Models:
    return load_models(pack, blazepose_pack, provider="qnn", qnn=settings)


# Placement


@pytest.mark.parametrize("stage", ["detector", "landmark"])
def test_every_node_of_the_float_models_is_placed_on_the_npu(
    pack: Pack, blazepose_pack: Path, stage: str
) -> None:
    file = blazepose_pack / getattr(pack, stage).file
    opened = open_session(file, X_ELITE, {})
    assert set(placement(opened)) == {PROVIDER}
    nodes = opened.get_provider_graph_assignment_info()[0].get_nodes()
    kinds = Counter(node.op_type for node in nodes)
    convolutions = [node for node in onnx.load(file).graph.node if node.op_type == "Conv"]
    assert kinds["Conv"] == len(convolutions) > 70


def test_compiled_models_are_one_node_on_the_npu_and_name_the_provider(on_npu: Models) -> None:
    assert on_npu.provider == "htp-emulator"
    assert on_npu.placement == {"detector": {PROVIDER: 1}, "landmark": {PROVIDER: 1}}


def test_an_unsupported_node_is_an_error_and_never_runs_on_the_cpu(
    tmp_path: Path,
) -> None:
    square = helper.make_tensor_value_info("square", TensorProto.FLOAT, [1, 3, 3])
    scalar = helper.make_tensor_value_info("scalar", TensorProto.FLOAT, [1])
    graph = helper.make_graph(
        [helper.make_node("Det", ["square"], ["scalar"])], "determinant", [square], [scalar]
    )
    file = tmp_path / "determinant.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), file)
    with pytest.raises(ProviderError, match=r"determinant\.onnx.*CPU"):
        open_session(file, X_ELITE, {})


# Answers


def test_landmarks_of_real_frames_agree_with_the_cpu(
    shared_data: Path, on_cpu: Models, on_npu: Models
) -> None:
    cpu, npu = PoseEstimator(on_cpu), PoseEstimator(on_npu)
    stage_2 = LandmarkStage(on_npu, PipelineSettings(), looks_twice=False)
    from_one_roi, whole, worlds = [], [], []
    for frame in real_frames(shared_data):
        right, other = cpu.poses(frame.rgb), npu.poses(frame.rgb)
        rois, expected, found = right.roi, right.landmarks, other.landmarks
        assert len(found) == len(expected) == 1
        assert other.score[0] > 0.9
        worlds.append(np.linalg.norm(other.world - right.world, axis=2))
        pixel = rois[0, 2] / 256
        ((same_roi, *_),) = stage_2.landmarks([CropRequest(frame.picture, Candidate(1.0, rois[0]))])
        from_one_roi.append(apart(same_roi[:33], expected[0]) / pixel)
        whole.append(apart(found[0], expected[0]) / pixel)
        assert apart(other.roi, rois).max() / pixel <= 1
    assert 0 < np.median(from_one_roi) <= MEDIAN_PX, (
        "equal landmarks would mean that the CPU computed them"
    )
    assert np.max(from_one_roi) <= MAX_PX
    assert np.median(whole) <= PIPELINE_MEDIAN_PX
    assert np.max(whole) <= PIPELINE_MAX_PX
    assert np.median(worlds) <= WORLD_MEDIAN_M


def apart(one: FloatArray, other: FloatArray) -> FloatArray:
    distances: FloatArray = np.linalg.norm(one[..., :2] - other[..., :2], axis=-1)
    return distances


def real_frames(shared_data: Path) -> Iterator[Frame]:
    for name in ("single_person.mp4", "two_people.mp4", "street_5fps.mp4"):
        path = shared_data / "videos" / name
        index = probe(path)
        for at in (0, len(index) // 2):
            yield from decode(path, index, Chunk(at, at + 1))


def test_a_quantized_model_runs_completely_on_the_npu_and_agrees_with_the_cpu(
    shared_data: Path, pack: Pack, blazepose_pack: Path, on_cpu: Models, tmp_path: Path
) -> None:
    spec = pack.landmark
    picture = next(real_frames(shared_data)).picture
    roi = PoseEstimator(on_cpu).poses(picture.rgb).roi[0]
    crops = [
        model_crop(picture, roi * scale, spec)
        for scale in np.array([[1, 1, 1, 1], [1, 1, 1.1, 1], [1.02, 1, 0.95, 1]], np.float32)
    ]
    quantized = tmp_path / "quantized.onnx"
    inputs = {spec.input: [one[None] for one in crops]}
    quantize(calibrate(blazepose_pack / spec.file, inputs), quantized, (0, 0))
    outputs = list(spec.outputs[:1])
    npu = open_session(quantized, X_ELITE, {}).run(outputs, {spec.input: crops[0][None]})
    cpu = cpu_session(quantized)
    expected = cpu.run(outputs, {spec.input: crops[0][None]})
    assert agreement_db(expected[0], npu[0]) >= QUANTIZED_DB


# Options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"htp_perfomance_mode": "burst"}, "did you mean htp_performance_mode"),
        ({"htp_performance_mode": "burts"}, "did you mean burst"),
        ({"profiling_level": "loud"}, "profiling_level cannot be 'loud'"),
        ({"soc_model": "QCS8550"}, "no option 'soc_model'"),
    ],
    ids=["misspelt name", "misspelt value", "unknown value", "one that users cannot set"],
)
def test_options_that_the_npu_would_ignore_are_refused(
    options: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        check_options(options)


def test_every_performance_mode_is_accepted_and_kept(
    pack: Pack, blazepose_pack: Path, settings: QnnSettings, on_npu: Models
) -> None:
    assert on_npu.provider == "htp-emulator"  # the models are compiled by now
    for mode in OPTIONS["htp_performance_mode"]:
        chosen = QnnSettings(X_ELITE, {"htp_performance_mode": mode}, settings.cache)
        models = load_models(pack, blazepose_pack, provider="qnn", qnn=chosen)
        assert models.placement == on_npu.placement


def test_a_worker_gets_the_performance_mode_from_its_settings(
    blazepose_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []

    def load(*_: object, qnn: QnnSettings, **__: object) -> SimpleNamespace:
        taken.append(qnn.options)
        return SimpleNamespace(provider="qnn", precision="float")

    monkeypatch.setenv("ANNOTATE_NPU_PERFORMANCE", "burst")
    monkeypatch.setattr("annotate.use_cases.load_models.load_models", load)
    host._models.__wrapped__(blazepose_pack, 0, "qnn", "float")
    assert taken == [{"htp_performance_mode": "burst"}]


def test_without_the_plugin_the_error_says_how_to_get_it(
    pack: Pack, blazepose_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime_qnn", None)
    with pytest.raises(ProviderError, match="onnxruntime-qnn is not installed") as raised:
        load_models(pack, blazepose_pack, provider="qnn")
    assert "annotate-video[npu]" in raised.value.hint


# Automatic choice


def test_auto_uses_the_cpu_and_says_so_where_there_is_no_npu(
    pack: Pack, blazepose_pack: Path
) -> None:
    models = load_models(pack, blazepose_pack, provider="auto")
    assert (models.provider, models.reason) == ("cpu", "this host has no NPU")


def test_auto_uses_an_npu_that_agrees_with_the_cpu_and_is_faster(
    pack: Pack,
    blazepose_pack: Path,
    settings: QnnSettings,
    on_npu: Models,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "emulates_npu", lambda: False)
    monkeypatch.setattr(session, "_on_qnn", lambda *_: on_npu)
    npu = (on_npu.detector, on_npu.landmark)

    def faster(model: Model, spec: ModelSpec, _runs: int) -> float:
        # An NPU takes a thousandth of the emulator's time.
        return median_ms(model, spec, 1) / (1000 if model in npu else 1)

    monkeypatch.setattr(session, "median_ms", faster)
    models = load_models(pack, blazepose_pack, provider="auto", qnn=settings)
    assert (models.provider, models.reason) == ("htp-emulator", "")


def test_auto_refuses_an_npu_that_is_only_emulated(
    pack: Pack,
    blazepose_pack: Path,
    settings: QnnSettings,
    on_npu: Models,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "emulates_npu", lambda: False)
    monkeypatch.setattr(session, "SPEED_RUNS", 1)
    monkeypatch.setattr(session, "_on_qnn", lambda *_: on_npu)
    models = load_models(pack, blazepose_pack, provider="auto", qnn=settings)
    assert models.provider == "cpu"
    assert models.reason.startswith("the NPU is slower than the CPU")


def test_auto_uses_the_cpu_where_the_npu_gives_other_answers(
    pack: Pack,
    blazepose_pack: Path,
    settings: QnnSettings,
    on_npu: Models,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "emulates_npu", lambda: False)
    right = on_npu.landmark.run
    monkeypatch.setattr(on_npu.landmark, "run", lambda image: [o * 0.5 for o in right(image)])
    monkeypatch.setattr(session, "_on_qnn", lambda *_: on_npu)
    models = load_models(pack, blazepose_pack, provider="auto", qnn=settings)
    assert models.provider == "cpu"
    assert "landmark model agrees with the CPU to" in models.reason


def test_auto_uses_the_cpu_where_the_soc_is_unknown(
    pack: Pack, blazepose_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "emulates_npu", lambda: False)
    monkeypatch.setattr("annotate.inference.qnn.emulates_npu", lambda: False)
    monkeypatch.setattr("annotate.inference.qnn.this_soc", lambda: None)
    models = load_models(pack, blazepose_pack, provider="auto")
    assert models.provider == "cpu"
    assert "SoC of this host is not known" in models.reason


# Agreement and versions


def test_agreement_is_infinite_for_equal_values_and_falls_20_db_for_each_factor_of_ten() -> None:
    reference = np.array([200.0, -100.0], np.float32)
    assert agreement_db(reference, reference) == np.inf
    assert agreement_db(reference, reference + 2) == pytest.approx(40)
    assert agreement_db(reference, reference + 20) == pytest.approx(20)
    assert agreement_db(np.array([0.001]), np.array([0.011])) == pytest.approx(40)
    # Final boxes: as many as are found.
    none, one = np.zeros((1, 0, 5), np.float32), np.zeros((1, 1, 5), np.float32)
    assert agreement_db(none, none) == np.inf
    assert agreement_db(one, none) == -np.inf


def test_the_made_picture_lies_in_the_models_range(pack: Pack) -> None:
    picture = made_picture(pack.detector)
    assert picture.shape == (224, 224, 3)
    assert picture.dtype == np.float32
    assert -1 <= picture.min() < -0.9 < 0.9 < picture.max() <= 1


def test_versions_include_the_plugin_and_its_sdk() -> None:
    found = versions()
    assert found["QAIRT"] == sdk_version()
    assert found["onnxruntime-qnn"]
    assert found["onnxruntime"]
