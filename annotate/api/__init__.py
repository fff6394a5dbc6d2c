"""The Python API: annotate videos, export them, and read their tracks.

    import annotate

    if __name__ == "__main__":
        annotate.submit(["match.mp4"], annotate.SubmitOptions(people="all"))
        annotate.export("people.json")
        video = annotate.open_store().video("match.mp4")
        frame = video.tracks().to_pandas()
        print(video.poses(12).landmark("left_knee"))

Settings that belong to the host, such as the store and the queue, come from the same environment
variables as for the command line. Every error is an `annotate.domain.errors.AnnotateError`.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from annotate.api.results import ResultStore
from annotate.domain.arrays import IntArray
from annotate.domain.export_options import ExportOptions
from annotate.domain.job import Job, JobVideo
from annotate.domain.options import SubmitOptions
from annotate.domain.progress import Progress, silent
from annotate.domain.settings import settings_from
from annotate.domain.tracks import Tracks
from annotate.queue.job_status import JobStatus
from annotate.queue.run_job import run_job
from annotate.store import Store
from annotate.store import open_store as open_store_at
from annotate.use_cases import export as export_use_case
from annotate.use_cases import final_tracks as tracks_use_case
from annotate.use_cases import submit as submit_use_case
from annotate.use_cases.find_videos import find_patiently
from annotate.use_cases.worker_pool import processes_for, processes_here

__all__ = [
    "ExportOptions",
    "SubmitOptions",
    "export",
    "final_tracks",
    "missing_frames",
    "open_store",
    "submit",
]

_logger = logging.getLogger(__name__)


def open_store(location: str | Path | None = None) -> ResultStore:
    """The store of jobs and results.

        store = annotate.open_store()
        table = store.video("match.mp4").tracks()

    Args:
        location: a folder, which need not exist yet, or `s3://bucket/prefix`. None is the store of
            `ANNOTATE_STORE`, or the user's data folder.

    Raises:
        UsageError: `location` is not a valid location.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     open_store(folder).jobs()
    []
    """
    settings = settings_from(store=None if location is None else str(location))
    return ResultStore(open_store_at(settings.store).files)


def submit(
    videos: str | Path | Iterable[str | Path],
    options: SubmitOptions | None = None,
    *,
    store: Store | None = None,
    processes: int | None = None,
    progress: Progress = silent,
) -> JobStatus:
    """Annotates videos and waits until that is done, as `annotate submit` does.

    The worker processes import the calling script again: call this below
    `if __name__ == "__main__":`. With `ANNOTATE_BROKER` set, the workers of that queue do the work.

    Args:
        videos: a file or a folder of them, or several of these.
        options: None is the defaults.
        store: None is the default store.
        processes: worker processes of this machine; None is one a core.
        progress: called again and again with the present step and its fraction done.

    Returns:
        The final status: its `job`, and each video with what failed, if anything did.

    Raises:
        UsageError: there is no such file, or two options contradict each other.
        VideoError: none of the files can be read.
        PackError: there is no such model pack.
        StoreError: the store cannot be read or written.
        QueueError: the queue's server does not answer.
    """
    options = options or SubmitOptions()
    store = store or open_store()
    settings = options.on_host(settings_from(store=str(store.files)))
    count = processes_here(settings, processes)
    # A text is a sequence too: of one-letter paths, and `/` among them is the whole file system.
    named = [videos] if isinstance(videos, str | Path) else list(videos)
    job = submit_use_case.submit(
        store,
        find_patiently(named, settings, store=store),
        options,
        settings,
        workers=count,
        progress=progress,
        tell=_logger.warning,  # what came of `precision` is never silent
    )

    def report(status: JobStatus) -> None:
        progress("Annotating", status.frames_done / max(status.frames, 1))

    return run_job(
        store, job, settings, processes_for(job.recipe.runs_on, settings, processes), report
    )


def export(
    out: str | Path | None = None,
    job: Job | None = None,
    options: ExportOptions | None = None,
    *,
    store: Store | None = None,
    progress: Progress = silent,
) -> export_use_case.Summary:
    """Writes the tracks of a job to a file or folder, as `annotate export` does.

    Args:
        out: what to write; it appears whole or not at all. None leaves it to the options.
        job: None is the newest job of the store.
        options: None is the defaults: all poses, as a COCO annotation file.
        store: None is the default store.
        progress: called again and again with the fraction done.

    Returns:
        How many videos, frames and poses were written, and what is missing.

    Raises:
        UsageError: there is no such format, job, video or track, or `out` does not fit.
        PartialResultError: frames are missing and that is not allowed; nothing was written.
        StoreError: the store cannot be read.
        OutputError: `out` cannot be written.
    """
    options = options or ExportOptions()
    if out is not None:
        options = replace(options, out=Path(out))
    store = store or open_store()
    return export_use_case.export(store, job or store.newest_job(), options, progress)


def final_tracks(job: Job, video: JobVideo, *, store: Store | None = None) -> Iterator[Tracks]:
    """The tracks of a video, block by block in the order of frames.

    Args:
        job: e.g. `store.read_job(job_id)` or `submit(...).job`.
        video: one of `job.videos`.
        store: None is the default store.

    Raises:
        StoreError: the video has no tracks in the store, or they cannot be read.
    """
    return tracks_use_case.final_tracks(store or open_store(), job, video)


def missing_frames(job: Job, video: JobVideo, *, store: Store | None = None) -> IntArray:
    """The frames of a video that were not processed, because their chunks failed, say.

    A frame that the job annotates has no people where it has no pose in `final_tracks` and is not
    one of these.

    Args:
        job, video, store: as for `final_tracks`.

    Returns:
        (M,) int64, increasing: source indices of the frames; all of them where the video has no
        tracks.

    Raises:
        StoreError: the video has no index in the store, or what is read is damaged.
    """
    return tracks_use_case.missing_frames(store or open_store(), job, video)
