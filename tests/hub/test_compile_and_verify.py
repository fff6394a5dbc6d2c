"""`annotate models hub`: compiled, profiled, verified and installed models."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from annotate.domain.errors import HubError, PackError, UsageError
from annotate.domain.pack import read_pack
from annotate.domain.soc import find_soc
from annotate.domain.variant import variant_folder
from annotate.inference import QnnSettings, load_models
from annotate.inference.qnn import sdk_version
from annotate.packs.installed import installed_packs, verify_pack
from annotate.use_cases.add_pack import add_pack
from annotate.use_cases.hub_verify import in_shape, outputs_in_order
from tests.hub.command import ON_X_ELITE, W8A8, run
from tests.hub.devices import QCS8550
from tests.hub.service import HubService
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
        "| PRECOMPILED_QNN_ONNX | 1.042 | 1 - 11 | float | NPU (149 ops), CPU (1 ops) |"
    )
    (detector, landmark) = json.loads(run("profile", *ON_X_ELITE, "--json").stdout)
    assert detector["operations"] == {"NPU": 149, "CPU": 1}
    assert landmark["model"] == "pose_landmark_full.onnx"
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
    assert [pack.name for pack in installed_packs(packs)[0]] == ["blazepose-full"]
    run("verify", *W8A8, "--videos", stroll)
    names = [pack.name for pack in installed_packs(packs)[0]]
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
    assert [pack.name for pack in installed_packs(packs)[0]] == ["blazepose-full"]
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
    assert [pack.name for pack in installed_packs(packs)[0]] == ["blazepose-full"]


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


def test_other_layouts_and_names_of_a_runtime_are_found_by_shape(
    service: HubService, stroll: Path
) -> None:
    """The stand-in's TFLite gives maps with channels last, and outputs without their names."""
    run("compile", *ON_X_ELITE, "--runtime", "tflite")
    verified = run("verify", *ON_X_ELITE, "--runtime", "tflite", "--videos", stroll)
    assert "| landmark | heatmap | inf | 0.00% |" in verified.output
    assert "Passed." in verified.output
    assert service.submitted("inference") == 2


@pytest.mark.parametrize("last", [True, False], ids=["last", "second"])
def test_channels_of_a_map_may_be_second_or_last(last: bool) -> None:
    first = np.arange(1 * 3 * 8 * 8, dtype=np.float32).reshape(1, 3, 8, 8)
    ours, theirs = (first, np.moveaxis(first, 1, -1))[:: 1 if last else -1]
    found = in_shape(theirs, ours.shape)
    assert found is not None
    assert (found == ours).all()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.zeros((1, 4, 25), np.float32), r"of shape \(1, 25, 4\) is not among"),
        (np.zeros((1, 25, 4), np.uint8), "comes as uint8 from the device, without a scale"),
    ],
    ids=["axes that are exchanged", "integers"],
)
def test_outputs_of_another_shape_or_type_are_refused(
    tmp_path: Path, packs: Path, answer: NDArray[np.generic], message: str
) -> None:
    pack = read_pack(add_pack(write_zip(tmp_path / "asset.zip", asset_files()), packs))
    example = [np.zeros((1, 25, 4), np.float32), np.zeros(1, np.float32)]
    answers: dict[str, list[NDArray[np.generic]]] = {
        "landmarks": [answer],
        "scores": [np.zeros(1, np.float32)],
    }
    with pytest.raises(HubError, match=message) as raised:
        outputs_in_order(answers, pack.landmark, example)
    assert raised.value.hint


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


CARD = """\
Profiling Results
------------------------------------------------------------
pose_detection.onnx
Device                          : Snapdragon X Elite CRD (11)
Runtime                         : ONNX
Estimated inference time (ms)   : 1.0
Estimated peak memory usage (MB): [1, 11]
Total # Ops                     : 150
Compute Unit(s)                 : NPU (149 ops), CPU (1 ops)
"""


def test_the_card_is_printed_with_its_jobs(service: HubService) -> None:
    run("compile", *ON_X_ELITE, "--runtime", "onnx")
    printed = run("profile", *ON_X_ELITE, "--runtime", "onnx", "--format", "card").stdout
    assert CARD in printed
    jobs = [name for name, job in service.jobs.items() if job.WhichOneof("job") == "inference_job"]
    for job in jobs:
        assert re.search(rf"^Job +: {job} {service.url}/jobs/{job}", printed, re.MULTILINE)
    (detector, _) = json.loads(
        run("profile", *ON_X_ELITE, "--runtime", "onnx", "--format", "json").stdout
    )
    assert detector["peak_memory_mib"] == [1_000_000 / 2**20, 12_000_000 / 2**20]


def test_one_command_does_all(service: HubService, packs: Path, stroll: Path) -> None:
    done = run("export", *ON_X_ELITE, "--videos", stroll).output
    assert done.index("pose_detection.onnx.zip") < done.index("Profiling Results")
    assert done.index("Profiling Results") < done.index("Workers will use the models in")
    assert variant_folder(packs / "blazepose-full", SOC).is_dir()
    assert service.submitted("inference") == 4
    skipped = run("export", *ON_X_ELITE, "--skip-verify", "--skip-profile").output
    assert "pose_detection.onnx.zip" in skipped
    assert service.submitted("compile") == 2, "the same jobs"
    assert service.submitted("inference") == 4
    with pytest.raises(UsageError, match="without crops of a video"):
        run("export", *ON_X_ELITE)


def test_models_for_an_unknown_soc_pass_but_are_not_installed(
    service: HubService, packs: Path, stroll: Path
) -> None:
    run("compile", *ON_X_ELITE)
    service.soc_model = "1"
    verified = run("verify", *ON_X_ELITE, "--videos", stroll).output
    assert "Passed." in verified
    assert "Not installed for workers: AI Hub compiled for SoC number 1, which is not" in verified
    assert not (packs / "blazepose-full" / "variants").exists()


def test_the_sdk_of_the_hosts_plugin_compiles(service: HubService) -> None:
    run("compile", *ON_X_ELITE)
    own = ".".join(sdk_version().split(".")[:2])
    assert _options_of(service, "compile_job") == {
        f"--target_runtime precompiled_qnn_onnx --qairt_version {own}"
    }
    run("compile", *ON_X_ELITE, "--runtime", "tflite")
    assert "--target_runtime tflite" in _options_of(service, "compile_job")


@pytest.mark.parametrize("version", ["2.999", "latest"])
def test_models_of_a_newer_sdk_are_refused_before_they_run(
    service: HubService, stroll: Path, version: str
) -> None:
    run("compile", *ON_X_ELITE, "--qairt-version", version)
    with pytest.raises(PackError, match=r"with QAIRT 2\.999\.0.*, which is newer than") as raised:
        run("verify", *ON_X_ELITE, "--videos", stroll, "--qairt-version", version)
    assert "--qairt-version" in (raised.value.hint or "")
    assert service.submitted("inference") == 0


def test_options_are_passed_on_and_other_ones_compile_again(service: HubService) -> None:
    run("compile", *ON_X_ELITE, "--compile-options", "--compute_unit npu")
    assert all("--compute_unit npu" in one for one in _options_of(service, "compile_job"))
    run("compile", *ON_X_ELITE, "--compile-options", "--compute_unit npu")
    assert service.submitted("compile") == 2
    run("compile", *ON_X_ELITE)
    assert service.submitted("compile") == 4
    run("profile", *ON_X_ELITE, "--profile-options", "--max_profiler_iterations 9")
    assert _options_of(service, "inference_job") == {"--max_profiler_iterations 9"}


def test_one_component_is_compiled_profiled_and_verified(
    service: HubService, packs: Path, stroll: Path
) -> None:
    only = (*ON_X_ELITE, "--component", "landmark")
    assert "pose_detection" not in run("compile", *only).output
    assert [row["model"] for row in json.loads(run("profile", *only, "--json").stdout)] == [
        "pose_landmark_full.onnx"
    ]
    verified = run("verify", *only, "--videos", stroll).output
    assert "Passed." in verified
    assert "| detector |" not in verified
    assert "workers need both models" in verified
    assert service.submitted("compile") == 1
    assert not (packs / "blazepose-full" / "variants").exists()


def _options_of(service: HubService, kind: str) -> set[str]:
    """The options of all jobs of a kind."""
    return {
        getattr(job, kind).options for job in service.jobs.values() if job.WhichOneof("job") == kind
    }
