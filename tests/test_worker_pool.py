"""What a worker starts on hosts with and without an NPU; the hosts are simulated."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from annotate import host
from annotate.domain.errors import ProviderError
from annotate.domain.settings import Provider, settings_from
from annotate.domain.soc import SOCS
from annotate.inference import npu_proof, qnn
from annotate.inference.npu_proof import run_small_model
from annotate.inference.self_test import SelfTest
from annotate.use_cases import doctor as examined
from annotate.use_cases import worker_pool as pools
from annotate.use_cases.host_checks import Check
from annotate.use_cases.worker_pool import processes_here, worker_pool

CORES = 8


@dataclass(frozen=True)
class SimulatedHost:
    """What a host says of itself, and whether a model runs on its NPU."""

    process: str
    machine: str
    description: str
    npu_works: bool


LINUX_X86 = SimulatedHost("linux-x86_64", "x86_64", "", npu_works=False)
LINUX_ARM = SimulatedHost("linux-aarch64", "aarch64", "raspberrypi,5-model-b", npu_works=False)
LINUX_NPU = SimulatedHost("linux-aarch64", "aarch64", "qcom,qcs8550", npu_works=True)
LINUX_NPU_DEAD = SimulatedHost("linux-aarch64", "aarch64", "qcom,qcs8550", npu_works=False)
X_ELITE = "Snapdragon(R) X Elite - X1E80100 - Qualcomm(R) Oryon(TM) CPU"
WINDOWS_ON_ARM = SimulatedHost("win-amd64", "ARM64", X_ELITE, npu_works=True)
X_PLUS = "Snapdragon(R) X Plus - X1P64100 - Qualcomm(R) Oryon(TM) CPU"
WINDOWS_X_PLUS = SimulatedHost("win-amd64", "ARM64", X_PLUS, npu_works=True)
WINDOWS_X86 = SimulatedHost("win-amd64", "AMD64", "Intel(R) Core(TM) i7", npu_works=False)


def simulate(simulated: SimulatedHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes this host answer as the simulated one does."""
    monkeypatch.setattr(host, "process_architecture", lambda: simulated.process)
    monkeypatch.setattr(host, "host_architecture", lambda: simulated.machine)
    monkeypatch.setattr(host, "_description", lambda: simulated.description)
    windows = simulated.process.startswith("win")
    monkeypatch.setattr(pools, "sys", SimpleNamespace(platform="win32" if windows else "linux"))
    monkeypatch.setattr(os, "cpu_count", lambda: CORES)

    def run_isolated(_function: object, _soc: object) -> None:
        if not simulated.npu_works:
            raise ProviderError("the QNN plugin finds no NPU on this host")

    monkeypatch.setattr(npu_proof, "run_isolated", run_isolated)


@pytest.mark.parametrize(
    ("simulated", "provider", "threads", "count", "reason"),
    [
        (LINUX_X86, "auto", False, CORES, "no NPU"),
        (LINUX_X86, "qnn", True, 4, "owns the NPU"),
        (LINUX_ARM, "auto", False, CORES, "SoC of this host is not known"),
        (LINUX_NPU, "auto", True, 4, "owns the NPU"),
        (LINUX_NPU, "cpu", False, CORES, "run on cpu"),
        (LINUX_NPU_DEAD, "auto", False, CORES, "finds no NPU"),
        (WINDOWS_ON_ARM, "auto", True, 4, "owns the NPU"),
        (WINDOWS_X_PLUS, "auto", True, 4, "owns the NPU"),
        (WINDOWS_X86, "auto", True, CORES, "no NPU"),
        (LINUX_X86, "cuda", False, CORES, "run on cuda"),
    ],
    ids=[
        "x86-64 Linux",
        "x86-64 Linux where the NPU is required",
        "Linux on Arm without an NPU",
        "Linux on Arm with an NPU",
        "Linux on Arm whose NPU is not wanted",
        "Linux on Arm whose NPU does not work",
        "emulated Python of Windows on Arm",
        "the same on a Snapdragon X Plus",
        "x86-64 Windows, where Celery has no processes",
        "a GPU",
    ],
)
def test_only_a_proven_npu_gets_one_process_with_threads(
    simulated: SimulatedHost,
    provider: Provider,
    threads: bool,
    count: int,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulate(simulated, monkeypatch)
    settings = settings_from({"ANNOTATE_PROVIDER": provider})
    pool = worker_pool(settings, None)
    assert (pool.threads, pool.count) == (threads, count)
    assert reason in pool.reason
    assert worker_pool(settings, 3).count == 3
    has_npu = "owns the NPU" in pool.reason
    assert processes_here(settings, None) == (1 if has_npu else CORES)
    assert processes_here(settings, 5) == (1 if has_npu else 5)


@pytest.mark.skipif(not host.emulates_npu(), reason="the HTP emulator is for x86-64 Linux")
def test_the_small_model_runs_on_the_emulator() -> None:
    run_small_model(SOCS[0])


# The libraries of the plugin


def test_emulated_python_on_arm_takes_the_libraries_that_reach_the_npu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulate(WINDOWS_ON_ARM, monkeypatch)
    # The plugin itself would take the emulator: it looks at `platform.machine()`, which is AMD64.
    own = tmp_path / "libs" / "amd64" / "onnxruntime_providers_qnn.dll"
    reaching = tmp_path / "libs" / "arm64ec" / own.name
    plugin = SimpleNamespace(get_library_path=lambda: str(own))
    with pytest.raises(ProviderError, match="no libraries for emulated Python on Arm"):
        qnn._library(plugin)
    reaching.parent.mkdir(parents=True)
    reaching.touch()
    monkeypatch.delenv("ADSP_LIBRARY_PATH", raising=False)
    assert qnn._library(plugin) == reaching
    assert os.environ["ADSP_LIBRARY_PATH"] == str(reaching.parent)
    monkeypatch.setenv("ADSP_LIBRARY_PATH", "of the user")
    qnn._library(plugin)
    assert os.environ["ADSP_LIBRARY_PATH"] == "of the user"


def test_a_device_that_is_no_npu_is_refused_where_there_is_no_emulator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if sys.platform != "linux" or not host.emulates_npu():
        pytest.skip("needs the emulator's device, of type CPU")
    simulate(LINUX_NPU, monkeypatch)
    with pytest.raises(ProviderError, match="finds no NPU on this host, only a CPU"):
        qnn.device_kind()


# Doctor


@pytest.mark.parametrize(
    ("simulated", "ms", "verdict"),
    [
        (LINUX_X86, 900.0, "This machine has no NPU"),
        (LINUX_ARM, 1.0, "This machine has no NPU"),
        (LINUX_NPU, 1.0, "The NPU works"),
        (LINUX_NPU_DEAD, 1.0, "The NPU of this Qualcomm QCS8550 does not work"),
        (WINDOWS_ON_ARM, 1.0, "The NPU works"),
        (WINDOWS_ON_ARM, 900.0, "The NPU of this Snapdragon X Elite does not work"),
        (WINDOWS_X_PLUS, 1.0, "The NPU works"),
        (WINDOWS_X86, 900.0, "This machine has no NPU"),
    ],
    ids=[
        "x86-64 Linux",
        "Linux on Arm without an NPU",
        "Linux on Arm with an NPU",
        "Linux on Arm whose NPU does not work",
        "Windows on Arm",
        "Windows on Arm whose NPU is only emulated",
        "a Snapdragon X Plus",
        "x86-64 Windows",
    ],
)
def test_doctor_decides_as_the_worker_does(
    simulated: SimulatedHost,
    ms: float,
    verdict: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulate(simulated, monkeypatch)

    def run_isolated(_function: object, _folder: Path, *_soc: object) -> SelfTest:
        if not (simulated.npu_works or host.emulates_npu()):
            raise ProviderError("the QNN plugin finds no NPU on this host")
        times = {"detector": ms, "landmark": ms}
        return SelfTest(qnn.label(), "NPU", {"detector": {}, "landmark": {}}, times, {})

    monkeypatch.setattr(examined, "run_isolated", run_isolated)
    monkeypatch.setattr(examined, "versions", lambda: {qnn.PACKAGE: "2.7.0"})
    soc = None if host.emulates_npu() else host.this_soc()
    cpu = Check("models on the CPU", "ok", "", facts={"latency_ms": {"both": 20.0}})
    checked = examined.if_faster(examined._npu_check(tmp_path, soc), cpu)
    report = examined.judge((cpu, checked), soc, require_npu=False)
    assert report.verdict.startswith(verdict)
    assert report.npu == (verdict == "The NPU works")
