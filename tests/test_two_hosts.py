"""Two hosts with a queue and a bucket give the bytes that one machine gives alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from annotate.use_cases.status import JobStatus
from tests.command import Host
from tests.fleet import finish, make_hosts, submitted, working
from tests.servers import RedisServer, S3Server


@pytest.fixture
def hosts(
    tmp_path: Path,
    blazepose_pack: Path,
    redis_server: RedisServer,
    s3_server: S3Server,
    monkeypatch: pytest.MonkeyPatch,
) -> list[Host]:
    for name, value in s3_server.environ.items():
        monkeypatch.setenv(name, value)
    store = f"s3://{s3_server.new_bucket()}/store"
    return make_hosts(tmp_path, blazepose_pack.parent, store, redis_server.url, {})


def test_two_hosts_give_the_bytes_of_one(hosts: list[Host], stroll: Path, tmp_path: Path):
    laptop, north, south = hosts
    job = submitted(laptop, stroll)
    seen: set[str] = set()

    def watch(status: JobStatus) -> None:
        seen.update(beat.worker for video in status.videos for beat in video.running)

    with working(north, south):
        finish(laptop, job, watch)
    assert len(seen) == 2, "one host did it all"
    copies = [list((host.home / "cache" / "videos").glob("[0-9a-f]" * 64)) for host in hosts]
    assert [len(found) for found in copies] == [0, 1, 1]
    alone = replace(laptop, store=tmp_path / "store", more={})
    alone.run("submit", stroll, "--detect-every", "1")
    assert laptop.exported("shared.json") == alone.exported("alone.json")
