"""When a chunk's heartbeats are written."""

from types import SimpleNamespace
from typing import Any

from annotate.domain.errors import StoreError
from annotate.domain.work import Heartbeat, WorkUnit
from annotate.queue.heartbeats import ChunkHeartbeats
from tests.made_job import CHUNK, JOB, VIDEO

PIPELINE: Any = SimpleNamespace(provider="cpu", placement={}, reason="")


class Written(list[Heartbeat]):
    """Stands for where heartbeats are written."""

    def now(self) -> float:
        return 0.0

    def write_heartbeat(self, beat: Heartbeat) -> None:
        self.append(beat)

    def delete_heartbeat(self, worker: str) -> None:
        raise NotImplementedError


def heart_of(written: Written) -> ChunkHeartbeats:
    store: Any = SimpleNamespace()
    return ChunkHeartbeats(store, written, WorkUnit(JOB, VIDEO, CHUNK), PIPELINE)


def test_a_chunk_that_begins_shows_at_once() -> None:
    written = Written()
    next(iter(heart_of(written).count([None])))  # type: ignore[list-item]
    assert [beat.frames for beat in written] == [0]


def test_a_short_chunk_writes_one() -> None:
    written = Written()
    heart = heart_of(written)
    heart.fetching(0, 1)
    list(heart.count([None] * 30))  # type: ignore[list-item]
    assert len(written) == 1


def test_that_a_chunk_no_longer_waits_shows_at_once() -> None:
    written = Written()
    heart = heart_of(written)
    heart.waiting(StoreError("the store is away"))
    list(heart.count([None]))  # type: ignore[list-item]
    assert [beat.waiting for beat in written] == ["the store is away", ""]
