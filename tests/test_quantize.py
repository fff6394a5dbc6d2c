"""8-bit packs: calibrated, judged on other crops, and run where float ones run."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from typer.testing import CliRunner

from annotate.cli.app import app
from annotate.domain.errors import PackError, UsageError
from annotate.domain.pack import read_pack
from annotate.domain.soc import find_soc
from annotate.host import emulates_npu
from annotate.inference import Models, QnnSettings, load_models, session
from annotate.inference.compiled import compile_variant
from annotate.inference.cpu import cpu_options
from annotate.inference.layer_errors import layer_errors
from annotate.inference.placement import placement
from annotate.inference.qnn import PROVIDER, open_session
from annotate.inference.quantization import CHOICES, Calibrated, FloatLayers, calibrate, quantize
from annotate.inference.session import Model
from annotate.packs.installed import installed_packs, verify_pack
from annotate.pipeline import fidelity
from annotate.pipeline.calibration_crops import Crops, take_crops
from annotate.pipeline.fidelity import MAX_MEDIAN_ERROR, Fidelity, check_fidelity, fidelity_of
from annotate.synthetic.film import render_video
from annotate.use_cases import quantize as use_case
from annotate.use_cases.quantize import QuantizedModel, quantize_pack
from tests.command import Host
from tests.made_scenes import walk_scene

X_ELITE = find_soc("x-elite")
FRAMES = 24
TRIED: tuple[FloatLayers, ...] = ((3, 12), (5, 20))
# What 8 bits more of an activation gain: a step that is 256 times as fine.
DECIBEL_OF_8_BITS = 20 * math.log10(256)
# ONNX Runtime's answers with and without its optimizer agree to this median error, as a fraction of
# the crop's side.
OPTIMIZED_ERROR = 0.004
on_the_emulator = pytest.mark.skipif(
    not emulates_npu(), reason="the HTP emulator is for x86-64 Linux"
)


def quiet(_label: str, _fraction: float) -> None:
    """Shows no progress."""


@pytest.fixture(scope="module")
def root(blazepose_pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packs with the default pack."""
    folder = tmp_path_factory.mktemp("quantized")
    shutil.copytree(blazepose_pack, folder / blazepose_pack.name)
    return folder


@pytest.fixture(scope="module")
def on_cpu(root: Path) -> Models:
    return load_models(read_pack(root / "blazepose-full"), root / "blazepose-full")


@pytest.fixture(scope="module")
def crops(on_cpu: Models, stroll: Path) -> tuple[Crops, Crops]:
    return take_crops([stroll], on_cpu, FRAMES, quiet)


@pytest.fixture(scope="module")
def calibrated(root: Path, on_cpu: Models, crops: tuple[Crops, Crops]) -> Calibrated:
    """The detector, calibrated on two pictures."""
    spec = on_cpu.pack.detector
    inputs = {spec.input: [on_cpu.detector.input_of(one) for one in crops[0].detector[:2]]}
    return calibrate(root / "blazepose-full" / spec.file, inputs)


@pytest.fixture(scope="module")
def made(root: Path, stroll: Path) -> tuple[Path, dict[str, QuantizedModel]]:
    """The 8-bit pack of the default one, calibrated on a made video."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(use_case, "FRAMES", FRAMES)
        # Choices with fewer float layers miss the target here, and the detector needs the second.
        patched.setattr(use_case, "CHOICES", TRIED)
        return quantize_pack(root / "blazepose-full", [stroll], quiet, explain=True)


# Making a pack


def test_the_pack_is_new_and_close_to_the_float_pack(
    root: Path, made: tuple[Path, dict[str, QuantizedModel]]
) -> None:
    folder, found = made
    names = [pack.name for pack in installed_packs(root)[0]]
    assert names == ["blazepose-full", "blazepose-full-w8a8"]
    pack, of = verify_pack(folder), read_pack(root / "blazepose-full")
    assert pack.digest != of.digest
    assert f"blazepose-full {of.digest[:12]}, 8 bits" in pack.source
    assert (
        replace(pack, name=of.name, source=of.source, detector=of.detector, landmark=of.landmark)
        == of
    )
    assert [one.float_layers for one in found.values()] == [*TRIED[::-1]]
    for one in found.values():
        assert one.fidelity.people >= 8
        assert 0 < one.fidelity.median_error <= MAX_MEDIAN_ERROR
    sizes = [(at / pack.detector.file).stat().st_size for at in (folder, folder.parent / of.name)]
    assert sizes[0] < sizes[1]


def test_a_video_is_annotated_with_the_8_bit_pack(
    root: Path, made: tuple[Path, dict[str, QuantizedModel]], stroll: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    host = Host(store=tmp_path / "store", packs=root, home=home)
    submitted = host.run("submit", stroll, "--pack", made[0].name)
    assert "1 of 1 videos done, 60 frames" in submitted.out


def test_a_pack_calibrated_on_wrong_crops_is_refused_and_leaves_nothing(
    root: Path, stroll: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def dark_crops(*arguments: Any) -> tuple[Crops, Crops]:
        calibration, held_out = take_crops(*arguments)
        dark = [np.full_like(picture, picture.min()) for picture in calibration.landmark]
        return Crops(calibration.detector, calibration.landmark[:1] + dark), held_out

    shutil.copytree(root / "blazepose-full", tmp_path / "blazepose-full")
    monkeypatch.setattr(use_case, "FRAMES", 9)
    monkeypatch.setattr(use_case, "CHOICES", ((0, 0),))
    monkeypatch.setattr(use_case, "take_crops", dark_crops)
    monkeypatch.setattr(fidelity, "MAX_MEDIAN_ERROR", 0.004)
    with pytest.raises(
        PackError, match="model is not accurate enough: the median error is"
    ) as raised:
        quantize_pack(tmp_path / "blazepose-full", [stroll], quiet)
    assert "more varied videos" in raised.value.hint
    assert [one.name for one in tmp_path.iterdir()] == ["blazepose-full"]


@pytest.mark.parametrize(
    ("errors", "chosen"),
    [
        ((0.02, 0.004, 0.001), 1),
        ((0.02, 0.008, 0.009), 1),
    ],
    ids=["the first that reaches the target", "the most accurate one"],
)
def test_no_more_layers_stay_float_than_the_target_needs(
    on_cpu: Models,
    crops: tuple[Crops, Crops],
    errors: tuple[float, ...],
    chosen: int,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    found = iter(Fidelity({"landmarks": 40.0}, 9, error, 0.02, 0) for error in errors)
    monkeypatch.setattr(use_case, "CHOICES", CHOICES[: len(errors)])
    monkeypatch.setattr(use_case, "calibrate", lambda *_: None)
    monkeypatch.setattr(
        use_case, "quantize", lambda _, out, choice, _bits: out.write_text(str(choice))
    )
    monkeypatch.setattr(use_case, "load_model", lambda *_: on_cpu.landmark)
    monkeypatch.setattr(use_case, "fidelity_of", lambda *_: next(found))
    one = Crops(landmark=crops[0].landmark[:1])
    choice = use_case._quantize_stage(on_cpu, "landmark", tmp_path, tmp_path, one, 8, quiet)
    assert choice == CHOICES[chosen]
    assert (tmp_path / on_cpu.pack.landmark.file).read_text() == str(choice)


def test_an_8_bit_pack_is_not_quantized_again(
    made: tuple[Path, dict[str, QuantizedModel]], stroll: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use_case, "FRAMES", 3)
    with pytest.raises(PackError, match="is quantized already"):
        quantize_pack(made[0], [stroll], quiet)


def test_videos_without_people_are_refused(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "empty.mp4"
    render_video(replace(walk_scene(seconds=0.3), people=()), path)
    with pytest.raises(UsageError, match="no person is found"):
        quantize_pack(root / "blazepose-full", [path], quiet)


def test_each_layers_error_is_explained(
    made: tuple[Path, dict[str, QuantizedModel]], stroll: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in made[1].values():
        first, last = one.float_layers
        kept = [layer.weights_db is None for layer in one.layers]
        assert kept == [True] * first + [False] * (len(kept) - first - last) + [True] * last
        # The next layer rounds what the last float one gives.
        exact = [layer.total_db for layer in one.layers[: first - 1]]
        assert exact == [math.inf] * (first - 1)
    wanted: dict[str, Any] = {}

    def quantized(*_: Any, **options: Any) -> tuple[Path, dict[str, QuantizedModel]]:
        wanted.update(options)
        return made

    monkeypatch.setattr(use_case, "quantize_pack", quantized)
    monkeypatch.setenv("ANNOTATE_PACKS", str(made[0].parent))
    command = ["models", "quantize", "blazepose-full", "--videos", str(stroll)]
    done = CliRunner().invoke(app, [*command, "--activations", "16", "--explain"])
    assert wanted == {"bits": 16, "explain": True}
    layer = made[1]["landmark"].layers[-1]
    assert f"| {layer.layer} | float | float | {layer.total_db:.1f} |" in done.output
    as_json = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)
    assert wanted == {"bits": 8, "explain": False}
    assert as_json["landmark"]["layers"][0]["total_db"] is None


# The models


@on_the_emulator
@pytest.mark.parametrize("choice", CHOICES[1:], ids=str)
def test_every_choice_of_float_layers_is_placed_completely_on_the_npu(
    calibrated: Calibrated, choice: FloatLayers, tmp_path: Path
) -> None:
    quantize(calibrated, tmp_path / "q.onnx", choice)
    assert set(placement(open_session(tmp_path / "q.onnx", X_ELITE, {}))) == {PROVIDER}


@on_the_emulator
def test_16_bit_activations_are_placed_completely_and_err_less(
    root: Path, on_cpu: Models, calibrated: Calibrated, crops: tuple[Crops, Crops], tmp_path: Path
) -> None:
    spec = on_cpu.pack.detector
    inputs = {spec.input: [on_cpu.detector.input_of(crops[0].detector[0])]}
    errors = []
    for bits in (8, 16):
        quantize(calibrated, tmp_path / f"{bits}.onnx", CHOICES[-1], bits)
        file = root / "blazepose-full" / spec.file
        errors.append(layer_errors(file, tmp_path / f"{bits}.onnx", inputs))
    assert set(placement(open_session(tmp_path / "16.onnx", X_ELITE, {}))) == {PROVIDER}
    for few, many in zip(*errors, strict=True):
        assert few.weights_db == many.weights_db
        if few.rounding_db is not None and many.rounding_db is not None:
            assert many.rounding_db - few.rounding_db > 0.9 * DECIBEL_OF_8_BITS
    # The errors of the weights remain.
    assert errors[1][-1].total_db > errors[0][-1].total_db


@on_the_emulator
def test_the_pack_compiles_for_the_npu_and_auto_uses_it(
    made: tuple[Path, dict[str, QuantizedModel]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(made[0], tmp_path / made[0].name))
    assert len(compile_variant(read_pack(folder), folder, X_ELITE)) == 2
    monkeypatch.setattr(session, "emulates_npu", lambda: False)
    # The emulator is a thousand times slower than an NPU.
    monkeypatch.setattr(session, "check_speed", lambda *_: None)
    settings = QnnSettings(X_ELITE, {}, tmp_path)
    models = load_models(read_pack(folder), folder, provider="auto", qnn=settings)
    assert (models.provider, models.reason) == ("htp-emulator", "")


def test_onnx_runtimes_optimizer_does_not_quantize_float_layers(
    made: tuple[Path, dict[str, QuantizedModel]], crops: tuple[Crops, Crops]
) -> None:
    pack = read_pack(made[0])
    answers = []
    for level in ("ORT_DISABLE_ALL", "ORT_ENABLE_ALL"):
        options = cpu_options()
        options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, level)
        file = made[0] / pack.landmark.file
        opened = ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        model = Model(opened, pack.landmark)
        answers.append([model.run(picture) for picture in crops[1].landmark])
    assert fidelity_of(pack.landmark, *answers).median_error <= OPTIMIZED_ERROR


def test_float_and_8_bit_layers_do_not_share_a_bias(
    made: tuple[Path, dict[str, QuantizedModel]], root: Path
) -> None:
    folder, found = made
    pack = read_pack(folder)
    shared = onnx.load(root / "blazepose-full" / pack.detector.file)
    names = [node.input[2] for node in shared.graph.node if node.op_type == "Conv"]
    assert len(set(names)) < len(names), "the float model shares no bias any more"
    quantized = onnx.load(folder / pack.detector.file)
    constants = {tensor.name for tensor in quantized.graph.initializer}
    convolutions = [node for node in quantized.graph.node if node.op_type == "Conv"]
    assert sum(node.input[2] in constants for node in convolutions) == sum(
        found["detector"].float_layers
    )


# The limits


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (Fidelity({"landmarks": 40.0}, 100, 0.011, 0.02, 0), "median error is 1.10% of the crop"),
        (Fidelity({"landmarks": 40.0}, 100, 0.002, 0.02, 6), "of 100 people it loses 6 and adds 0"),
        (Fidelity({"landmarks": 40.0}, 100, 0.002, 0.02, 5, 6), "it loses 5 and adds 6"),
        (Fidelity({"landmarks": 29.0}, 100, 0.002, 0.02, 0), "landmarks agrees to 29.0 dB"),
        (Fidelity({"landmarks": float("nan")}, 9, float("inf"), 1.0, 9), "median error is inf"),
    ],
)
def test_models_that_are_not_accurate_enough_are_refused(found: Fidelity, message: str) -> None:
    with pytest.raises(PackError, match=message):
        check_fidelity("landmark", found)


def test_fields_for_json_contain_no_infinity() -> None:
    fields = Fidelity({"flag": float("inf"), "landmarks": 40.0}, 9, 0.002, 0.02, 0).to_fields()
    assert fields["agreement_db"] == {"flag": None, "landmarks": 40.0}
    json.dumps(fields, allow_nan=False)


def test_models_that_are_accurate_enough_are_accepted() -> None:
    check_fidelity("landmark", Fidelity({"landmarks": 31.0}, 100, 0.009, 0.5, 5, 5))


def test_a_detector_is_judged_by_its_people_and_not_by_all_its_anchors() -> None:
    check_fidelity("detector", Fidelity({"boxes": 29.1, "scores": 29.1}, 100, 0.0046, 0.02, 0))


def test_people_that_only_the_judged_model_finds_are_counted(
    on_cpu: Models, crops: tuple[Crops, Crops]
) -> None:
    for stage, spec in on_cpu.pack.stages.items():
        model, pictures = on_cpu.stage(stage), crops[1].of(stage)
        found = [model.run(picture) for picture in pictures]
        empty = model.run(np.full_like(pictures[0], pictures[0].min()))
        # In the first crop the expected outputs have fewer people, in the second one more.
        judged = fidelity_of(spec, [empty, *found[1:]], [found[0], empty, *found[2:]])
        assert judged.added > 0
        assert judged.lost > 0
