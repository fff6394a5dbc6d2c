"""Two hosts with a queue and a bucket give the bytes that one machine gives alone."""

import signal
from pathlib import Path

import pytest

from tests.command import Host
from tests.fleet import FINE, board_of, make_hosts, send, working
from tests.servers import RedisServer, S3Server, wait_until


@pytest.fixture
def hosts(
    tmp_path: Path,
    blazepose_pack: Path,
    guarded_redis: RedisServer,
    s3_server: S3Server,
    monkeypatch: pytest.MonkeyPatch,
) -> list[Host]:
    """Their user may do in the queue's server only what docker/redis/users.acl allows."""
    for name, value in s3_server.environ.items():
        monkeypatch.setenv(name, value)
    store = f"s3://{s3_server.new_bucket()}/store"
    return make_hosts(tmp_path, blazepose_pack.parent, store, guarded_redis.url)


def test_two_hosts_give_the_bytes_of_one(
    hosts: list[Host], guarded_redis: RedisServer, walk: Path, undisturbed: bytes
) -> None:
    laptop, north, south = hosts
    with working(north, south) as (first, second):
        board = board_of(laptop)
        names = [row["worker"] for row in board.reports.workers()]

        def busy() -> int:
            return sum(board.attempts.finished_by(name) > 0 for name in names)

        # However busy this machine is, neither host does it all: one sleeps while the other begins.
        send(first, signal.SIGSTOP)
        laptop.run("submit", walk, *FINE, "--detach")
        wait_until(lambda: busy() == 1, "the second host")
        send(second, signal.SIGSTOP)
        send(first, signal.SIGCONT)
        wait_until(lambda: busy() == 2, "the first host")
        send(second, signal.SIGCONT)
        assert "1 of 1 videos done" in laptop.run("submit", walk, *FINE).out
        for command in (["status"], ["retry"]):
            laptop.run(*command)
    copies = [list((host.home / "cache" / "videos").glob("[0-9a-f]" * 64)) for host in hosts]
    assert [len(found) for found in copies] == [0, 1, 1]
    assert laptop.exported() == undisturbed
    assert guarded_redis.refused() == []
