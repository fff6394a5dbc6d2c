"""A damaged heartbeat is skipped: it may be lost, and stops no command."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from annotate.domain.video import Chunk
from annotate.domain.work import Heartbeat
from annotate.queue.job_status import job_status
from annotate.store import open_store
from tests.made_job import JOB
from tests.made_poses import FINGERPRINT

BEAT = Heartbeat(
    "host-1", JOB.id, "walk.mp4", FINGERPRINT, Chunk(0, 4), 2, 3.5, "cpu", 1000, 1e12, "0.2.0"
)
FIELDS = asdict(BEAT)
DAMAGED = {
    "empty": b"",
    "random bytes": bytes(range(128, 256)),
    "truncated": json.dumps(FIELDS).encode()[:60],
    "null": b"null",
    "a list": b"[]",
    "unknown field": json.dumps({**FIELDS, "colour": 1}).encode(),
    **{f"no {n}": json.dumps({**FIELDS, n: None}).encode() for n in FIELDS},
    **{f"{n} is a list": json.dumps({**FIELDS, n: [1]}).encode() for n in FIELDS},
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_heartbeat_is_skipped(data: bytes, tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    store.write_heartbeat(BEAT)
    store.files.write("heartbeats/other.json", data)
    assert store.heartbeats() == [BEAT]
    (video,) = job_status(store, JOB).videos
    assert video.state == "not planned"


def test_a_file_in_the_place_of_their_folder_is_none(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    (tmp_path / "heartbeats").write_bytes(b"")
    assert store.heartbeats() == []
