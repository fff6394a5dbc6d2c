"""Runs commands in the test's own process, with a pipeline that costs nothing.

Hundreds of runs then take seconds. All but the models and the worker's processes is the real thing.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer.testing
from typer.main import get_command
from typer.testing import CliRunner

import annotate.queue.early_process
import annotate.queue.run_job
import workers.host
import workers.tasks
from annotate.cli.app import app
from annotate.domain.errors import AnnotateError, VideoError
from annotate.domain.job import Job
from annotate.domain.poses import Poses
from annotate.domain.video import Chunk, Frame, VideoIndex
from annotate.domain.work import Failure, Heartbeat
from annotate.queue.job_status import JobStatus, job_status
from annotate.store import Store, open_store
from annotate.synthetic.film import render_video
from annotate.video.writer import Encoding
from tests.made_scenes import walk_scene

FRAMES, CHUNK = 12, 6
LANDMARKS = 33
# A frame with which no pose can be made.
BAD_FRAME = 7
# Typer makes its 40 commands anew at each run of its test runner, a third of a run's time.
typer.testing._get_command = cache(get_command)  # type: ignore[attr-defined]
# Most times that an idle worker looks for work: far more than any sound run needs.
MOST_ROUNDS = 20


@dataclass(frozen=True)
class Said:
    """How a command ended.

    Attributes:
        code: its exit code.
        text: what it printed, its error included.
        defect: an exception that no user should see, or None.
    """

    code: int
    text: str
    defect: BaseException | None


class CheapPipeline:
    """Stands for `PoseEstimator`: a person who walks to the right, in each frame."""

    provider = "cpu"
    precision = "float"
    reason = ""
    takes_planes = True
    placement: Mapping[str, Mapping[str, int]] = {}

    def run(
        self,
        frames: Iterable[Frame],
        index: VideoIndex,
        *,
        first: int | None = None,
        crowded: list[int] | None = None,
    ) -> Poses:
        del first, crowded
        numbers = np.array([frame.index for frame in frames])
        if len(index) == FRAMES + 1 and BAD_FRAME in numbers:
            raise VideoError("no pose can be made of this frame", "Cut it out.")
        place = np.linspace(0, 1, LANDMARKS * 2).reshape(1, LANDMARKS, 2)
        landmarks = np.ones((len(numbers), LANDMARKS, 5), np.float32)
        landmarks[..., :2] = 20 + 30 * place + numbers[:, None, None]
        none = np.full(len(numbers), 0.9, np.float32)
        return Poses(
            frame_index=numbers,
            pts=index.pts[numbers],
            time_s=index.time_s[numbers],
            offsets=np.arange(len(numbers) + 1),
            detection_score=none,
            score=none,
            roi=np.zeros((len(numbers), 4), np.float32),
            landmarks=landmarks,
            world=np.zeros((len(numbers), LANDMARKS, 3), np.float32),
            appearance=np.zeros((len(numbers), 6), np.float32),
        )


def work_in_process(
    store: Store, job: Job, _settings: object, _processes: int, report: Any, _early: object = None
) -> JobStatus:
    """Stands for `work_here`: does the pending units one after the other."""
    for _ in range(MOST_ROUNDS):
        status = job_status(store, job)
        report(status)
        units = list(status.pending())
        if not units:
            return status
        for unit in units:
            # Another process would have its own caches.
            workers.host._chunks.cache_clear()
            task = workers.tasks.merge_task if unit.chunk is None else workers.tasks.chunk_task
            task(*unit.message)
    raise AssertionError("the job comes to no end")


@dataclass
class InProcess:
    """A host whose commands run in this process.

    Attributes:
        home: folder of its store and its videos.
    """

    home: Path
    packs: Path
    videos: list[Path] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Of the store."""
        return self.home / "store"

    def opened(self) -> Store:
        """The store."""
        return open_store(str(self.folder))

    def run(self, *arguments: str | Path) -> Said:
        """Runs a command."""
        environ = {
            "ANNOTATE_STORE": str(self.folder),
            "ANNOTATE_PACKS": str(self.packs),
            "ANNOTATE_CACHE": str(self.home / "cache"),
            "ANNOTATE_BROKER": "",
            "COLUMNS": "200",
        }
        before = dict(os.environ)
        os.environ.update(environ)
        workers.host._store.cache_clear()
        try:
            result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        finally:
            os.environ.clear()
            os.environ.update(before)
        error = result.exception
        if isinstance(error, AnnotateError):
            return Said(error.exit_code, f"{result.output}{error.message}\n{error.hint}", None)
        plain = error is None or isinstance(error, SystemExit)
        return Said(result.exit_code, result.output, None if plain else error)

    def submit(self) -> Said:
        """The submission of all videos."""
        return self.run("submit", *self.videos, "--detect-every", "1")

    def exported(self) -> tuple[Said, bytes]:
        """The export of what there is of the newest job."""
        out = self.home / "people.json"
        out.unlink(missing_ok=True)
        said = self.run("export", "--partial", "--out", out)
        return said, out.read_bytes() if out.exists() else b""

    def restore(self, sound: Path) -> None:
        """Makes the store a copy of `sound`; files are shared until they are replaced."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(sound, self.folder, copy_function=os.link)


@contextmanager
def cheap_work() -> Iterator[None]:
    """Replaces the pipeline and the worker's processes while the block runs."""
    pipeline = CheapPipeline()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(annotate.queue.run_job, "work_here", work_in_process)
        patch.setattr(annotate.queue.early_process, "started_early", nullcontext)
        patch.setattr(workers.tasks, "estimator_of", lambda _store, _recipe: pipeline)
        yield


def made_host(home: Path, packs: Path) -> InProcess:
    """A host with a finished job of two videos, in two chunks each, of which one failed."""
    host = InProcess(home, packs)
    for name, frames in (("sound.mp4", FRAMES), ("bad.mp4", FRAMES + 1)):
        host.videos.append(home / name)
        scene = walk_scene(seconds=frames / 30)
        render_video(scene, host.videos[-1], Encoding(gop=CHUNK))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("annotate.use_cases.submit.cut", _in_two)
        said = host.submit()
    assert (said.code, said.defect) == (3, None), said.text
    store = host.opened()
    job = store.newest_job()
    (failure,) = store.results(job.recipe, job.videos[1]).failures().values()
    assert isinstance(failure, Failure)
    store.write_heartbeat(
        Heartbeat(
            worker="elsewhere-1",
            job=job.id,
            video="sound.mp4",
            fingerprint=job.videos[0].fingerprint,
            chunk=Chunk(0, CHUNK),
            frames=2,
            frames_per_s=3.5,
            provider="cpu",
            rss_bytes=1000,
            time_s=1.0,
            version="0.2.0",
        )
    )
    return host


def _in_two(frames: Any, *_: object) -> tuple[Chunk, ...]:
    return Chunk(0, CHUNK), Chunk(CHUNK, len(frames))
