"""What anyone with the queue's password can put under our keys of a real Redis: no reader ends as a
defect, and no trouble of one job holds up the others.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from annotate.cli.status_view import as_fields, as_table
from annotate.domain.broker import MEMORY
from annotate.domain.errors import QueueAwayError, QueueError
from annotate.domain.settings import PREFIX
from annotate.domain.video import Chunk
from annotate.domain.work import Heartbeat, WorkUnit
from annotate.queue.app import make_app
from annotate.queue.board import Board, open_board, queue_errors
from annotate.queue.dispatch import reconcile_all
from annotate.queue.job_status import JobStatus, VideoStatus
from annotate.queue.messages import Queue, all_lists
from annotate.store import Store, open_store
from annotate.use_cases.job_snapshot import JobSnapshot, QueueState
from tests.made_job import JOB, VIDEO
from tests.servers import RedisServer

UNIT = WorkUnit(JOB, VIDEO, Chunk(0, 10))
WORKER = "host-1"
BEAT = Heartbeat(
    *(WORKER, JOB.id, VIDEO.name, VIDEO.fingerprint, Chunk(0, 10), 5, 3.0, "cpu", 1000),
    time_s=1.0,
    version="0.2",
)
KEYS = [
    *("jobs", f"slot:{JOB.id}", f"attempts:{JOB.id}", f"lease:{UNIT.key}", f"held:{WORKER}"),
    *("finished", "heartbeats", "workers", "dropped", f"resent:{UNIT.key}", "mutex:reconcile"),
    *(f"send:{JOB.id}", "known", "annotate.merges"),
]
# Texts that are no number, no key and no JSON of ours.
ODD = [
    b"",
    b"\xff\xfe",
    b"nonsense",
    b"-1",
    b"10000000000000000000000",
    b"null",
    b"[]",
    b"[" * 9000,
]
ODD += [b'{"worker": 5, "time_s": 1}', b'{"worker": "x", "time_s": "x"}', b"x:y:z", b"a:b:9-3"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    made = RedisServer(tmp_path_factory.mktemp("redis"))
    made.start()
    yield made
    made.kill()


@pytest.fixture
def board(server: RedisServer) -> Iterator[Board]:
    made = open_board(server.url, "")
    yield made
    made.client.flushall()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path))


def hold(board: Board) -> None:
    with board.leases.hold(UNIT, WORKER):
        pass


def readers(board: Board, store: Store) -> dict[str, Callable[[], object]]:
    queue = Queue(make_app(MEMORY, ""))
    return {
        "begin": lambda: board.attempts.begin(UNIT),
        "of": lambda: board.attempts.of(UNIT),
        "unfinished": lambda: board.attempts.unfinished(JOB),
        "may send again": lambda: board.attempts.may_send_again(UNIT),
        "finished by": lambda: board.attempts.finished_by(WORKER),
        "finish": lambda: board.attempts.finish(UNIT, WORKER),
        "heartbeats": board.reports.heartbeats,
        "workers": board.reports.workers,
        "dropped": board.reports.dropped,
        "jobs": board.jobs.ids,
        "slot": lambda: board.jobs.slot(JOB.id),
        "hold": lambda: hold(board),
        "ages": lambda: board.leases.ages_s(WORKER),
        "are held": lambda: board.leases.are_held([UNIT]),
        "is idle": lambda: board.is_idle(WORKER, all_lists()),
        "introduce": lambda: board.introduce("00" * 8, "/store"),
        "reconcile": lambda: reconcile_all(board, queue, store),
        "forget worker": lambda: board.forget_worker(WORKER),
        "forget job": lambda: board.forget_job(JOB.id),
    }


def put(board: Board, kind: str, value: bytes) -> None:
    """All our keys are of that type of Redis, and hold that value."""
    pipe = board.client.pipeline(transaction=False)
    for name in KEYS:
        key = f"{PREFIX}{name}"
        pipe.delete(key)
        if kind == "string":
            pipe.set(key, value)
        elif kind == "hash":
            # The names are those of units or workers, or are odd too.
            pipe.hset(key, mapping={"x": value, value: value, WORKER: value, UNIT.key: value})
        elif kind == "set":
            pipe.sadd(key, value)
        else:
            pipe.rpush(key, value)
    pipe.execute()


@pytest.mark.parametrize("kind", ["string", "hash", "set", "list"])
def test_no_value_of_the_server_is_a_defect(board: Board, store: Store, kind: str) -> None:
    found = []
    for value in ODD:
        for name, read in readers(board, store).items():
            put(board, kind, value)
            try:
                with queue_errors(MEMORY):
                    read()
            except QueueAwayError as error:
                found.append(f"{name} {value!r:.20}: {error.message} of a server that answers")
            except QueueError:
                pass
            except Exception as error:  # noqa: BLE001 - it is what is looked for
                found.append(f"{name} {value!r:.20}: {error!r}")
    assert found == []


def test_what_is_no_slot_and_no_unit_is_as_if_it_were_not_there(board: Board) -> None:
    board.client.set(f"{PREFIX}slot:{JOB.id}", 8)  # queues are numbered from 0 to 7
    board.attempts.begin(UNIT)
    board.client.hset(f"{PREFIX}attempts:{JOB.id}", f"a:{'cd' * 32}:0-10", 1)
    assert board.jobs.slot(JOB.id) is None
    assert board.attempts.unfinished(JOB) == [UNIT]


def test_sound_reports_are_read_beside_damaged_ones(board: Board) -> None:
    board.reports.write_worker({"worker": WORKER})
    board.reports.write_heartbeat(Heartbeat(**{**vars(BEAT), "time_s": board.reports.now()}))
    for key in ("workers", "heartbeats"):
        board.client.hset(f"{PREFIX}{key}", b"\xff", b"nonsense")
    assert [row["worker"] for row in board.reports.workers()] == [WORKER]
    assert [beat.worker for beat in board.reports.heartbeats()] == [WORKER]
    assert board.client.hlen(f"{PREFIX}workers") == 1, "the damaged one is removed"


def test_a_report_of_the_future_counts_as_silent(board: Board) -> None:
    """The server's clock was set back since."""
    board.reports.write_worker({"worker": WORKER})
    board.reports._offset_s = -3600.0
    assert board.reports.workers() == []


@pytest.mark.parametrize("name", ["frames_per_s", "frames", "time_s", "rss_bytes"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_heartbeat_with_no_number_is_none(name: str, value: float) -> None:
    fields = json.loads(json.dumps({**asdict(BEAT), name: value}))
    with pytest.raises(TypeError):
        Heartbeat.from_fields(fields)


def test_no_text_of_a_heartbeat_moves_the_cursor_or_is_markup() -> None:
    odd = "\x1b[31m[/bold]\x07"
    fields = dict.fromkeys(("worker", "provider", "version", "reason"), odd)
    beat = Heartbeat(**{**vars(BEAT), **fields})
    video = VideoStatus(VIDEO, (Chunk(0, 10),), frozenset(), {}, False, (beat,))
    snapshot = JobSnapshot(JobStatus(JOB, (video,)), False, QueueState())
    out = StringIO()
    Console(file=out, width=200).print(as_table(snapshot))
    shown = out.getvalue()
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert shown.count("[/bold]") == len(fields)
    assert as_fields(snapshot)["frames_done"] == BEAT.frames


def test_a_server_that_refuses_is_not_called_away(board: Board) -> None:
    """Its memory is full."""
    board.client.config_set("maxmemory", 1)
    try:
        with (
            pytest.raises(QueueError, match="maxmemory") as caught,
            queue_errors(MEMORY),
        ):
            board.jobs.add(JOB.id)
        assert not isinstance(caught.value, QueueAwayError)
        assert "refuses" in caught.value.message
        assert "its memory or its disk" in caught.value.hint
    finally:
        board.client.config_set("maxmemory", 0)
