"""Verifies a store: that every file that its jobs need is there, whole, and theirs."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from annotate.domain.errors import (
    AnnotateError,
    DamagedError,
    ManifestError,
    NewerEditError,
    PackError,
    StoreError,
)
from annotate.domain.job import Job, JobVideo
from annotate.domain.json_text import parsed
from annotate.domain.pack import PACK_FILE
from annotate.domain.progress import Progress, silent
from annotate.domain.video import VideoIndex
from annotate.numeric.selection import selected_frames
from annotate.store import Store
from annotate.store.damage import damaged
from annotate.store.files import BLOCK
from annotate.store.frame_notes import UnreadableNote


@dataclass(frozen=True)
class Finding:
    """Something wrong.

    Attributes:
        problem: one line that names the file.
        aside: the key to which the file was moved, or empty.
        missing: whether the file is not there at all.
    """

    problem: str
    aside: str = ""
    missing: bool = False


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes:
        jobs, files: how many were checked.
        findings: what is wrong; empty for a sound store.
    """

    jobs: int
    files: int
    findings: tuple[Finding, ...]

    @property
    def is_mended(self) -> bool:
        """Whether all that is damaged was set aside, so that the same submission makes it again."""
        return all(finding.aside or finding.missing for finding in self.findings)


@dataclass(frozen=True)
class _Item:
    """A file to check; `check` raises where it is not sound. It is made anew only together with
    `made_with`, another file or none.
    """

    key: str
    check: Callable[[], object]
    made_with: str = ""


def check_store(
    store: Store,
    jobs: Sequence[str] = (),
    *,
    deep: bool = False,
    repair: bool = False,
    progress: Progress = silent,
) -> Report:
    """Looks at all files that jobs need: their form, owner and references.

    Args:
        jobs: ids of jobs; empty: all.
        deep: read every page of every file too, and compare digests.
        repair: set damaged files aside; the same submission then makes them again.

    Raises:
        UsageError: there is no such job.
        StoreError: the store cannot be read.
    """
    found: list[Finding] = []
    manifests: list[Job] = []
    items: dict[str, _Item] = {}
    for job_id in jobs or store.job_ids():
        try:
            manifests.append(store.read_job(job_id))
        except (ManifestError, DamagedError) as error:
            found.append(_manifest_finding(store, job_id, error, repair=repair))
    for job in manifests:
        for item in _items(store, job, deep=deep):
            items.setdefault(item.key, item)
    for number, item in enumerate(items.values(), start=1):
        try:
            item.check()
        except NewerEditError as error:  # it is whole, and stays where it is
            found.append(Finding(error.message))
        except (DamagedError, PackError, _MissingError) as error:
            found.append(_finding(store, item, error, repair=repair))
        progress("Checking", number / len(items))
    return Report(len(manifests), len(manifests) + len(items), tuple(found))


class _MissingError(AnnotateError):
    """A file that should be there is not."""


def _finding(store: Store, item: _Item, error: AnnotateError, *, repair: bool) -> Finding:
    names = store.files.names(item.key.rpartition("/")[0])
    missing = item.key.rpartition("/")[2] not in names
    if repair and not missing and item.made_with:
        store.files.set_aside(item.made_with)
    aside = store.files.set_aside(item.key) if repair and not missing else ""
    return Finding(error.message, aside, missing)


def _manifest_finding(store: Store, job_id: str, error: StoreError, *, repair: bool) -> Finding:
    key = f"jobs/{job_id}.json"
    aside = ""
    if repair and not _is_of_another_version(store, key, job_id):
        aside = store.files.set_aside(key)
    return Finding(error.message, aside)


def _is_of_another_version(store: Store, key: str, job_id: str) -> bool:
    """Whether a manifest that this version cannot read states its job, and no wrong digest."""
    with suppress(ValueError, DamagedError):
        fields = parsed(store.files.read(key) or b"")
        return isinstance(fields, dict) and fields.get("id") == job_id and "digest" not in fields
    return False


def _items(store: Store, job: Job, *, deep: bool) -> Iterator[_Item]:
    """All files that a job needs."""
    below = f"packs/{job.recipe.pack}"
    yield _Item(f"{below}/{PACK_FILE}", partial(store.read_pack, job.recipe.pack))
    if deep:
        with suppress(PackError, DamagedError):
            for spec in store.read_pack(job.recipe.pack).stages.values():
                key = f"{below}/{spec.file}"
                yield _Item(key, partial(_check_digest, store, key, spec.sha256))
    for video in {video.fingerprint: video for video in job.videos}.values():
        yield from _video_items(store, job, video, deep=deep)


def _video_items(store: Store, job: Job, video: JobVideo, *, deep: bool) -> Iterator[_Item]:
    results, fingerprint = store.results(job.recipe, video), video.fingerprint
    index_key = store.index_key(fingerprint, job.recipe.selection)
    yield _Item(index_key, partial(_index, store, job, video))
    source = store.source_key(fingerprint)
    if store.files.exists(source):
        check = _check_digest if deep else _check_size
        yield _Item(source, partial(check, store, source, fingerprint))
    yield _Item(results.chunks_key, partial(_check_planned, store, job, video))
    for unit in results.failures():
        yield _Item(results.failure_key(unit), partial(results.read_failure, unit))
    with suppress(DamagedError):
        names, unreadable = results.parts(), results.frame_notes().unreadable
        done = [chunk for chunk in results.read_chunks() or () if chunk.name in names]
        for chunk in done:
            check_part = partial(results.check_part, chunk, deep=deep)
            part = results.part_key(chunk)
            yield _Item(part, check_part)
            for note in unreadable:
                if note.chunk == chunk.name:
                    yield _Item(note.key, partial(_raise, note), part)
    for number in results.edits.numbers():
        yield _Item(results.edits.key(number), partial(results.edits.read_one, number))
    for key in results.tracks_keys(job.merge_digest):
        yield _Item(key, partial(results.check_tracks, key, job.merge_digest, deep=deep))


def _raise(note: UnreadableNote) -> None:
    raise DamagedError(note.reason, key=note.key)


def _index(store: Store, job: Job, video: JobVideo) -> VideoIndex:
    try:
        return store.read_index(video.fingerprint, job.recipe.selection)
    except DamagedError:
        raise
    except StoreError as error:
        raise _MissingError(f"{video.name}: {error.message}") from error


def _check_planned(store: Store, job: Job, video: JobVideo) -> None:
    results = store.results(job.recipe, video)
    chunks = results.read_chunks()
    frames = None
    with suppress(StoreError):  # the index is checked for itself
        index = store.read_index(video.fingerprint, job.recipe.selection)
        frames = len(selected_frames(index, job.recipe.selection))
    if chunks and frames is not None and chunks[-1].stop != frames:
        raise damaged(results.chunks_key, "its chunks are not those of the video")
    if chunks is None:
        raise _MissingError(f"{video.name} is not planned: {results.chunks_key} is missing")


def _check_size(store: Store, key: str, fingerprint: str) -> None:
    del fingerprint
    if not store.files.size(key):
        raise DamagedError(f"{key} in the store is damaged: it is empty", key=key)


def _check_digest(store: Store, key: str, expected: str) -> None:
    if not store.files.exists(key):
        raise _MissingError(f"{key} is missing in the store")
    digest = hashlib.sha256()
    with store.files.reader(key) as file:
        while block := file.read(BLOCK):
            digest.update(block)
    if digest.hexdigest() != expected:
        raise DamagedError(
            f"{key} in the store is damaged: its content does not match its digest", key=key
        )
