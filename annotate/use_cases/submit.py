"""Files to a job: probe every video, cut it into chunks, write the manifest."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from annotate.domain.arrays import IntArray
from annotate.domain.errors import DamagedError, ManifestError, VideoError, with_hint
from annotate.domain.images import ImageSequence
from annotate.domain.job import Job, JobVideo, Recipe, Rejected
from annotate.domain.names import printable, unique_names
from annotate.domain.options import Arithmetic, Selection, SubmitOptions
from annotate.domain.pack import Pack, read_pack
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.domain.progress import ByteProgress, Progress, silent
from annotate.domain.runs_on import MIXED
from annotate.domain.settings import Settings
from annotate.domain.video import Chunk, VideoIndex
from annotate.numeric.chunking import (
    chunk_frames,
    cut,
    restart_every,
    with_done,
)
from annotate.numeric.selection import selected_frames
from annotate.queue.run_job import check_queue
from annotate.store import Store
from annotate.store.bucket_videos import BucketVideo, Source
from annotate.store.results import VideoResults
from annotate.store.source_video import publish_source
from annotate.use_cases.announce import announced
from annotate.use_cases.choose_provider import with_provider
from annotate.use_cases.expected_cost import frame_core_s
from annotate.use_cases.find_pack import Tell, find_pack
from annotate.use_cases.find_videos import FoundVideos
from annotate.use_cases.read_videos import ReadVideo, read_videos, rejected
from annotate.use_cases.retry import forget_failures
from annotate.use_cases.take_over import take_over


@dataclass(frozen=True, eq=False)
class _Readable:
    """A file that can be annotated, and the frames of it that are."""

    source: Source
    index: VideoIndex
    frames: IntArray


def submit(
    store: Store,
    videos: FoundVideos,
    options: SubmitOptions,
    settings: Settings,
    *,
    workers: int,
    progress: Progress = silent,
    tell: Tell = lambda _line: None,
) -> Job:
    """Writes the job that annotates `videos`, with the chunks of each video, into the store.

    A file that cannot be read is listed in the manifest as rejected and does not stop the others.
    The same submission again gives the same job, as long as no other one came after it.

    Args:
        videos: what `find_videos` found.
        settings: of this host, as `options.on_host` gives them: its packs, and where the queue's
            workers see its files.
        workers: how many processes wait for chunks.
        progress: called while the pack is fetched, files are read, and copied into the store.
        tell: called with what came of `--precision`, for people.

    Raises:
        ProviderError: nothing on this host computes in what `--precision` names.
        UsageError: the pack needs the detector on every frame, or turns crops itself; or the
            queue's workers run models on different things, and the options name none.
        PackError: there is no such pack, or the default one cannot be fetched.
        VideoError: none of the files can be read.
        QueueError: the queue's server does not answer.
        StoreError: the store cannot be written.
    """
    check_queue(store, settings)  # before anything is uploaded
    with announced(store, progress) as announcing:
        return _submit(store, videos, options, settings, workers, announcing, tell)


def _submit(
    store: Store,
    videos: FoundVideos,
    options: SubmitOptions,
    settings: Settings,
    workers: int,
    progress: Progress,
    tell: Tell,
) -> Job:
    pack = find_pack(settings.packs, options.pack, progress)
    recipe_of(read_pack(pack), options)  # what is impossible is said before files are read
    read = read_videos(store, videos.videos, options, settings, progress)
    readable, refused = _select(read, options.selection)
    if not readable:
        reasons = "\n".join(with_hint(f"  {one.reason}", one.hint) for one in refused)
        raise VideoError(f"none of the files can be annotated:\n{reasons}")
    pack, arithmetic = _proven(pack, options, readable, store, settings, progress, tell)
    models = read_pack(pack)
    indexes = [video.index for video in readable]
    recipe = recipe_of(models, options, arithmetic)
    recipe = with_provider(recipe, options, settings, store, pack, indexes)
    store.add_pack(pack, recipe.pack)
    frames = sum(len(video.frames) for video in readable)
    if recipe.runs_on == MIXED:
        take_over(store, recipe, indexes)
    target = chunk_frames(frames, workers, frame_core_s(models, pack, recipe))
    _plan_chunks(store, recipe, readable, target)
    names = unique_names([parts_of(video.source) for video in readable])
    entries = tuple(
        JobVideo(
            name,
            video.index.fingerprint,
            *_publish(store, settings, video, progress),
            video.index.declared_frames,
            video.index.missing_frames,
        )
        for name, video in zip(names, readable, strict=True)
    )
    job = Job("", recipe, options.smooth_hz, entries, tuple(refused), options.priority)
    job = _filed(store, job)
    # What failed because of trouble that may be gone is tried again.
    forget_failures(store, job, lasting=False)
    return job


def _proven(
    pack: Path,
    options: SubmitOptions,
    videos: Sequence[_Readable],
    store: Store,
    settings: Settings,
    progress: Progress,
    tell: Tell,
) -> tuple[Path, Arithmetic]:
    """The folder of the pack, and its arithmetic, that `--precision` means for these videos."""
    if options.precision == "float":
        return pack, "float"
    from annotate.use_cases.choose_precision import choose_precision  # it loads models

    read = [ReadVideo(video.source, video.index) for video in videos]
    chosen = choose_precision(pack, options.precision, read, store, settings, progress, tell)
    return chosen.folder, chosen.arithmetic


def recipe_of(pack: Pack, options: SubmitOptions, arithmetic: Arithmetic = "float") -> Recipe:
    """The recipe that the options make with a pack, and what was proven of `--precision`.

    Raises:
        UsageError: the pack needs the detector on every frame, or turns crops itself.
    """
    people = pack.people_for(options.people)
    interval = options.detector_interval(people, can_track=pack.carries_people)
    pack.check_detect_every(interval)
    pack.check_rotations(options.rotations)
    return Recipe(
        pack.name,
        pack.digest,
        people,
        interval,
        options.selection,
        deinterlace=options.deinterlace,
        rotations=int(options.rotations),
        precision=arithmetic,
    )


def _select(
    videos: Sequence[ReadVideo | Rejected], selection: Selection
) -> tuple[list[_Readable], list[Rejected]]:
    """The videos that can be annotated, and those that cannot."""
    readable, refused = [], []
    for video in videos:
        if isinstance(video, Rejected):
            refused.append(video)
            continue
        try:
            frames = _selected(video.source, video.index, selection)
            readable.append(_Readable(video.source, video.index, frames))
        except VideoError as error:
            refused.append(rejected(video.source, error))
    return readable, refused


def _plan_chunks(store: Store, recipe: Recipe, videos: Sequence[_Readable], target: int) -> None:
    """Writes the chunks, of about `target` frames, of each video, unless it was cut before."""
    restart = restart_every(recipe.detect_every, PipelineSettings().remembered_frames)
    for video in videos:
        results = store.results(recipe, video.index)
        chunks = _readable_chunks(store, results)
        if chunks is None or chunks[-1].stop != len(video.frames):
            fresh = cut(video.frames, video.index.keyframes, target, restart)
            results.write_chunks(with_done(fresh, results.known_chunks()))


def _readable_chunks(store: Store, results: VideoResults) -> tuple[Chunk, ...] | None:
    """How a video is cut; None where it is not. A damaged list is set aside."""
    try:
        return results.read_chunks()
    except DamagedError as error:
        store.files.set_aside(error.key)
        return None


def _publish(
    store: Store, settings: Settings, video: _Readable, progress: Progress
) -> tuple[str, str]:
    """Root and path by which workers find the video."""
    report = _in_bytes(progress, f"Uploading {printable(video.source.name)}")
    return publish_source(store, settings, video.source, video.index, report)


def parts_of(source: Source) -> Sequence[str]:
    """The parts of a path or an address, without `..`."""
    if isinstance(source, BucketVideo):
        return source.path.split("/")
    if isinstance(source, ImageSequence):
        folder = Path(os.path.abspath(source.folder)).parts  # noqa: PTH100
        return (*folder, source.title) if source.title else folder
    return Path(os.path.abspath(source)).parts  # noqa: PTH100 - links stay as they are


def _in_bytes(progress: Progress, step: str) -> ByteProgress:
    """Reports bytes as fractions of a step."""

    def report(done: int, total: int) -> None:
        progress(step, done / max(total, 1))

    return report


def _selected(source: Source, index: VideoIndex, selection: Selection) -> IntArray:
    frames = selected_frames(index, selection)
    if not len(frames):
        raise VideoError(
            f"{source} has no frame from {selection.start_s:g} s on: its frames are shown from "
            f"{index.player_s[0]:.1f} to {index.player_s[-1]:.1f} s",
            "Check --start and --end.",
        )
    return frames


def _filed(store: Store, job: Job) -> Job:
    ids = store.job_ids()
    # A manifest that is damaged, or of another version, cannot be continued.
    with suppress(ManifestError, DamagedError):
        if ids and (newest := store.read_job(ids[-1])).content_digest == job.content_digest:
            return newest
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    job = replace(job, id=f"{stamp}-{job.content_digest[:6]}")
    store.write_job(job)
    return job
