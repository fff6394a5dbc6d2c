"""What a worker process keeps between tasks: its store, its board and its loaded models.

The code that runs models is imported where models are loaded: the worker's parent process never
imports it.
"""

import itertools
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from annotate.domain.errors import UnknownWorkError
from annotate.domain.job import Job, JobVideo, Recipe
from annotate.domain.options import Arithmetic, People
from annotate.domain.settings import NPUS_VARIABLE, WORKER_VARIABLE, settings_from
from annotate.domain.video import Chunk
from annotate.packs.installed import verify_pack
from annotate.queue.manifest_check import checked_job
from annotate.store import Store, open_store
from workers.identity import store_id
from workers.memory_limit import within_memory
from workers.time_limit import TimeLimits

if TYPE_CHECKING:
    from annotate.inference import Models
    from annotate.pipeline import PoseEstimator
    from annotate.queue.board import Board

_LOADING = threading.Lock()
_THREAD, _TURNS = threading.local(), itertools.count()


def this_store() -> Store:
    """The store of this host's settings."""
    return _store(settings_from().store)


def this_job(store: Store, job_id: str, digest: str) -> Job:
    """The job that a message names by id and digest.

    A large job's manifest takes longer to read than a short video to annotate, so this process
    keeps the last ones, for as long as they are in the store. A manifest never changes.

    Raises:
        UnknownWorkError, StoreError: as for `checked_job`.
    """
    # A forged message may hold other things than texts.
    named = str(job_id), str(digest)
    job = _job(store, *named)
    if not store.has_job(job.id):
        _job.cache_clear()
        job = _job(store, *named)
    return job


def estimator_of(store: Store, recipe: Recipe) -> "PoseEstimator":
    """The pipeline of a recipe; its models are loaded once in this process.

    Raises:
        OtherProviderError: they are to run on what this host does not have.
    """
    # The threads of a process that owns an NPU would each load the models, at the same time.
    with _LOADING:
        folder = _pack_folder(store, recipe.pack)
        return _estimator(
            folder,
            _own_npu(),
            recipe.runs_on,
            recipe.precision,
            recipe.people,
            recipe.detect_every,
            recipe.rotations,
        )


def forget_models() -> None:
    """Makes the next chunk load the models again, since a session that failed stays unusable."""
    with _LOADING:
        _estimator.cache_clear()
        _models.cache_clear()


def planned_chunk(store: Store, job: Job, video: JobVideo, bounds: tuple[int, int]) -> Chunk:
    """The chunk of a video with these bounds: start and stop, as a message has them.

    Raises:
        UnknownWorkError: the video was not cut there, or is not planned.
    """
    known = all(isinstance(bound, int) for bound in bounds)
    if known and bounds not in _chunks(store, job.recipe, video):
        _chunks.cache_clear()  # results may have been deleted, and the video cut differently since
    chunk = _chunks(store, job.recipe, video).get(bounds) if known else None
    if chunk is None:
        raise UnknownWorkError(
            f"job {job.id} has no chunk {bounds!r} of {video.name}",
            "The video was cut differently since, or the message was tampered with. "
            "Missing chunks are sent again.",
        )
    return chunk


_job = lru_cache(maxsize=4)(checked_job)


@lru_cache(maxsize=4)
def _chunks(store: Store, recipe: Recipe, video: JobVideo) -> Mapping[tuple[int, int], Chunk]:
    chunks = store.results(recipe, video).read_chunks() or ()
    return {(chunk.start, chunk.stop): chunk for chunk in chunks}


@lru_cache(maxsize=1)
def this_board() -> "Board | None":
    """The board of the queue's server; None where the queue lives in the command that submits."""
    settings = settings_from()
    if settings.embedded:
        return None
    from annotate.queue.board import open_board

    return open_board(settings.broker, store_id())


@lru_cache(maxsize=1)
def this_limits() -> TimeLimits:
    """The time limits of this process."""
    return TimeLimits(_log())


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """The work on a unit may take so long, or longer where `this_limits` are extended, and the
    memory that a worker may take; else the process ends.
    """
    with this_limits().within(seconds), within_memory(settings_from().limits.memory_gb, _log()):
        yield


def this_worker() -> str:
    """The name of the worker that this process belongs to."""
    return os.environ[WORKER_VARIABLE]


@lru_cache(maxsize=1)
def _log() -> TextIO:
    """Where a process says why it ends. A command shows no log of its workers."""
    # It stays open as long as the process runs.
    return Path(os.devnull).open("w") if settings_from().embedded else sys.stderr


@lru_cache(maxsize=1)
def _store(location: str) -> Store:
    return open_store(location)


@lru_cache(maxsize=4)
def _pack_folder(store: Store, digest: str) -> Path:
    folder = store.pack_folder(digest, settings_from().cache / "packs")
    verify_pack(folder)
    return folder


def _own_npu() -> int:
    """The number of the NPU that this thread uses: threads share them in turn. Call it with
    `_LOADING` held.
    """
    if not hasattr(_THREAD, "npu"):
        shared = [int(number) for number in os.environ.get(NPUS_VARIABLE, "0").split(",")]
        _THREAD.npu = shared[next(_TURNS) % len(shared)]
    return int(_THREAD.npu)


@lru_cache(maxsize=8)
def _estimator(
    folder: Path,
    npu: int,
    runs_on: str,
    precision: Arithmetic,
    people: People,
    detect_every: int,
    rotations: int,
) -> "PoseEstimator":
    from annotate.pipeline import PoseEstimator

    models = _models(folder, npu, runs_on, precision)
    return PoseEstimator(models, people=people, detect_every=detect_every, rotations=rotations)


@lru_cache(maxsize=4)
def _models(folder: Path, npu: int, runs_on: str, precision: Arithmetic) -> "Models":
    from annotate.use_cases.load_models import models_for
    from workers.process import prepare_process

    prepare_process()
    return models_for(folder, settings_from(), runs_on, precision=precision, npu=npu)
