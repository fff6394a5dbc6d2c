"""A queue's server that refuses in mid-job: workers wait for it, as for one that is away."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import redis

from tests.command import Host
from tests.fleet import FINE, board_of, working
from tests.servers import RedisServer, wait_until

Change = Callable[["redis.Redis"], object]
REFUSALS: dict[str, tuple[Change, Change]] = {
    "full": (
        lambda client: client.config_set("maxmemory", "1"),
        lambda client: client.config_set("maxmemory", "0"),
    ),
    "a copy": (
        lambda client: client.replicaof("127.0.0.1", "1"),
        lambda client: client.replicaof("NO", "ONE"),
    ),
}
TRIES = 2


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_worker_waits_for_a_queue_that_refuses(
    host: Host, walk: Path, redis_server: RedisServer, kind: str
) -> None:
    refuse, allow = REFUSALS[kind]
    shared = replace(host, more={"ANNOTATE_BROKER": redis_server.url})
    shared.run("submit", walk, *FINE, "--detach")
    log = host.home / "log"
    with redis_server.client() as client, working(shared) as (worker,):
        (celery,) = psutil.Process(worker.pid).children()
        wait_until(lambda: bool(board_of(shared).reports.heartbeats()), "a chunk")
        refuse(client)
        try:
            wait_until(lambda: log.read_text().count("Trying to reconnect") >= TRIES, kind)
        finally:
            allow(client)
        said = shared.run("submit", walk, *FINE)
        assert "1 of 1 videos done" in said.out
        assert celery.is_running(), "it was not started again"
        assert "Traceback" not in log.read_text()
