"""`annotate models hub`: compiled, profiled, verified and installed models."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from annotate.domain.errors import HubError
from annotate.domain.pack import read_pack
from annotate.domain.soc import find_soc
from annotate.domain.variant import variant_folder
from annotate.inference import QnnSettings, load_models
from annotate.packs.installed import installed_packs, verify_pack
from annotate.use_cases.add_pack import add_pack
from annotate.use_cases.hub_verify import outputs_in_order
from tests.hub.command import ON_X_ELITE, W8A8, run
from tests.hub.service import QCS8550, HubService
from tests.made_asset import STEPS, asset_files, write_zip

SOC = find_soc("x-elite")


def test_workers_use_models_that_were_compiled_and_verified(
    service: HubService, packs: Path, stroll: Path
) -> None:
    folder = packs / "blazepose-full"
    compiled = run("compile", *ON_X_ELITE)
    assert "pose_detection.onnx.zip" in compiled.output
    assert not (folder / "variants").exists(), "models are not used before they are verified"
    table = run("profile", *ON_X_ELITE).output.splitlines()
    assert table[-2] == (
        "| pose_detection.onnx | Snapdragon X Elite CRD | qualcomm-snapdragon-x-elite "
        "| PRECOMPILED_QNN_ONNX | 1.042 | 1 - 12 | float | NPU (149 ops), CPU (1 ops) |"
    )
    (detector, landmark) = json.loads(run("profile", *ON_X_ELITE, "--json").stdout)
    assert detector["operations"] == {"NPU": 149, "CPU": 1}
    assert landmark["model"] == "pose_landmark_full.onnx"
    service.soc_model = "1"
    with pytest.raises(HubError, match="compiled for SoC number 1, which is not one of"):
        run("verify", *ON_X_ELITE, "--videos", stroll)
    service.soc_model = ""
    verified = run("verify", *ON_X_ELITE, "--videos", stroll)
    assert "Passed." in verified.output
    assert "| landmark | heatmap | inf | 0.00% |" in verified.output
    pack = read_pack(folder)
    models = load_models(pack, folder, provider="qnn", qnn=QnnSettings(SOC, {}, packs / "cache"))
    assert models.provider == "htp-emulator"
    assert not (packs / "cache").exists(), "the variant of AI Hub is used"
    assert service.submitted("compile") == 2


def test_8_bit_models_that_pass_become_a_new_pack(
    service: HubService, packs: Path, stroll: Path
) -> None:
    run("compile", *W8A8, "--videos", stroll)
    assert [pack.name for pack in installed_packs(packs)] == ["blazepose-full"]
    run("verify", *W8A8, "--videos", stroll)
    names = [pack.name for pack in installed_packs(packs)]
    assert names == ["blazepose-full", "blazepose-full-hub-w8a8"]
    quantized = verify_pack(packs / names[1])
    assert quantized.digest != read_pack(packs / names[0]).digest
    assert "w8a8 by AI Hub" in quantized.source
    assert variant_folder(packs / names[1], SOC).is_dir()
    assert service.submitted("quantize") == 2


def test_8_bit_models_are_not_installed_without_their_quantize_jobs(
    service: HubService, packs: Path, stroll: Path
) -> None:
    run("compile", *W8A8, "--videos", stroll)
    record = next(packs.rglob("jobs.json"))
    fields = json.loads(record.read_text())
    del fields["jobs"]["quantize"]
    record.write_text(json.dumps(fields))
    with pytest.raises(HubError, match="is not compiled"):
        run("verify", *W8A8, "--videos", stroll)
    assert [pack.name for pack in installed_packs(packs)] == ["blazepose-full"]
    assert service.submitted("inference") == 2


def test_8_bit_models_that_are_not_accurate_enough_are_refused(
    service: HubService, packs: Path, stroll: Path
) -> None:
    run("compile", *W8A8, "--videos", stroll)
    service.noise = 0.1
    verified = run("verify", *W8A8, "--videos", stroll, "--json", code=5)
    verdict = json.loads(verified.stdout)
    assert not verdict["passed"]
    assert "is not accurate enough" in verdict["reason"]
    assert verdict["variant"] is None
    assert [pack.name for pack in installed_packs(packs)] == ["blazepose-full"]


def test_quantized_outputs_are_dequantized_before_the_comparison(
    tmp_path: Path, packs: Path
) -> None:
    asset = write_zip(tmp_path / "asset.zip", asset_files(quantized=True))
    pack = read_pack(add_pack(asset, packs))
    _, scale, zero = STEPS["scores"]
    example = [np.zeros((1, 25, 4), np.float32), np.zeros(1, np.float32)]
    answers: dict[str, list[NDArray[np.generic]]] = {
        "landmarks": [np.zeros((1, 25, 4), np.uint16)],
        "scores": [np.array([192], np.uint8)],
    }
    ((_, flag),) = outputs_in_order(answers, pack.landmark, example)
    assert flag.tolist() == [(192 - zero) * scale] == [0.75]


def test_agreement_is_that_of_the_devices_noise(service: HubService, stroll: Path) -> None:
    run("compile", *ON_X_ELITE, "--runtime", "onnx")
    service.noise = 0.001
    service.rename_outputs = True
    options = ("--runtime", "onnx", "--videos", stroll)
    verdict = json.loads(run("verify", *ON_X_ELITE, *options, "--json").stdout)
    found = verdict["fidelity"]
    # About 60 dB, since each crop has other noise.
    for stage, output in (
        ("detector", "boxes"),
        ("landmark", "landmarks"),
        ("landmark", "heatmap"),
    ):
        assert 59.5 <= found[stage]["agreement_db"][output] < 60.5, (stage, output)
    assert verdict["variant"] is None, "workers use only precompiled models"


@pytest.mark.parametrize(
    ("runtime", "ending", "links"),
    [
        ("onnx", ".onnx.zip", 0),
        ("qnn_dlc", ".dlc", 0),
        ("tflite", ".tflite", 0),
        ("qnn_context_binary", ".bin", 2),
    ],
)
def test_every_runtime_is_downloaded_into_the_pack(
    service: HubService, packs: Path, runtime: str, ending: str, links: int
) -> None:
    run("compile", *ON_X_ELITE, "--runtime", runtime)
    folder = packs / "blazepose-full" / "hub" / f"snapdragon-x-elite-crd.{runtime}.float"
    assert sorted(file.name for file in folder.iterdir()) == [
        "jobs.json",
        f"pose_detection{ending}",
        f"pose_landmark_full{ending}",
    ]
    assert service.submitted("link") == links


def test_devices_are_listed_with_their_chipset(service: HubService) -> None:
    listed = json.loads(run("devices", "--json").stdout)
    assert {"name": QCS8550, "os": "12", "chipset": "qualcomm-qcs8550-proxy"} in listed
    assert service.requests == ["GET /api/v1/devices/"]
