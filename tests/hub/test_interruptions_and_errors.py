"""`annotate models hub`: interruptions, failed jobs and a service that does not work."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from annotate.domain.errors import HubError, PackError, UsageError
from tests.command import PATIENCE_S, Host
from tests.hub.command import ON_X_ELITE, W8A8, run
from tests.hub.service import TOKEN, HubService

# Interruptions


def test_an_interrupted_command_continues_with_the_same_jobs(
    service: HubService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("time.sleep", interrupt)
        stopped = run("compile", *ON_X_ELITE, "--runtime", "onnx", code=130)
        assert "the jobs go on" in stopped.output
    assert service.submitted("compile") == 2
    run("compile", *ON_X_ELITE, "--runtime", "onnx")
    run("fetch", *ON_X_ELITE, "--runtime", "onnx")
    assert service.submitted("compile") == 2


@pytest.mark.parametrize("status", [503, 429], ids=["unavailable", "too many requests"])
def test_after_a_lost_connection_the_same_command_continues(
    service: HubService, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    def lose(_seconds: float) -> None:
        service.broken = status

    with monkeypatch.context() as patched:
        patched.setattr("time.sleep", lose)
        with pytest.raises(HubError, match="AI Hub cannot be reached or failed") as raised:
            run("compile", *ON_X_ELITE, "--runtime", "onnx")
    assert "Run the same command again" in raised.value.hint
    service.broken = None
    run("compile", *ON_X_ELITE, "--runtime", "onnx")
    assert service.submitted("compile") == 2


def test_jobs_of_another_host_are_fetched_by_id(service: HubService, packs: Path) -> None:
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
    assert service.submitted("compile") == 2


def test_other_calibration_videos_need_new_jobs(
    service: HubService, stroll: Path, walk: Path
) -> None:
    options = ("--runtime", "tflite", "--videos")
    run("compile", *W8A8, *options, stroll)
    run("compile", *W8A8, *options, stroll)
    assert service.submitted("quantize") == 2
    run("compile", *W8A8, *options, walk)
    assert service.submitted("quantize") == service.submitted("compile") == 4


# Errors


def test_a_failed_job_is_reported_and_submitted_again_next_time(
    service: HubService,
) -> None:
    service.fail = {"compile": "the converter does not know Gelu"}
    with pytest.raises(HubError, match=r"compile step failed: .*job j\w+: the converter") as raised:
        run("compile", *ON_X_ELITE, "--runtime", "onnx")
    assert "submit it again" in raised.value.hint
    service.fail = {}
    run("compile", *ON_X_ELITE, "--runtime", "onnx")
    assert service.submitted("compile") == 4


def test_of_two_jobs_only_the_one_that_failed_is_submitted_again(service: HubService) -> None:
    service.fail, service.fail_from = {"compile": "out of memory"}, {"compile": 2}
    with pytest.raises(HubError, match="compile step failed: landmark model") as raised:
        run("compile", *ON_X_ELITE, "--runtime", "onnx")
    assert "detector model" not in raised.value.message
    service.fail = {}
    run("compile", *ON_X_ELITE, "--runtime", "onnx")
    assert service.submitted("compile") == 3


def test_models_are_uploaded_in_parts(service: HubService) -> None:
    run("compile", *ON_X_ELITE, "--runtime", "onnx")
    puts = [one.rpartition("/")[2] for one in service.requests if one.startswith("PUT")]
    assert max(map(int, puts)) >= 1, "a model of 12 MB has several parts of 4 MiB"
    assert all(model.content for model in service.models.values())


def test_an_unknown_device_is_refused_with_a_suggestion(service: HubService) -> None:
    with pytest.raises(HubError, match="did you mean 'Snapdragon X Elite CRD'"):
        run("compile", "--device", "Snapdragon X Elit CRD")
    assert service.submitted("compile") == 0


def test_without_a_token_the_error_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QAIHUB_CLIENT_INI", str(tmp_path / "none.ini"))
    with pytest.raises(HubError, match=r"none\.ini not found") as raised:
        run("devices")
    assert "qai-hub configure" in raised.value.hint


def test_a_wrong_token_is_reported_but_never_printed(
    service: HubService, host: Host, tmp_path: Path
) -> None:
    config = tmp_path / "client.ini"
    config.write_text(config.read_text().replace(TOKEN, "another-secret"))
    for flags in ((), ("--debug",)):
        process = host.start(*flags, "models", "hub", "devices")
        out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 1
        assert "Failed to authenticate" in err
        assert "another-secret" not in out + err
    assert service.requests


def test_a_service_that_cannot_be_reached_is_reported(service: HubService, tmp_path: Path) -> None:
    config = tmp_path / "client.ini"
    config.write_text(config.read_text().replace(service.url, "http://127.0.0.1:9"))
    with pytest.raises(HubError, match="cannot be reached"):
        run("devices")


def test_without_the_client_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "qai_hub", None)
    with pytest.raises(HubError, match="is not installed") as raised:
        run("devices")
    assert "annotate-video[hub]" in raised.value.hint


def test_8_bit_models_need_videos(service: HubService) -> None:
    with pytest.raises(UsageError, match="no video is given"):
        run("compile", *W8A8)
    assert service.submitted("quantize") == 0


def test_a_damaged_record_is_named(service: HubService, packs: Path) -> None:
    run("compile", *ON_X_ELITE, "--runtime", "onnx")
    record = next(packs.rglob("jobs.json"))
    record.write_text("{")
    with pytest.raises(PackError, match=r"jobs\.json cannot be read"):
        run("compile", *ON_X_ELITE, "--runtime", "onnx")
    assert service.submitted("compile") == 2
