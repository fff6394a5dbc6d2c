"""`annotate models hub` with AI Hub's real client, against a stand-in for its service."""

import json
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from qai_hub.util import session
from typer.testing import CliRunner, Result

from annotate.cli import models_hub
from annotate.cli.app import app
from annotate.domain.errors import HubError, PackError, UsageError
from annotate.domain.pack import read_pack
from annotate.domain.soc import find_soc
from annotate.domain.variant import variant_folder
from annotate.hub import client
from annotate.inference import QnnSettings, load_models
from annotate.inference.host import emulates_npu
from annotate.packs.installed import installed_packs, verify_pack
from annotate.use_cases.add_pack import add_pack
from annotate.use_cases.hub_verify import outputs_in_order
from tests.command import Host
from tests.hub_service import QCS8550, TOKEN, X_ELITE, HubServer, HubService
from tests.made_asset import STEPS, asset_files, write_zip

pytestmark = [
    pytest.mark.skipif(
        not emulates_npu(), reason="the stand-in compiles with the HTP emulator, for x86-64 Linux"
    ),
    pytest.mark.usefixtures("packs"),
]

SOC = find_soc("x-elite")
ON_X_ELITE = ("--device", X_ELITE)
W8A8 = (*ON_X_ELITE, "--precision", "w8a8")


@pytest.fixture
def service() -> Iterator[HubService]:
    state = HubService()
    with HubServer(state) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield state
        server.shutdown()
        thread.join()


@pytest.fixture
def configured(service: HubService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HubService:
    """The service, and the client's own configuration of it."""
    config = tmp_path / "client.ini"
    config.write_text(
        f"[api]\napi_url = {service.url}\nweb_url = {service.url}\napi_token = {TOKEN}\n"
    )
    monkeypatch.setenv("QAIHUB_CLIENT_INI", str(config))
    # What comes back in half a minute is not waited for.
    monkeypatch.setattr(session, "MAX_RETRIES", 0)
    monkeypatch.setattr(client, "POLL_S", 0.001)
    monkeypatch.setattr(models_hub, "CALIBRATION_FRAMES", 6)
    monkeypatch.setattr(models_hub, "VERIFY_FRAMES", 9)
    return service


@pytest.fixture
def packs(blazepose_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packs of this test's own."""
    root = tmp_path / "packs"
    shutil.copytree(blazepose_pack, root / blazepose_pack.name)
    monkeypatch.setenv("ANNOTATE_PACKS", str(root))
    return root


def run(*arguments: str | Path, code: int = 0) -> Result:
    """Runs `annotate models hub ARGUMENTS` in this process; errors are raised."""
    result = CliRunner().invoke(app, ["models", "hub", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    assert TOKEN not in result.output
    return result


# The whole way


def test_compiled_profiled_and_verified_models_are_taken_by_workers(
    configured: HubService, packs: Path, stroll: Path
) -> None:
    folder = packs / "blazepose-full"
    compiled = run("compile", *ON_X_ELITE)
    assert "pose_detection.onnx.zip" in compiled.output
    assert not (folder / "variants").exists(), "nothing is used before it is verified"
    table = run("profile", *ON_X_ELITE).output.splitlines()
    assert table[-2] == (
        "| pose_detection.onnx | Snapdragon X Elite CRD | qualcomm-snapdragon-x-elite "
        "| PRECOMPILED_QNN_ONNX | 1.042 | 1 - 12 | float | NPU (149 ops), CPU (1 ops) |"
    )
    (detector, landmark) = json.loads(run("profile", *ON_X_ELITE, "--json").stdout)
    assert detector["operations"] == {"NPU": 149, "CPU": 1}
    assert landmark["model"] == "pose_landmark_full.onnx"
    configured.soc_model = "1"
    with pytest.raises(HubError, match="compiled for SoC number 1, which is not one of"):
        run("verify", *ON_X_ELITE, "--videos", stroll)
    configured.soc_model = ""
    said = run("verify", *ON_X_ELITE, "--videos", stroll)
    assert "Passed." in said.output
    assert "| landmark | heatmap | inf | 0.00% |" in said.output
    pack = read_pack(folder)
    models = load_models(pack, folder, provider="qnn", qnn=QnnSettings(SOC, {}, packs / "cache"))
    assert models.provider == "htp-emulator"
    assert not (packs / "cache").exists(), "the variant of AI Hub was taken"
    assert configured.submitted("compile") == 2


def test_8_bit_models_become_a_pack_of_their_own_when_they_pass(
    configured: HubService, packs: Path, stroll: Path
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
    assert configured.submitted("quantize") == 2


def test_8_bit_models_of_another_host_are_not_taken_without_what_they_were_compiled_from(
    configured: HubService, packs: Path, stroll: Path
) -> None:
    run("compile", *W8A8, "--videos", stroll)
    record = next(packs.rglob("jobs.json"))
    fields = json.loads(record.read_text())
    del fields["jobs"]["quantize"]
    record.write_text(json.dumps(fields))
    with pytest.raises(HubError, match="is not compiled"):
        run("verify", *W8A8, "--videos", stroll)
    assert [pack.name for pack in installed_packs(packs)] == ["blazepose-full"]
    assert configured.submitted("inference") == 2


def test_8_bit_models_that_fail_the_bar_are_blocked(
    configured: HubService, packs: Path, stroll: Path
) -> None:
    run("compile", *W8A8, "--videos", stroll)
    configured.noise = 0.1
    said = run("verify", *W8A8, "--videos", stroll, "--json", code=5)
    verdict = json.loads(said.stdout)
    assert not verdict["passed"]
    assert "is not accurate enough" in verdict["reason"]
    assert verdict["variant"] is None
    assert [pack.name for pack in installed_packs(packs)] == ["blazepose-full"]


def test_integers_of_a_quantized_output_are_compared_as_what_they_stand_for(
    tmp_path: Path, packs: Path
) -> None:
    asset = write_zip(tmp_path / "asset.zip", asset_files(quantized=True))
    pack = read_pack(add_pack(asset, packs))
    _, scale, zero = STEPS["scores"]
    like = [np.zeros((1, 25, 4), np.float32), np.zeros(1, np.float32)]
    answers = {
        "landmarks": [np.zeros((1, 25, 4), np.uint16)],
        "scores": [np.array([192], np.uint8)],
    }
    ((_, flag),) = outputs_in_order(answers, pack.landmark, like)
    assert flag.tolist() == [(192 - zero) * scale] == [0.75]


def test_psnr_is_that_of_the_noise_of_the_device(configured: HubService, stroll: Path) -> None:
    run("compile", *ON_X_ELITE, "--runtime", "onnx")
    configured.noise = 0.001
    configured.rename_outputs = True
    said = run("verify", *ON_X_ELITE, "--runtime", "onnx", "--videos", stroll, "--json").stdout
    found = json.loads(said)["fidelity"]
    # 60 dB, a little more or less: the noise of each crop is its own.
    for stage, output in (
        ("detector", "boxes"),
        ("landmark", "landmarks"),
        ("landmark", "heatmap"),
    ):
        assert 59.5 <= found[stage]["agreement_db"][output] < 60.5, (stage, output)
    assert json.loads(said)["variant"] is None, "only precompiled models are for workers"


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
    configured: HubService, packs: Path, runtime: str, ending: str, links: int
) -> None:
    run("compile", *ON_X_ELITE, "--runtime", runtime)
    folder = packs / "blazepose-full" / "hub" / f"snapdragon-x-elite-crd.{runtime}.float"
    assert sorted(file.name for file in folder.iterdir()) == [
        "jobs.json",
        f"pose_detection{ending}",
        f"pose_landmark_full{ending}",
    ]
    assert configured.submitted("link") == links


def test_devices_are_listed_with_their_chipset(configured: HubService) -> None:
    listed = json.loads(run("devices", "--json").stdout)
    assert {"name": QCS8550, "os": "12", "chipset": "qualcomm-qcs8550-proxy"} in listed
    assert configured.requests == ["GET /api/v1/devices/"]


# Interrupted, resumed


def test_an_interrupted_command_goes_on_with_the_same_jobs(
    configured: HubService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(client.time, "sleep", interrupt)
        said = run("compile", *ON_X_ELITE, "--runtime", "onnx", code=130)
        assert "the jobs go on" in said.output
    assert configured.submitted("compile") == 2
    run("compile", *ON_X_ELITE, "--runtime", "onnx")
    run("fetch", *ON_X_ELITE, "--runtime", "onnx")
    assert configured.submitted("compile") == 2


def test_a_lost_connection_is_told_and_the_same_command_goes_on(
    configured: HubService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(_seconds: float) -> None:
        configured.broken = 503

    with monkeypatch.context() as patched:
        patched.setattr(client.time, "sleep", lose)
        with pytest.raises(HubError, match="AI Hub cannot be reached or failed") as raised:
            run("compile", *ON_X_ELITE, "--runtime", "onnx")
    assert "Run the same command again" in raised.value.hint
    configured.broken = None
    run("compile", *ON_X_ELITE, "--runtime", "onnx")
    assert configured.submitted("compile") == 2


def test_jobs_of_another_host_are_fetched_by_their_ids(configured: HubService, packs: Path) -> None:
    run("compile", *ON_X_ELITE, "--runtime", "onnx")
    record = next(packs.rglob("jobs.json"))
    jobs = json.loads(record.read_text())["jobs"]["compile"]
    shutil.rmtree(record.parent)
    with pytest.raises(HubError, match="is not compiled for Snapdragon X Elite CRD"):
        run("fetch", *ON_X_ELITE, "--runtime", "onnx")
    with pytest.raises(UsageError, match="given twice"):
        run("fetch", *ON_X_ELITE, "--runtime", "onnx", "--job", jobs["detector"])
    run(
        "fetch",
        *ON_X_ELITE,
        "--runtime",
        "onnx",
        "--job",
        jobs["detector"],
        "--job",
        jobs["landmark"],
    )
    assert (record.parent / "pose_landmark_full.onnx.zip").exists()
    assert configured.submitted("compile") == 2


def test_other_models_and_other_calibration_are_compiled_anew(
    configured: HubService, stroll: Path, walk: Path
) -> None:
    options = ("--runtime", "tflite", "--videos")
    run("compile", *W8A8, *options, stroll)
    run("compile", *W8A8, *options, stroll)
    assert configured.submitted("quantize") == 2
    run("compile", *W8A8, *options, walk)
    assert configured.submitted("quantize") == configured.submitted("compile") == 4


# What goes wrong


def test_a_failed_job_is_told_with_its_reason_and_submitted_again_next_time(
    configured: HubService,
) -> None:
    configured.fail = {"compile": "the converter does not know Gelu"}
    with pytest.raises(HubError, match=r"compile step failed: .*job j\w+: the converter") as raised:
        run("compile", *ON_X_ELITE, "--runtime", "onnx")
    assert "submit it again" in raised.value.hint
    configured.fail = {}
    run("compile", *ON_X_ELITE, "--runtime", "onnx")
    assert configured.submitted("compile") == 4


def test_an_unknown_device_is_told_with_the_nearest(configured: HubService) -> None:
    with pytest.raises(HubError, match="did you mean 'Snapdragon X Elite CRD'"):
        run("compile", "--device", "Snapdragon X Elit CRD")
    assert configured.submitted("compile") == 0


def test_without_a_token_the_error_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QAIHUB_CLIENT_INI", str(tmp_path / "none.ini"))
    with pytest.raises(HubError, match=r"none\.ini not found") as raised:
        run("devices")
    assert "qai-hub configure" in raised.value.hint


def test_a_wrong_token_is_told_but_never_shown(
    configured: HubService, host: Host, tmp_path: Path
) -> None:
    config = tmp_path / "client.ini"
    config.write_text(config.read_text().replace(TOKEN, "another-secret"))
    for flags in ((), ("--debug",)):
        process = host.start(*flags, "models", "hub", "devices")
        out, err = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "Failed to authenticate" in err
        assert "another-secret" not in out + err
    assert configured.requests


def test_a_service_that_is_away_is_told(configured: HubService, tmp_path: Path) -> None:
    config = tmp_path / "client.ini"
    config.write_text(config.read_text().replace(configured.url, "http://127.0.0.1:9"))
    with pytest.raises(HubError, match="cannot be reached"):
        run("devices")


def test_without_the_client_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "qai_hub", None)
    with pytest.raises(HubError, match="is not installed") as raised:
        run("devices")
    assert "annotate-video[hub]" in raised.value.hint


def test_crops_need_videos_in_which_somebody_is_seen(configured: HubService) -> None:
    with pytest.raises(UsageError, match="no video is given"):
        run("compile", *W8A8)
    assert configured.submitted("quantize") == 0


def test_a_damaged_record_is_named(configured: HubService, packs: Path) -> None:
    run("compile", *ON_X_ELITE, "--runtime", "onnx")
    record = next(packs.rglob("jobs.json"))
    record.write_text("{")
    with pytest.raises(PackError, match=r"jobs\.json cannot be read"):
        run("compile", *ON_X_ELITE, "--runtime", "onnx")
    assert configured.submitted("compile") == 2
