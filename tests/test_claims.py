"""Two commands without a queue do not work on one job."""

import json
import os
import signal
import socket
import threading
from pathlib import Path

import psutil
import pytest

import annotate.queue.claims
from annotate.domain.errors import BusyJobError, CancelledJobError, ExitCode, StoreError
from annotate.domain.settings import settings_from
from annotate.queue.claims import claimed
from annotate.queue.embedded import WorkerErrors
from annotate.store import Store, open_store
from annotate.use_cases.clean import check_idle
from tests.command import PATIENCE_S, Host
from tests.fleet import send
from tests.made_job import JOB

KEY = f"working/{JOB.id}.json"


@pytest.fixture
def folder(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


def claim(store: Store, host: str, pid: int, started_s: float, renewed: int = 1) -> None:
    fields = {"host": host, "pid": pid, "started_s": started_s, "renewed": renewed}
    if host == socket.gethostname():
        fields["machine"] = annotate.queue.claims._machine()
    store.files.write(KEY, json.dumps(fields).encode())


def test_a_job_is_claimed_while_a_command_works_on_it(folder: Store) -> None:
    with claimed(folder, JOB):
        with pytest.raises(BusyJobError, match=f"process {os.getpid()} of {socket.gethostname()}"):
            claimed(folder, JOB).__enter__()
        assert folder.files.exists(KEY)
    assert not folder.files.exists(KEY)
    with claimed(folder, JOB):
        pass


@pytest.mark.parametrize("damage", [b"", b"null", b"{}", b'{"host": 1}', b"\xff"])
def test_a_damaged_claim_is_none(folder: Store, damage: bytes) -> None:
    folder.files.write(KEY, damage)
    with claimed(folder, JOB):
        pass


def test_the_claim_of_a_killed_command_is_taken_over(
    folder: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, own = socket.gethostname(), psutil.Process()
    claim(folder, here, 2**22 + 1, 0.0)
    with claimed(folder, JOB):
        pass
    monkeypatch.setattr(annotate.queue.claims, "LEFT_S", 0.5)
    claim(folder, here, own.pid, own.create_time() - 100)
    with claimed(folder, JOB):
        pass  # another process had this pid


def test_a_claim_of_another_host_counts_while_it_is_renewed(
    folder: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annotate.queue.claims, "LEFT_S", 0.5)
    monkeypatch.setattr(annotate.queue.claims, "_LOOK_S", 0.01)
    claim(folder, "elsewhere", 1, 0.0)
    with claimed(folder, JOB):
        pass  # nobody renewed it
    claim(folder, "elsewhere", 1, 0.0)
    monkeypatch.setattr(annotate.queue.claims, "LEFT_S", 60.0)
    threading.Timer(0.2, claim, (folder, "elsewhere", 1, 0.0, 2)).start()
    with pytest.raises(BusyJobError, match="of elsewhere"):
        claimed(folder, JOB).__enter__()
    # Its heartbeats may be old by this host's clock.
    threading.Timer(0.2, claim, (folder, "elsewhere", 1, 0.0, 3)).start()
    with pytest.raises(BusyJobError, match="of elsewhere"):
        check_idle(folder, settings_from({}), [JOB.id])


@pytest.mark.parametrize("named", ["elsewhere", "here"])
def test_a_claim_of_the_same_number_and_name_counts_while_it_is_renewed(
    folder: Store, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """Of another host with this one's name; and of this one, where the clock was set since."""
    monkeypatch.setattr(annotate.queue.claims, "_LOOK_S", 0.01)
    own = psutil.Process()
    pid, started_s = (2**22 + 1, 0.0) if named == "elsewhere" else (own.pid, own.create_time() - 60)
    machine = annotate.queue.claims._machine() if named == "here" else "another"
    fields = {"host": socket.gethostname(), "pid": pid, "started_s": started_s, "machine": machine}
    first, second = (
        json.dumps({**fields, "renewed": renewed, "of a later version": True}).encode()
        for renewed in (1, 2)
    )
    folder.files.write(KEY, first)
    threading.Timer(0.2, folder.files.write, (KEY, second)).start()
    with pytest.raises(BusyJobError, match=f"process {pid} of"):
        claimed(folder, JOB).__enter__()


def test_a_claim_is_renewed_every_few_seconds(
    folder: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with claimed(folder, JOB) as renew:
        first = folder.files.read(KEY)
        renew()
        assert folder.files.read(KEY) == first
        monkeypatch.setattr(annotate.queue.claims, "RENEW_S", 0.0)
        renew()
        assert folder.files.read(KEY) != first


def test_a_second_submit_of_a_job_is_refused_and_the_first_goes_on(host: Host, walk: Path) -> None:
    first = host.start("submit", walk, "--detect-every", "1")
    assert host.next_heartbeat(first) is not None
    # It does not end while the others are tried.
    send(first, signal.SIGSTOP)
    said = host.run("submit", walk, "--detect-every", "1", code=ExitCode.FAILED)
    assert "is being worked on by process" in said.err
    job = host.opened().newest_job().id
    assert "works on job" in host.run("clean", job, "--yes", code=ExitCode.FAILED).err
    send(first, signal.SIGCONT)
    first.send_signal(signal.SIGINT)
    first.communicate()
    host.run("submit", walk, "--detect-every", "1")
    assert list((Path(host.store) / "working").iterdir()) == []


def test_a_job_that_was_cancelled_goes_on_without_a_queue(host: Host, stroll: Path) -> None:
    """Both commands once waited for ever: tasks of a cancelled job do nothing."""
    host.run("submit", stroll)
    store = host.opened()
    for command in (["submit", stroll], ["retry"]):
        for part in Path(host.store).rglob("*.parquet"):
            if part.parent.name in ("parts", "tracks"):
                part.unlink()
        host.run("cancel", store.newest_job().id)
        assert "1 of 1 videos done" in host.run(*command).out
    assert not store.is_cancelled(store.newest_job().id)


def test_a_process_may_notice_first_that_its_job_is_cancelled() -> None:
    """The command looks less often than a process where a look at the store takes long."""
    errors = WorkerErrors(None, threading.current_thread())
    errors.receive(CancelledJobError("the job was cancelled"))
    errors.check()
    errors.receive(StoreError("the store is away"))
    with pytest.raises(StoreError):
        errors.check()


def test_a_running_command_stops_when_its_job_is_cancelled(host: Host, walk: Path) -> None:
    process = host.start("submit", walk, "--detect-every", "1", "--people", "all")
    assert host.next_heartbeat(process) is not None
    host.run("cancel", host.opened().newest_job().id)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.PARTIAL
    assert "was cancelled" in err
