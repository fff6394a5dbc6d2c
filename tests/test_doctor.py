"""`annotate doctor` and `annotate models compile` on this machine, which has no NPU."""

import json
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from annotate.cli.doctor import doctor
from annotate.cli.models_compile import compile_pack
from annotate.domain.errors import PackError, ProviderError
from annotate.domain.pack import read_pack
from annotate.domain.soc import Soc, find_soc
from annotate.domain.variant import read_variant, variant_folder
from annotate.host import emulates_npu
from annotate.inference.isolated import run_isolated
from annotate.use_cases.doctor import if_faster, judge
from annotate.use_cases.host_checks import Check

pytestmark = pytest.mark.skipif(not emulates_npu(), reason="the HTP emulator is for x86-64 Linux")

app = typer.Typer()
app.command("doctor")(doctor)
app.command("compile")(compile_pack)


def run(*arguments: str, store: Path, packs: Path, broker: str = "") -> Result:
    environ = {
        "ANNOTATE_STORE": str(store),
        "ANNOTATE_PACKS": str(packs),
        "ANNOTATE_BROKER": broker,
        "COLUMNS": "200",
    }
    return CliRunner().invoke(app, arguments, env=environ)


@pytest.fixture
def packs(blazepose_pack: Path, tmp_path: Path) -> Path:
    shutil.copytree(blazepose_pack, tmp_path / "packs" / blazepose_pack.name)
    return tmp_path / "packs"


# The whole command


def test_a_machine_without_an_npu_passes_all_checks(packs: Path, tmp_path: Path) -> None:
    done = run("doctor", "--json", store=tmp_path / "store", packs=packs)
    assert done.exit_code == 0
    report = json.loads(done.stdout)
    assert (report["npu"], report["sound"]) == (False, True)
    assert report["verdict"].startswith("This machine has no NPU")
    checks = {check["name"]: check for check in report["checks"]}
    assert not [name for name, check in checks.items() if check["state"] == "fail"]
    pack = read_pack(packs / "blazepose-full")
    assert checks["pack blazepose-full"]["facts"]["digest"] == pack.digest
    emulator = checks["models on the emulator"]["facts"]
    assert (emulator["provider"], emulator["device"]) == ("htp-emulator", "CPU")
    for model in ("detector", "landmark"):
        assert list(emulator["placement"][model]) == ["QNNExecutionProvider"]
        assert emulator["latency_ms"][model] > 0
        assert checks["models on the CPU"]["facts"]["latency_ms"][model] > 0
        assert emulator["agreement_db"][model] > 40
    assert checks["decoding"]["facts"]["frames_per_s"] > 0
    assert not list((tmp_path / "store").iterdir()), "the probe is removed"


def test_requiring_an_npu_fails_without_one(tmp_path: Path) -> None:
    done = run("doctor", "--require", "npu", store=tmp_path, packs=tmp_path)
    assert done.exit_code == 1
    assert "no working NPU, which is required" in done.stdout
    assert "annotate models pull" in done.stdout


def test_every_failed_check_is_named_and_no_password_is_shown(packs: Path, tmp_path: Path) -> None:
    (packs / "blazepose-full" / "pose_detection.onnx").write_bytes(b"damaged")
    store = tmp_path / "store"
    store.write_text("a file, not a folder")
    broker = "redis://:secret@127.0.0.1:1/0"
    done = run("doctor", store=store, packs=packs, broker=broker)
    assert done.exit_code == 1
    assert "Failed: pack blazepose-full, store, broker." in done.stdout
    assert "models pull blazepose-full --force" in done.stdout
    assert "127.0.0.1:1/0 cannot be reached" in done.stdout
    assert "secret" not in done.stdout + done.stderr


# The verdict


X_ELITE = find_soc("x-elite")
WORKS = Check("models on the NPU", "ok", "", facts={"provider": "qnn"})
EMULATED = Check("models on the emulator", "ok", "", facts={"provider": "htp-emulator"})
BROKEN = Check("models on the NPU", "fail", "the NPU does not take it")
ABSENT = Check("models on the NPU", "none", "skipped")


def test_an_npu_that_is_slower_than_the_cpu_is_an_emulated_one() -> None:
    ms = {"detector": 2.0, "landmark": 3.0}
    cpu = Check("models on the CPU", "ok", "", facts={"provider": "cpu", "latency_ms": ms})
    fast, slow = (
        replace(WORKS, facts={"provider": "qnn", "latency_ms": {"detector": 2, "landmark": last}})
        for last in (3.0, 3.1)
    )
    assert if_faster(fast, cpu) == fast
    refused = if_faster(slow, cpu)
    assert (refused.state, "emulated" in refused.value) == ("fail", True)
    assert not judge((cpu, refused), X_ELITE, require_npu=False).npu
    # The emulator of x86-64 Linux says itself what it is.
    emulated = replace(slow, facts={**slow.facts, "provider": "htp-emulator"})
    assert if_faster(emulated, cpu) == emulated


@pytest.mark.parametrize(
    ("check", "soc", "required", "npu", "sound", "verdict"),
    [
        (WORKS, X_ELITE, True, True, True, "The NPU works. No check failed."),
        (EMULATED, None, False, False, True, "This machine has no NPU"),
        (EMULATED, None, True, False, False, "which is required"),
        (BROKEN, X_ELITE, False, False, False, "The NPU of this Snapdragon X Elite does not work"),
        (ABSENT, X_ELITE, False, False, True, "The NPU of this Snapdragon X Elite does not work"),
    ],
    ids=[
        "a working NPU that is required",
        "an emulator",
        "an emulator where an NPU is required",
        "an NPU that fails",
        "an NPU without its plugin",
    ],
)
def test_the_verdict_says_whether_the_npu_works(
    check: Check, soc: Soc | None, required: bool, npu: bool, sound: bool, verdict: str
) -> None:
    report = judge((check,), soc, require_npu=required)
    assert (report.npu, report.sound) == (npu, sound)
    assert verdict in report.verdict


# Crashes in a separate process


def die() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def print_and_refuse() -> None:
    os.write(1, b"chatter of a native library")
    raise PackError("refused", "a next step")


def test_a_crash_in_a_native_library_is_an_error_with_a_next_step() -> None:
    with pytest.raises(ProviderError, match="crashed") as raised:
        run_isolated(die)
    assert "annotate doctor" in raised.value.hint


def test_errors_of_the_process_are_passed_on_and_prints_are_not(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(PackError, match="refused") as raised:
        run_isolated(print_and_refuse)
    assert raised.value.hint == "a next step"
    assert capfd.readouterr().out == ""


# Compiling


def test_one_command_compiles_a_pack_for_several_socs(packs: Path, tmp_path: Path) -> None:
    done = run("compile", "--soc", "x-elite, qcs8550", "--json", store=tmp_path, packs=packs)
    assert done.exit_code == 0
    rows = json.loads(done.stdout)
    assert [(row["soc"], row["model"]) for row in rows] == [
        (soc, model)
        for soc in ("x-elite", "qcs8550")
        for model in ("pose_detection.onnx", "pose_landmark_full.onnx")
    ]
    for name in ("x-elite", "qcs8550"):
        soc = find_soc(name)
        variant = read_variant(variant_folder(packs / "blazepose-full", soc))
        assert variant.soc_model == soc.soc_model


def test_an_unknown_soc_is_refused_before_anything_is_compiled(packs: Path, tmp_path: Path) -> None:
    done = run("compile", "--soc", "x-elite,x3-elite", store=tmp_path, packs=packs)
    assert "SoC: 'x3-elite' is not one of: x-elite" in str(done.exception)
    assert not (packs / "blazepose-full" / "variants").exists()
