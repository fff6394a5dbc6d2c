"""Files to a job: probe every video, cut it into chunks, write the manifest."""

import difflib
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from annotate.domain.arrays import IntArray
from annotate.domain.errors import ManifestError, UsageError, VideoError, with_hint
from annotate.domain.job import Job, JobVideo, Recipe, Rejected
from annotate.domain.options import Selection, SubmitOptions
from annotate.domain.pack import Pack, read_pack
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.domain.progress import ByteProgress, Progress, silent
from annotate.domain.settings import Settings
from annotate.domain.video import VideoIndex
from annotate.numeric.chunking import (
    TILES,
    chunk_frames,
    cut,
    frame_core_seconds,
    model_core_seconds,
    restart_every,
)
from annotate.numeric.selection import selected_frames
from annotate.store import Store
from annotate.store.known_files import KnownFiles, state_of
from annotate.store.source_video import publish_source
from annotate.use_cases.find_pack import find_pack
from annotate.use_cases.patience import with_patience
from annotate.use_cases.retry import forget_failures
from annotate.video import probe

_FILM = [".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".ogv", ".webm", ".wmv"]
_CAMERA = [".3gp", ".m2ts", ".mpeg", ".mpg", ".mts", ".ts"]
VIDEO_ENDINGS = frozenset(_FILM + _CAMERA)


@dataclass(frozen=True, eq=False)
class _Readable:
    """A file that can be annotated, and the frames of it that are."""

    path: Path
    index: VideoIndex
    frames: IntArray


def submit(
    store: Store,
    videos: Sequence[Path],
    options: SubmitOptions,
    settings: Settings,
    *,
    workers: int,
    progress: Progress = silent,
) -> Job:
    """Writes the job that annotates `videos`, with the chunks of each video, into the store.

    A file that cannot be read is listed in the manifest as rejected and does not stop the others.
    The same submission again gives the same job, as long as no other one came after it.

    Args:
        videos: files, and folders of them.
        settings: of this host: its packs, and where the queue's workers see its files.
        workers: how many processes wait for chunks.
        progress: called while the pack is fetched, files are read, and copied into the store.

    Raises:
        UsageError: there is no such file, or the pack needs the detector on every frame.
        PackError: there is no such pack, or the default one cannot be fetched.
        VideoError: none of the files can be read.
        StoreError: the store cannot be written.
    """
    files = expand(videos)
    pack = find_pack(settings.packs, options.pack, progress)
    models = read_pack(pack)
    recipe = _recipe(models, options)
    store.add_pack(pack, recipe.pack)
    readable, rejected = _read(files, options, settings, progress)
    if not readable:
        reasons = "\n".join(with_hint(f"  {one.reason}", one.hint) for one in rejected)
        raise VideoError(f"none of the files can be annotated:\n{reasons}")
    frames = sum(len(video.frames) for video in readable)
    target = chunk_frames(frames, workers, frame_core_s(models, pack, recipe))
    _plan_chunks(store, recipe, readable, target)
    names = _unique_names([video.path for video in readable])
    entries = tuple(
        JobVideo(name, video.index.fingerprint, *_publish(store, settings, video, progress))
        for name, video in zip(names, readable, strict=True)
    )
    job = Job("", recipe, options.smooth_hz, entries, tuple(rejected), options.priority)
    job = _filed(store, job)
    # What failed because of trouble that may be gone is tried again.
    forget_failures(store, job, lasting=False)
    return job


def _recipe(pack: Pack, options: SubmitOptions) -> Recipe:
    interval = options.detector_interval(can_track=pack.carries_people)
    pack.check_detect_every(interval)
    return Recipe(pack.name, pack.digest, options.people, interval, options.selection)


def _read(
    files: Sequence[Path], options: SubmitOptions, settings: Settings, progress: Progress
) -> tuple[list[_Readable], list[Rejected]]:
    """The files that can be annotated, and those that cannot."""
    readable, rejected = [], []
    for path in files:
        try:
            index = with_patience(partial(_probed, path, options, settings, progress), settings)
            readable.append(_Readable(path, index, _selected(path, index, options.selection)))
        except VideoError as error:
            rejected.append(Rejected(str(path), error.message, error.hint))
    return readable, rejected


def _probed(
    path: Path, options: SubmitOptions, settings: Settings, progress: Progress
) -> VideoIndex:
    """The index of a video, whose fingerprint this host then knows.

    Raises:
        VideoError: all bytes of the file can be read, and it cannot be annotated.
        HostError: the file cannot be read now.
    """
    reading = _in_bytes(progress, f"Reading {path.name}")
    before = state_of(path)
    known = KnownFiles(settings.cache)
    try:
        index = probe(path, reading, stream=options.stream, assume_fps=options.assume_fps)
    except VideoError:
        # FFmpeg hides errors of the disk, which then look like damage.
        if path.is_file() and os.access(path, os.R_OK):
            known.read(path, reading)
        raise
    known.remember(path, before, index.fingerprint)
    return index


def frame_core_s(pack: Pack, folder: Path, recipe: Recipe) -> float:
    """Expected seconds of one core for a frame, by the files of the pack in `folder`."""

    def run_s(stage: str) -> float:
        spec = pack.stages[stage]
        width, height = spec.size
        return model_core_seconds((folder / spec.file).stat().st_size, width * height)

    views = TILES if pack.is_tiled(recipe.people) else 1
    detectors_s = views * sum(run_s(stage) for stage in pack.detectors(recipe.people))
    return frame_core_seconds(detectors_s, run_s("landmark"), recipe.detect_every)


def _plan_chunks(store: Store, recipe: Recipe, videos: Sequence[_Readable], target: int) -> None:
    """Writes the index and the chunks, of about `target` frames, of each video, unless it was cut
    before.
    """
    restart = restart_every(recipe.detect_every, PipelineSettings().remembered_frames)
    for video in videos:
        store.write_index(video.index, recipe.selection)
        results = store.results(recipe, video.index)
        if results.read_chunks() is None:
            results.write_chunks(cut(video.frames, video.index.keyframes, target, restart))


def _publish(
    store: Store, settings: Settings, video: _Readable, progress: Progress
) -> tuple[str, str]:
    """Root and path by which workers find the video."""
    report = _in_bytes(progress, f"Uploading {video.path.name}")
    return publish_source(store, settings, video.path, video.index, report)


def _in_bytes(progress: Progress, step: str) -> ByteProgress:
    """Reports bytes as fractions of a step."""

    def report(done: int, total: int) -> None:
        progress(step, done / max(total, 1))

    return report


def expand(paths: Sequence[Path]) -> list[Path]:
    """The given files, and for each folder the videos below it, by their usual endings.

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


def _selected(path: Path, index: VideoIndex, selection: Selection) -> IntArray:
    frames = selected_frames(index, selection)
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
    # A manifest of another version cannot be continued.
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
