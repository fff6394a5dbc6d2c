"""The tracks of a job to a file, or a folder, of one of the export formats."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from annotate.domain.errors import PartialResultError, UsageError, with_hint
from annotate.domain.export_options import ExportOptions
from annotate.domain.job import Job
from annotate.domain.names import printable
from annotate.domain.progress import Progress, silent
from annotate.domain.settings import Settings, settings_from
from annotate.formats.base import Dataset, FileFormat, FolderFormat, Format, StreamFormat
from annotate.formats.registry import all_signatures, find_format
from annotate.queue.job_status import JobStatus, job_status
from annotate.store import Store
from annotate.use_cases.dataset import Meter, open_dataset
from annotate.use_cases.output import (
    is_stream,
    make_folder,
    output_file,
    output_folder,
    output_path,
)
from annotate.use_cases.remake_tracks import with_tracks_remade


@dataclass(frozen=True)
class Summary:
    """What an export holds.

    Attributes:
        videos, frames, poses: how many; frames that were not processed do not count.
        missing: what is not in it, a line each; empty for a complete job.
        written: the files or folders.
        rejected: files that were submitted but cannot be read, a line each.
        providers: how many frames of the source each execution provider ran the models for.
    """

    videos: int
    frames: int
    poses: int
    missing: tuple[str, ...]
    written: tuple[Path, ...]
    rejected: tuple[str, ...] = ()
    providers: Mapping[str, int] = field(default_factory=dict)


def export(
    store: Store,
    job: Job,
    options: ExportOptions,
    progress: Progress = silent,
    settings: Settings | None = None,
) -> Summary:
    """Writes the tracks of a job; each file appears whole or not at all.

    Args:
        settings: of this host, which say where videos are; None takes them from the environment.

    Raises:
        UsageError: there is no such format, video, or track, or the place to write to does not fit.
        PartialResultError: frames are missing and that is not allowed; nothing was written.
        StoreError: the store cannot be read.
        OutputError: the place to write to cannot be written.
    """
    file_format = find_format(options.format)
    if options.out is None and options.per_video is None:
        raise UsageError("no --out is given", "Name a file, or - for standard output.")
    if options.angles and not file_format.has_angles:
        raise UsageError(
            f"--angles is not for --format {options.format}", "Give --format csv or parquet."
        )
    status = job_status(store, job)
    missing = tuple(_missing(status, options))
    if missing and not options.partial:
        raise _refusal(status, missing)

    def write_all() -> Summary:
        meter = Meter(progress)
        dataset = open_dataset(store, status, options, file_format, meter)
        _check_images(dataset, options)
        written = []
        for out, part in _targets(dataset, options, file_format):
            write(file_format, part, out, force=options.force)
            written.append(out)
        if options.images is not None:
            # Imported here: only images need the decoder.
            from annotate.use_cases.export_images import write_images

            where = settings or settings_from(store=str(store.files))
            folder, force = options.images, options.force
            write_images(store, job, dataset, folder, where, force=force, progress=progress)
        processed = [int((~video.missing).sum()) for video in dataset.videos]
        poses = sum(meter.poses.values())
        videos, frames = sum(map(bool, processed)), sum(processed)
        rejected = tuple(with_hint(one.reason, one.hint) for one in dataset.rejected)
        providers = _providers(dataset)
        return Summary(videos, frames, poses, missing, tuple(written), rejected, providers)

    if options.out is not None and is_stream(options.out):
        # What a pipe has taken cannot be written again.
        return write_all()
    return with_tracks_remade(store, job, write_all)


def _providers(dataset: Dataset) -> dict[str, int]:
    found: Counter[str] = Counter()
    for video in dataset.videos:
        for one in video.providers:
            found[one.provider] += one.count
    return dict(found.most_common())


def _check_images(dataset: Dataset, options: ExportOptions) -> None:
    """Before anything is written."""
    if options.images is not None:
        from annotate.use_cases.export_images import check_sizes

        check_sizes(dataset)


def _targets(
    dataset: Dataset, options: ExportOptions, file_format: Format
) -> Iterator[tuple[Path, Dataset]]:
    """What is written where."""
    if options.out is not None:
        if file_format.one_video and len(dataset.videos) != 1:
            raise UsageError(
                f"a file of --format {file_format.name} holds one video, "
                f"and these are {len(dataset.videos)}",
                "Name one with --video, or a folder for a file each with --per-video.",
            )
        yield options.out, dataset
        return
    assert options.per_video is not None  # noqa: S101 - checked before
    for video in dataset.videos:
        place = options.per_video / f"{video.folder}{file_format.suffix}"
        make_folder(place.parent)
        yield place, replace(dataset, videos=(video,))


def write(file_format: Format, dataset: Dataset, out: Path, *, force: bool) -> None:
    """Writes a dataset to a file or folder, which appears whole or not at all.

    Raises:
        UsageError, StoreError, OutputError: as for `export`.
    """
    # Formats are imported to ask them, which a new file need not wait for.
    ours = all_signatures() if os.path.lexists(out) else ()
    if isinstance(file_format, StreamFormat):
        with output_file(out, ours, force=force) as file:
            file_format.write(dataset, file)
    elif isinstance(file_format, FileFormat):
        with output_path(out, ours, force=force) as path:
            file_format.write_file(dataset, path)
    elif isinstance(file_format, FolderFormat):
        with output_folder(out, force=force) as folder:
            file_format.write_folder(dataset, folder)


def _missing(status: JobStatus, options: ExportOptions) -> Iterator[str]:
    """What of the exported videos is not done, a line each."""
    wanted = {one.fingerprint for one in status.job.videos if printable(one.name) in options.video}
    for video in status.videos:
        name = video.video.name
        if options.video and video.video.fingerprint not in wanted:
            continue
        for failure in video.failures.values():
            yield with_hint(f"{name}: {failure.unit} failed: {failure.reason}", failure.hint)
        if not video.planned:
            yield with_hint(f"{name}: not planned, all frames missing", video.damage)
        elif not video.finished:
            missing = video.frames - video.frames_done
            yield f"{name}: {missing} of {video.frames} frames missing ({video.state})"


def _refusal(status: JobStatus, missing: tuple[str, ...]) -> PartialResultError:
    listed = "\n".join(f"  {line}" for line in missing)
    next_step = (
        "`annotate retry` what failed"
        if status.finished
        else "Run the same `annotate submit` again to continue"
    )
    return PartialResultError(
        f"job {status.job.id} is not complete:\n{listed}",
        f"{next_step}, or export what there is: --partial.",
    )
