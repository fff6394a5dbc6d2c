"""A message that no job sends is dropped and counted, and stops no worker."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest
from kombu.transport.redis import PrefixedStrictRedis

from annotate.domain.settings import PREFIX
from annotate.domain.video import Chunk
from annotate.domain.work import WorkUnit
from annotate.queue.app import CHUNK_QUEUES, MERGE_TASK, PRIORITIES, make_app
from annotate.queue.message_check import MalformedMessageError, clean_message
from annotate.queue.messages import Queue, merge_list
from annotate.queue.transport import _CheckingClient
from annotate.store import Store
from tests.command import Host
from tests.fleet import board_of, working
from tests.made_job import JOB, VIDEO
from tests.poison import malformed, message_of, unknown
from tests.servers import RedisServer, wait_until

UNIT = WorkUnit(JOB, VIDEO, Chunk(0, 10))
OTHER = replace(JOB, id="20260102-030405-fedcba")
QUEUE = CHUNK_QUEUES[0]
KINDS = malformed(UNIT)
# Kinds that a real worker is given in every run of the suite; a drill gives it all.
SOME = ("null", "not UTF-8", "nested", "no headers", "task is os.system", "body: null")


def test_there_are_many_kinds() -> None:
    assert len(KINDS) + len(unknown(UNIT, OTHER)) >= 68
    assert set(SOME) <= set(KINDS)


@pytest.mark.parametrize("raw", KINDS.values(), ids=KINDS)
def test_a_malformed_message_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        clean_message(raw, QUEUE)


@pytest.mark.parametrize("unit", [UNIT, replace(UNIT, chunk=None)], ids=["chunk", "merge"])
def test_what_the_program_sends_is_accepted(redis_server: RedisServer, unit: WorkUnit) -> None:
    Queue(make_app(redis_server.url, "")).send(unit)
    names = [QUEUE, *(f"{QUEUE}\x06\x16{number}" for number in PRIORITIES.values()), merge_list()]
    found = [redis_server.client().rpop(f"{PREFIX}{name}") for name in names]
    (raw,) = filter(None, found)
    assert isinstance(raw, bytes)
    sent, cleaned = json.loads(raw), json.loads(clean_message(raw, QUEUE))
    for part, name in [("headers", "task"), ("headers", "id"), ("properties", "delivery_tag")]:
        assert cleaned[part][name] == sent[part][name]
    assert cleaned["properties"]["priority"] == sent["properties"]["priority"]
    assert json.loads(base64.b64decode(cleaned["body"]))[:2] == [unit.message, {}]
    assert clean_message(json.dumps(cleaned).encode(), QUEUE) == clean_message(raw, QUEUE)


def test_a_message_that_was_given_back_is_accepted() -> None:
    message = message_of(UNIT)
    message["headers"]["retries"], message["properties"]["delivery_tag"] = 2, "t"
    cleaned = json.loads(clean_message(json.dumps(message).encode(), QUEUE))
    assert cleaned["headers"]["retries"] == 2
    assert cleaned["properties"]["delivery_tag"] == "t"


def test_a_message_goes_back_to_the_queue_that_it_came_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The list has the priority in its name, too."""
    taken = (f"{QUEUE}\x06\x163".encode(), json.dumps(message_of(UNIT)).encode())
    monkeypatch.setattr(PrefixedStrictRedis, "parse_response", lambda *_: taken)
    client = object.__new__(_CheckingClient)
    _, cleaned = client.parse_response(None, "BRPOP")
    assert json.loads(cleaned)["properties"]["delivery_info"]["routing_key"] == QUEUE


def test_nothing_else_of_a_message_goes_on() -> None:
    """Celery would wait for the time, send the callbacks, and drop what has expired."""
    message = message_of(UNIT)
    message["headers"] |= {
        "eta": "2050-01-01T00:00:00",
        "expires": "1990-01-01",
        "timelimit": [1, 1],
    }
    message["headers"] |= {"compression": "application/x-bz2", "shadow": "\x1b[2J"}
    message["properties"]["delivery_info"] = {"exchange": "celery", "routing_key": "elsewhere"}
    plain = clean_message(json.dumps(message_of(UNIT)).encode(), QUEUE)
    assert clean_message(json.dumps(message).encode(), QUEUE) == plain


@pytest.mark.parametrize("raw", unknown(UNIT, OTHER).values(), ids=unknown(UNIT, OTHER))
def test_only_the_store_can_tell_that_work_is_unknown(raw: bytes) -> None:
    assert json.loads(clean_message(raw, QUEUE))["headers"]["task"] != MERGE_TASK


@pytest.fixture
def shared(host: Host, redis_server: RedisServer) -> Host:
    return replace(host, more={"ANNOTATE_BROKER": redis_server.url})


def test_a_worker_drops_poison_and_goes_on(
    shared: Host, redis_server: RedisServer, stroll: Path
) -> None:
    job = submitted(shared, stroll)
    poison = [KINDS[name] for name in SOME] + list(unknown(job, OTHER).values())[:3]
    poisoned(shared, redis_server, poison)


@pytest.mark.drill
@pytest.mark.timeout(900)
def test_every_kind_of_poison(shared: Host, redis_server: RedisServer, stroll: Path) -> None:
    job = submitted(shared, stroll)
    poisoned(shared, redis_server, [*malformed(job).values(), *unknown(job, OTHER).values()])


def submitted(shared: Host, video: Path) -> WorkUnit:
    """The first unit of a job that waits in the queue."""
    shared.run("submit", video, "--detach")
    store: Store = shared.opened()
    job = store.newest_job()
    chunks = store.results(job.recipe, job.videos[0]).read_chunks()
    assert chunks
    return WorkUnit(job, job.videos[0], chunks[0])


def poisoned(shared: Host, server: RedisServer, poison: list[bytes]) -> None:
    """A worker meets the poison before the job's messages."""
    board = board_of(shared)
    prefix = board.prefix
    with server.client() as client:
        for raw in poison:
            client.rpush(f"{prefix}{QUEUE}\x06\x163", raw)
        client.hset(f"{prefix}unacked", "a-tag", "poison")
        client.zadd(f"{prefix}unacked_index", {"a-tag": 1})
    with working(shared):
        (before,) = board.reports.workers()
        wait_until(lambda: board.reports.dropped() >= len(poison) + 1, "the poisoned worker")
        assert "1 of 1 videos done" in shared.run("retry").out
        (after,) = board.reports.workers()
    assert after["pid"] == before["pid"], "the worker died"
    assert board.reports.dropped() == len(poison) + 1
    log = (shared.home / "log").read_text()
    assert log.count("was dropped") == len(poison) + 1
    assert "Traceback" not in log, log
    with server.client() as client:
        assert client.hlen(f"{prefix}unacked") == 0
