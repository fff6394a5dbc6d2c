"""What a process says of its chunk while it works on it, or waits."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from annotate.domain.errors import AnnotateError, CancelledJobError
from annotate.domain.video import Chunk
from annotate.domain.work import Heartbeat, WorkUnit
from annotate.queue import heartbeats
from annotate.queue.heartbeats import ChunkHeartbeats
from annotate.store import Store, open_store
from tests.made_job import JOB, VIDEO

UNIT = WorkUnit(JOB, VIDEO, Chunk(0, 100))
PIPELINE: Any = SimpleNamespace(provider="cpu", placement={}, reason="")


@dataclass
class Beats:
    """Keeps the heartbeats; `now_s` is the time of this process."""

    kept: list[Heartbeat] = field(default_factory=list)
    now_s: float = 50.0

    def now(self) -> float:
        return 1000.0

    def write_heartbeat(self, beat: Heartbeat) -> None:
        self.kept.append(beat)

    def delete_heartbeat(self, worker: str) -> None:
        self.kept = [beat for beat in self.kept if beat.worker != worker]


@pytest.fixture
def beats(monkeypatch: pytest.MonkeyPatch) -> Beats:
    beats = Beats()
    monkeypatch.setattr(heartbeats, "time", SimpleNamespace(monotonic=lambda: beats.now_s))
    return beats


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store(str(tmp_path / "store"))
    store.write_job(JOB)
    return store


def work(chunk: ChunkHeartbeats, beats: Beats, frames: int, step_s: float) -> None:
    """Takes so many frames, each for so long."""
    for _ in chunk.count([None] * frames):  # type: ignore[list-item]  # frames are not looked at
        beats.now_s += step_s


def test_a_heartbeat_a_second_says_how_many_frames_are_done(store: Store, beats: Beats) -> None:
    work(ChunkHeartbeats(store, beats, UNIT, PIPELINE), beats, frames=7, step_s=0.4)
    assert [beat.frames for beat in beats.kept] == [0, 3, 6]
    assert [beat.frames_per_s for beat in beats.kept] == pytest.approx([0, 2.5, 2.5])
    assert {(beat.chunk, beat.waiting, beat.time_s) for beat in beats.kept} == {
        (UNIT.chunk, "", 1000.0)
    }


def test_who_waits_says_at_once_for_what_and_that_nothing_is_done(
    store: Store, beats: Beats
) -> None:
    chunk = ChunkHeartbeats(store, beats, UNIT, PIPELINE)
    full, away = AnnotateError("the disk is full"), AnnotateError("the share is away")
    for trouble, step_s in [(full, 0.4), (full, 0.7), (full, 0.1), (away, 0.1)]:
        chunk.waiting(trouble)
        beats.now_s += step_s
    said = [(beat.frames, beat.waiting) for beat in beats.kept]
    assert said == [(0, full.message), (0, full.message), (0, away.message)]


def test_a_chunk_of_a_job_that_was_cancelled_ends_within_seconds(
    store: Store, beats: Beats
) -> None:
    chunk = ChunkHeartbeats(store, beats, UNIT, PIPELINE)
    store.cancel_job(JOB.id)
    work(chunk, beats, frames=4, step_s=1.0)
    with pytest.raises(CancelledJobError, match=JOB.id):
        work(chunk, beats, frames=4, step_s=1.0)


def test_who_stops_leaves_no_heartbeat(store: Store, beats: Beats) -> None:
    chunk = ChunkHeartbeats(store, beats, UNIT, PIPELINE)
    work(chunk, beats, frames=1, step_s=0.0)
    assert beats.kept
    chunk.stop()
    assert beats.kept == []
