"""What `annotate status` says of a job in each state, without a store or a queue."""

import io
from types import SimpleNamespace
from typing import cast

import pytest
from rich.console import Console

from annotate.cli.progress import finished_line
from annotate.cli.status_view import as_table, headline, shown_videos
from annotate.domain.job import HERE, Job, JobVideo, Recipe
from annotate.domain.video import Chunk
from annotate.domain.work import MERGE, Failure, Heartbeat
from annotate.queue.job_status import JobStatus, VideoState, VideoStatus
from annotate.use_cases.job_snapshot import JobSnapshot, QueueState

VIDEO = JobVideo("walk.mp4", "ab" * 32, HERE, "/a/walk.mp4")
JOB = Job("20260102-030405-abcdef", Recipe("blazepose-full", "00" * 32), 6.0, (VIDEO,))
CHUNKS = (Chunk(0, 40), Chunk(40, 100))
FIRST, SECOND = (chunk.name for chunk in CHUNKS)
BEAT = Heartbeat(
    worker="host-1",
    job=JOB.id,
    video=VIDEO.name,
    fingerprint=VIDEO.fingerprint,
    chunk=CHUNKS[1],
    frames=10,
    frames_per_s=5.0,
    provider="cpu",
    rss_bytes=10**8,
    time_s=0.0,
    version="1",
)
FAILED = {SECOND: Failure(SECOND, "the file is damaged", 1)}


def video(
    *done: str,
    failures: dict[str, Failure] | None = None,
    merged: bool = False,
    running: tuple[Heartbeat, ...] = (),
) -> VideoStatus:
    return VideoStatus(VIDEO, CHUNKS, frozenset(done), failures or {}, merged, running)


def one_worker() -> QueueState:
    return QueueState(({"worker": "host-1"},))


@pytest.mark.parametrize(
    ("status", "queue", "cancelled", "said"),
    [
        pytest.param(
            video(FIRST, SECOND, merged=True), None, False, "100% of 100 frames", id="done"
        ),
        pytest.param(
            video(FIRST, failures=FAILED, merged=True),
            None,
            False,
            "40% of 100 frames, 60 frames missing",
            id="partial",
        ),
        pytest.param(
            video(FIRST, running=(BEAT,)),
            None,
            False,
            "50% of 100 frames, 5 frames/s, 10 s left",
            id="running",
        ),
        pytest.param(
            video(FIRST),
            None,
            False,
            "40% of 100 frames. No chunk is being processed: run the same `submit` again, unless "
            "it has just started.",
            id="interrupted",
        ),
        pytest.param(
            video(),
            QueueState(),
            False,
            "0% of 100 frames. Queued; no worker is running. Start one with `annotate worker`.",
            id="no worker",
        ),
        pytest.param(
            video(),
            one_worker(),
            False,
            "0% of 100 frames. Queued; 1 worker connected.",
            id="queued",
        ),
        pytest.param(
            video(),
            one_worker(),
            True,
            f"0% of 100 frames. Cancelled; `annotate retry {JOB.id}` continues it.",
            id="cancelled",
        ),
    ],
)
def test_headline(
    status: VideoStatus, queue: QueueState | None, cancelled: bool, said: str
) -> None:
    snapshot = JobSnapshot(JobStatus(JOB, (status,)), cancelled, queue)
    assert headline(snapshot) == f"Job {JOB.id}: {said}"


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (video(FIRST, SECOND, merged=True), "done     walk.mp4  100 frames"),
        (
            video(FIRST, failures=FAILED, merged=True),
            f"partial  walk.mp4  60 of 100 frames missing\n         {SECOND}: the file is damaged",
        ),
    ],
    ids=["done", "partial"],
)
def test_line_of_a_finished_video(status: VideoStatus, line: str) -> None:
    assert finished_line(status) == line


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["done", "done"], "done"),
        (["done", "failed"], "partial"),
        (["failed", "failed"], "failed"),
        (["failed", "waiting", "done"], "waiting"),
        (["waiting", "running"], "running"),
        (["waiting", "merging"], "merging"),
        (["done", "not planned"], "not planned"),
    ],
)
def test_the_state_of_a_job_is_that_of_what_is_left(
    states: list[VideoState], expected: VideoState
) -> None:
    videos = tuple(cast("VideoStatus", SimpleNamespace(state=state)) for state in states)
    assert JobStatus(JOB, videos).state == expected


def test_a_watch_of_many_videos_shows_those_that_are_worked_on() -> None:
    states = [video(FIRST, SECOND, merged=True)] * 50 + [video()] * 3
    states += [video(running=(BEAT,)), video(failures={MERGE: FAILED[SECOND]}), video()]
    assert shown_videos(states, 3) == [states[50], states[53], states[54]]
    assert shown_videos(states, 100) == states
    snapshot = JobSnapshot(JobStatus(JOB, tuple(states)), cancelled=False, queue=None)
    with (console := Console(width=120, file=io.StringIO())).capture() as caught:
        console.print(as_table(snapshot, 3))
    assert "and 3 waiting, 50 done" in caught.get()
    assert caught.get().count("walk.mp4 ") == 3 + 1, "three rows, and the failure"
