"""What a process needs to reach the NPUs of a board, and how threads share two; simulated."""

import os
import sys
import threading
from pathlib import Path

import pytest

from annotate import host
from annotate.domain.errors import ProviderError
from annotate.domain.settings import settings_from
from annotate.domain.soc import find_soc
from annotate.inference import npu_proof
from annotate.inference.npu_proof import run_small_model, working_npus
from annotate.use_cases import host_checks, worker_pool
from annotate.use_cases.host_checks import Check
from annotate.use_cases.host_checks import host_checks as all_checks
from workers import host as worker_host

IQ_9075, QCS8550 = find_soc("iq-9075"), find_soc("qcs8550")


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of device files, as a Linux board with two NPUs has them."""
    folder = tmp_path / "dev"
    folder.mkdir()
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("ADSP_LIBRARY_PATH", raising=False)
    files = [folder / name for name in ("fastrpc-cdsp", "fastrpc-cdsp1", "system")]
    for module in (host, host_checks):
        monkeypatch.setattr(module, "NPU_DEVICES", tuple(files[:2]))
        monkeypatch.setattr(module, "DMA_HEAP", files[2])
    for file in files:
        file.touch()
    return folder


def checks(soc: str = "iq-9075") -> dict[str, Check]:
    return {Path(check.name).name: check for check in all_checks(find_soc(soc))}


def forbid(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    """Root may open everything, so the system's answer is simulated."""
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != file and access(path, mode))


# Doctor


def test_a_board_whose_devices_can_be_opened_passes(board: Path) -> None:
    found = checks()
    assert [found[file.name].state for file in board.iterdir()] == ["ok"] * 3
    assert "fastrpc-cdsp1" not in checks("qcs8550")


def test_a_missing_device_is_no_matter_of_rights(board: Path) -> None:
    (board / "system").unlink()
    found = checks()["system"]
    assert (found.state, found.value) == ("warn", "missing")
    assert "no driver" in found.hint
    assert "group" not in found.hint


def test_a_forbidden_device_names_the_group_that_may(
    board: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import grp

    forbid(monkeypatch, board / "fastrpc-cdsp")
    found = checks()["fastrpc-cdsp"]
    owner = grp.getgrgid((board / "fastrpc-cdsp").stat().st_gid).gr_name
    assert (found.state, found.value) == ("warn", f"no access: it belongs to the group {owner}")
    assert "SupplementaryGroups" in found.hint


def test_of_a_list_in_adsp_library_path_the_folder_that_counts_is_named(
    board: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / name for name in ("empty", "old", "new")]
    for folder in folders:
        folder.mkdir()
    for folder in folders[1:]:
        (folder / "libQnnHtpV73Skel.so").touch()
    monkeypatch.setenv("ADSP_LIBRARY_PATH", f"{folders[0]};{folders[1]}:{folders[2]};")
    found = checks()["ADSP_LIBRARY_PATH"]
    assert found.facts["folders"] == [str(folder) for folder in folders]
    assert f"are in {folders[1]}" in found.value
    monkeypatch.setenv("ADSP_LIBRARY_PATH", str(folders[0]))
    assert "are in none of them" in checks()["ADSP_LIBRARY_PATH"].value
    assert board.exists()


# Two NPUs


def test_a_second_npu_counts_where_its_device_can_be_opened(
    board: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert host.npus(IQ_9075) == (0, 1)
    assert host.npus(QCS8550) == (0,)
    forbid(monkeypatch, board / "fastrpc-cdsp1")
    assert host.npus(IQ_9075) == (0,)


@pytest.mark.usefixtures("board")
@pytest.mark.parametrize(
    ("broken", "expected"), [(set(), (0, 1)), ({1}, (0,)), ({0}, (1,)), ({0, 1}, ())]
)
def test_only_npus_that_run_a_model_are_used(
    broken: set[int], expected: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_isolated(_function: object, _soc: object, npu: int) -> None:
        if npu in broken:
            raise ProviderError("Could not find device")

    monkeypatch.setattr(npu_proof, "run_isolated", run_isolated)
    assert working_npus(IQ_9075) == expected


@pytest.mark.usefixtures("board")
def test_a_worker_on_two_npus_has_twice_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "emulates_npu", lambda: False)
    monkeypatch.setattr(worker_pool, "no_npu_for", lambda _settings: "")
    monkeypatch.setattr(npu_proof, "run_isolated", lambda *_: None)
    pool = worker_pool.worker_pool(settings_from({"ANNOTATE_SOC": "iq-9075"}), None)
    assert (pool.count, pool.npus) == (2 * worker_pool.NPU_THREADS, (0, 1))
    assert "2 NPUs" in pool.reason
    pool = worker_pool.worker_pool(settings_from({"ANNOTATE_SOC": "qcs8550"}), None)
    assert (pool.count, pool.npus) == (worker_pool.NPU_THREADS, (0,))


def test_threads_share_the_npus_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANNOTATE_NPUS", "0,1")
    found: list[tuple[int, int]] = []

    def ask() -> None:
        with worker_host._LOADING:
            found.append((worker_host._own_npu(), worker_host._own_npu()))

    for _ in range(6):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert all(first == again for first, again in found), "a thread keeps its NPU"
    assert sorted(first for first, _ in found) == [0, 0, 0, 1, 1, 1]


@pytest.mark.skipif(not host.emulates_npu(), reason="the HTP emulator is for x86-64 Linux")
def test_the_number_reaches_the_plugin() -> None:
    """The emulator has one NPU: it refuses another number, and does not take the first instead."""
    run_small_model(IQ_9075, 0)
    with pytest.raises(ProviderError, match="does not accept"):
        run_small_model(IQ_9075, 1)
