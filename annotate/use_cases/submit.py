"""Files to a job: probe every video, cut it into chunks, write the manifest."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from annotate.domain.arrays import IntArray
from annotate.domain.errors import ManifestError, UsageError, VideoError
from annotate.domain.job import Job, JobVideo, Priority, Recipe, Rejected
from annotate.domain.options import People
from annotate.domain.pack import read_pack
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.domain.settings import Settings
from annotate.domain.video import Selection, VideoIndex
from annotate.numeric.chunking import chunk_frames, cut, restart_every
from annotate.numeric.selection import ALL_FRAMES, asked_frames
from annotate.store import Store
from annotate.store.source_video import publish_source
from annotate.video import probe

_FILM = [".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".ogv", ".webm", ".wmv"]
_CAMERA = [".3gp", ".m2ts", ".mpeg", ".mpg", ".mts", ".ts"]
VIDEO_ENDINGS = frozenset(_FILM + _CAMERA)

# what is done, to which file, bytes done, bytes in all
Progress = Callable[[str, Path, int, int], None]


def submit(
    store: Store,
    videos: Sequence[Path],
    pack: Path,
    *,
    people: People,
    detect_every: int,
    selection: Selection = ALL_FRAMES,
    smooth_hz: float | None,
    priority: Priority = "normal",
    workers: int,
    settings: Settings,
    progress: Progress,
) -> Job:
    """The job that annotates `videos`; its manifest and chunks stand in the store.

    A file that cannot be read is listed in the manifest as rejected and does not stop the others.
    The same submission again gives the same job, as long as no other one came after it.

    Args:
        pack: folder of the model pack.
        people, detect_every, selection: of the recipe.
        smooth_hz: cut-off of the smoother, or None.
        priority: whose chunks workers take first.
        workers: how many processes wait for chunks.
        settings: of this host: where the queue's workers see its files.
        progress: called while files are read, and while they are copied into the store.

    Raises:
        UsageError: two files would have the same name, or the pack needs the detector on every
            frame.
        VideoError: none of the files can be read.
        StoreError: the store cannot be written.
    """
    spec = read_pack(pack)
    spec.check_detect_every(detect_every)
    recipe = Recipe(spec.name, spec.digest, people, detect_every, selection)
    store.add_pack(pack, spec.digest)
    indexes: dict[Path, VideoIndex] = {}
    asked: dict[Path, IntArray] = {}
    rejected: list[Rejected] = []
    for path in videos:
        try:
            index = probe(path, partial(progress, "Reading", path))
            asked[path] = _asked(path, index, selection)
            indexes[path] = index
        except VideoError as error:
            rejected.append(Rejected(str(path), error.message))
    if not indexes:
        reasons = "\n".join(f"  {one.reason}" for one in rejected)
        raise VideoError(f"none of the files can be annotated:\n{reasons}", "")
    frames = sum(len(asked[path]) for path in indexes)
    target = chunk_frames(frames, workers, people, detect_every)
    restart = restart_every(detect_every, PipelineSettings().remembered_frames)
    for path, index in indexes.items():
        store.write_index(index)
        results = store.results(recipe, index)
        if results.read_chunks() is None:
            chunks = cut(asked[path], index.keyframes, target, restart)
            results.write_chunks(chunks)
    names = _unique_names(list(indexes))
    entries = (
        JobVideo(
            name,
            index.fingerprint,
            *publish_source(store, settings, path, index, partial(progress, "Uploading", path)),
        )
        for name, (path, index) in zip(names, indexes.items(), strict=True)
    )
    job = Job("", recipe, smooth_hz, tuple(entries), tuple(rejected), priority)
    return _filed(store, job)


def expand(paths: Sequence[Path]) -> list[Path]:
    """The files that the arguments of `annotate submit` name: files stand for themselves, a folder
    for the videos below it, by their usual endings.

    Raises:
        UsageError: there is no such file, or a folder without a video.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in VIDEO_ENDINGS)
            if not inside:
                raise UsageError(
                    f"no video in the folder {path}",
                    f"Videos end in {' '.join(sorted(VIDEO_ENDINGS))}; name other files directly.",
                )
            found.update(dict.fromkeys(inside))
        elif path.exists():
            found[path] = None
        else:
            raise UsageError(f"no such file: {path}", _similar(path))
    return list(found)


def _asked(path: Path, index: VideoIndex, selection: Selection) -> IntArray:
    frames = asked_frames(index, selection)
    if not len(frames):
        raise VideoError(
            f"{path} has no frame from {selection.start_s:g} s on: it lasts "
            f"{index.time_s[-1]:.1f} s",
            "Check --start and --end.",
        )
    return frames


def _similar(path: Path) -> str:
    folder = path.parent
    beside = [p.name for p in folder.iterdir()] if folder.is_dir() else []
    close = difflib.get_close_matches(path.name, beside, n=1)
    return f"Did you mean {folder / close[0]}?" if close else "Check the path."


def _filed(store: Store, job: Job) -> Job:
    ids = store.job_ids()
    # A manifest of another version is none that could be gone on with.
    with suppress(ManifestError):
        if ids and (newest := store.read_job(ids[-1])).content_digest == job.content_digest:
            return newest
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    job = replace(job, id=f"{stamp}-{job.content_digest[:6]}")
    store.write_job(job)
    return job


def _unique_names(paths: Sequence[Path]) -> Iterator[str]:
    """File names, with as many folders before them as it takes to tell them apart."""
    absolute = [path.absolute() for path in paths]
    for path in absolute:
        for length in range(1, len(path.parts) + 1):
            tail = path.parts[-length:]
            if sum(other.parts[-length:] == tail for other in absolute) == 1:
                break
        yield "/".join(tail)
