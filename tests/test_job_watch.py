"""Following a job of thousands of videos reads few of them at a look, and misses nothing."""

import itertools
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from annotate.domain.job import Job, JobVideo
from annotate.domain.settings import settings_from
from annotate.domain.video import Chunk
from annotate.domain.work import Failure
from annotate.queue import job_status as job_status_module
from annotate.queue import job_watch, run_job
from annotate.queue.job_status import VideoStatus, job_status, video_status
from annotate.queue.job_watch import FRONT, IN_TURN, JobWatch
from annotate.queue.pace import pause_s
from annotate.store import Store, open_store
from tests.made_job import JOB
from tests.made_poses import made_poses
from tests.servers import RedisServer

VIDEOS = 500
CHUNK = Chunk(0, 2)


@pytest.fixture
def job(folder_store: Store) -> Job:
    """A job of many planned videos."""
    videos = [JobVideo(f"{n}.mp4", f"{n:064x}", "media", f"{n}.mp4") for n in range(VIDEOS)]
    job = replace(JOB, videos=tuple(videos))
    for video in videos:
        folder_store.results(job.recipe, video).write_chunks([CHUNK])
    return job


@pytest.fixture
def folder_store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the videos that are read."""
    found: list[str] = []

    def counted(store: Store, job: Job, video: JobVideo, beats: list[object]) -> VideoStatus:
        found.append(video.name)
        return video_status(store, job, video, beats)  # type: ignore[arg-type]

    for module in (job_watch, job_status_module):
        monkeypatch.setattr(module, "video_status", counted)
    return found


def test_a_look_reads_few_videos(folder_store: Store, job: Job, reads: list[str]) -> None:
    watch = JobWatch(folder_store, job)
    watch.look()
    assert len(reads) == VIDEOS
    reads.clear()
    watch.look()
    assert len(reads) <= FRONT + IN_TURN


def test_what_is_done_in_order_shows_at_once(folder_store: Store, job: Job) -> None:
    watch = JobWatch(folder_store, job)
    watch.look()
    for number in range(FRONT):
        results = folder_store.results(job.recipe, job.videos[number])
        results.write_part(CHUNK, made_poses([0, 0]), {})
        assert watch.look().videos[number].done == {CHUNK.name}
        results.write_failure(Failure(CHUNK.name, "x", 1))


def test_everything_else_shows_within_a_turn(folder_store: Store, job: Job) -> None:
    watch = JobWatch(folder_store, job)
    watch.look()
    chosen = np.random.default_rng(3).choice(VIDEOS, 20, replace=False).tolist()
    for number in chosen:
        results = folder_store.results(job.recipe, job.videos[number])
        results.write_part(CHUNK, made_poses([0, 0]), {})
    for _ in range(-(-VIDEOS // IN_TURN)):
        status = watch.look()
    assert status == job_status(folder_store, job)
    folder_store.results(job.recipe, job.videos[chosen[0]]).write_failure(
        Failure(CHUNK.name, "x", 1)
    )
    assert watch.look_at_all() == job_status(folder_store, job)


def test_what_jobs_share_is_read_once(folder_store: Store, job: Job, reads: list[str]) -> None:
    """Each job of `annotate watch` has the videos of the one before."""
    smaller = replace(job, id="20260102-030405-aaaaaa", videos=job.videos[:-1])
    renamed = replace(job, videos=(replace(job.videos[0], name="other.mp4"), *job.videos[1:]))
    smoothed = replace(job, smooth_hz=None)
    known: dict[str, VideoStatus] = {}
    for one in (smaller, job, renamed):
        status = job_status(folder_store, one, known=known)
        assert [video.video for video in status.videos] == [*one.videos]
    assert len(reads) == VIDEOS
    # Other tracks may be there, or not.
    job_status(folder_store, smoothed, known=known)
    assert len(reads) == 2 * VIDEOS


@pytest.mark.parametrize(
    ("took_s", "expected"), [(0.001, 1.0), (0.5, 9.5), (50.0, 30.0)], ids=["small", "large", "away"]
)
def test_looks_at_a_large_store_are_seldom_but_an_outage_is_no_reason(
    took_s: float, expected: float
) -> None:
    assert pause_s(took_s, 1.0, 30.0) == expected


def test_a_look_that_waited_for_the_store_is_soon_followed_by_another(
    folder_store: Store, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that was done meanwhile was noticed minutes later."""
    folder_store.write_job(JOB)
    folder_store.results(JOB.recipe, JOB.videos[0]).write_chunks([CHUNK])
    hours, pauses = itertools.count(0.0, 3600.0), list[float]()

    def sleep(pause: float) -> None:
        pauses.append(pause)
        raise TimeoutError

    clock = SimpleNamespace(monotonic=lambda: next(hours), sleep=sleep)
    monkeypatch.setattr(run_job, "time", clock)
    settings = settings_from({"ANNOTATE_BROKER": redis_server.url})
    with pytest.raises(TimeoutError):
        run_job.follow(folder_store, JOB, settings, lambda _status: None)
    assert pauses == [run_job.LONGEST_FOLLOW_S]
