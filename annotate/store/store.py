"""The store: jobs, indexes, packs and results, by name. The only truth of what is done.

jobs/<job>.json                          manifest, never changed
videos/<fingerprint>/index.parquet       every frame's pts, the keyframes
videos/<fingerprint>/original            the bytes of a video that workers cannot see elsewhere
packs/<digest>/                          the packs that recipes refer to
results/<recipe>/<fingerprint>/          chunks.json, parts/, failures/, tracks/<merge>.parquet
cancelled/<job>                          the job is no longer wanted
heartbeats/<worker>.json                 what is in hand; may be lost

Parquet is loaded where it is read or written: `annotate status` starts without it.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import starmap
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from annotate.domain.errors import PackError, StoreError, UsageError
from annotate.domain.job import Failure, Heartbeat, Job
from annotate.domain.pack import Pack
from annotate.domain.poses import Poses
from annotate.domain.tracks import Tracks
from annotate.domain.video import Chunk, VideoIndex
from annotate.store.files import Files, Progress
from annotate.store.local import LocalFiles
from annotate.store.packs import copy_pack, described_pack

T = TypeVar("T")


class Store:
    """Typed access to the objects of a store."""

    def __init__(self, files: Files) -> None:
        self.files = files

    @property
    def in_bucket(self) -> bool:
        """Whether no host sees its objects as files."""
        return self.files.path("jobs") is None

    # Jobs

    def job_ids(self) -> list[str]:
        """Ids of all jobs, oldest first."""
        return [name.removesuffix(".json") for name in self.files.names("jobs")]

    def read_job(self, job_id: str) -> Job:
        """The manifest of a job.

        Raises:
            UsageError: there is no such job.
            ManifestError: another version wrote it, or it is damaged.
        """
        known = self.job_ids()
        if job_id not in known:
            shown = ", ".join(known[-3:]) or "none"
            raise UsageError(
                f"no job {job_id} in the store {self.files}", f"Its newest jobs are: {shown}."
            )
        return Job.from_json(self.files.read(f"jobs/{job_id}.json") or b"")

    def newest_job(self) -> Job:
        """The job submitted last.

        Raises:
            UsageError: the store has no job.
        """
        ids = self.job_ids()
        if not ids:
            raise UsageError(
                f"the store {self.files} has no job yet", "Begin with: annotate submit VIDEO..."
            )
        return self.read_job(ids[-1])

    def write_job(self, job: Job) -> None:
        """Files the manifest."""
        self.files.write(f"jobs/{job.id}.json", job.to_json().encode())

    def cancel_job(self, job_id: str) -> None:
        """Says that nobody wants the rest of the job."""
        self.files.write(_cancelled_key(job_id), b"")

    def uncancel_job(self, job_id: str) -> None:
        """The job is wanted again."""
        self.files.delete(_cancelled_key(job_id))

    def is_cancelled(self, job_id: str) -> bool:
        """Whether the job was cancelled."""
        return self.files.exists(_cancelled_key(job_id))

    # Videos and packs

    def read_index(self, fingerprint: str) -> VideoIndex | None:
        """The index of a video, or None where it was never probed."""
        from annotate.store import tables

        key = _index_key(fingerprint)
        if not self.files.exists(key):
            return None
        return self._parquet(key, tables.read_index)

    def write_index(self, index: VideoIndex) -> None:
        """Files the index."""
        from annotate.store import tables

        with self.files.writer(_index_key(index.fingerprint)) as file:
            tables.write_index(file, index)

    def add_original(self, fingerprint: str, path: Path, progress: Progress) -> None:
        """Copies the bytes of a video into the store, unless they stand there whole."""
        key = _original_key(fingerprint)
        if self.files.size(key) != path.stat().st_size:
            self.files.upload(path, key, progress)

    def original(self, fingerprint: str) -> Path | None:
        """The file in the store with a video's bytes, or None where this host sees no such file."""
        return self.files.path(_original_key(fingerprint))

    def fetch_original(self, fingerprint: str, path: Path, progress: Progress) -> None:
        """Copies the bytes of a video to a file of this host."""
        self.files.download(_original_key(fingerprint), path, progress)

    def add_pack(self, folder: Path, digest: str) -> None:
        """Files the pack in `folder` and its compiled variants, as far as they do not stand."""
        copy_pack(LocalFiles(folder.parent), folder.name, self.files, f"packs/{digest}")

    def read_pack(self, digest: str) -> Pack:
        """The pack that was filed under its digest.

        Raises:
            PackError: it is not there, or is another one.
        """
        pack = described_pack(self.files, f"packs/{digest}")
        if pack.digest != digest:
            raise PackError(
                f"the pack {digest[:12]} in the store {self.files} is another one",
                "Somebody changed it; delete it there and submit the videos again.",
            )
        return pack

    def pack_folder(self, digest: str, copies: Path) -> Path:
        """A folder of this host with that pack: the store's own, or a copy in the folder `copies`.

        Raises:
            PackError: as `read_pack`.
            StoreError: `copies` cannot be written.
        """
        self.read_pack(digest)
        in_place = self.files.path(f"packs/{digest}")
        if in_place is not None:
            return in_place
        copy_pack(self.files, f"packs/{digest}", LocalFiles(copies), digest)
        return copies / digest

    # Results

    def read_chunks(self, recipe: str, fingerprint: str) -> tuple[Chunk, ...] | None:
        """How the video was cut, or None where it was not yet."""
        data = self.files.read(f"{_results(recipe, fingerprint)}/chunks.json")
        if data is None:
            return None
        return tuple(starmap(Chunk, json.loads(data)))

    def write_chunks(self, recipe: str, fingerprint: str, chunks: Iterable[Chunk]) -> None:
        """Files how the video is cut."""
        ranges = [[chunk.start, chunk.stop] for chunk in chunks]
        self.files.write(
            f"{_results(recipe, fingerprint)}/chunks.json", json.dumps(ranges).encode()
        )

    def parts(self, recipe: str, fingerprint: str) -> set[str]:
        """Names of the chunks that are done."""
        names = self.files.names(f"{_results(recipe, fingerprint)}/parts")
        return {name.removesuffix(".parquet") for name in names}

    def has_part(self, recipe: str, fingerprint: str, chunk: Chunk) -> bool:
        """Whether the chunk is done."""
        return self.files.exists(_part_key(recipe, fingerprint, chunk))

    def read_part(self, recipe: str, fingerprint: str, chunk: Chunk) -> Poses:
        """The poses of a chunk that is done."""
        from annotate.store import tables

        return self._parquet(_part_key(recipe, fingerprint, chunk), tables.read_part)

    def write_part(
        self, recipe: str, fingerprint: str, chunk: Chunk, poses: Poses, facts: dict[str, Any]
    ) -> None:
        """Makes the chunk done."""
        from annotate.store import tables

        with self.files.writer(_part_key(recipe, fingerprint, chunk)) as file:
            tables.write_part(file, poses, facts)

    def failures(self, recipe: str, fingerprint: str) -> dict[str, Failure]:
        """What was given up, by the chunk's name, or `merge`."""
        folder = f"{_results(recipe, fingerprint)}/failures"
        found = (self.files.read(f"{folder}/{name}") for name in self.files.names(folder))
        failures = [Failure(**json.loads(data)) for data in found if data is not None]
        return {failure.unit: failure for failure in failures}

    def write_failure(self, recipe: str, fingerprint: str, failure: Failure) -> None:
        """Gives a chunk or a merge up."""
        key = f"{_results(recipe, fingerprint)}/failures/{failure.unit}.json"
        self.files.write(key, json.dumps(asdict(failure)).encode())

    def delete_failure(self, recipe: str, fingerprint: str, unit: str) -> None:
        """Lets a chunk or a merge be tried again."""
        self.files.delete(f"{_results(recipe, fingerprint)}/failures/{unit}.json")

    def has_tracks(self, recipe: str, fingerprint: str, merge: str) -> bool:
        """Whether the merge is done."""
        return self.files.exists(_tracks_key(recipe, fingerprint, merge))

    def read_tracks(self, recipe: str, fingerprint: str, merge: str) -> Iterator[Tracks]:
        """The blocks of a tracks file, one at a time."""
        from annotate.store import tables

        with self.files.reader(_tracks_key(recipe, fingerprint, merge)) as file:
            yield from tables.read_tracks(file)

    def tracks_facts(self, recipe: str, fingerprint: str, merge: str) -> dict[str, Any]:
        """What the merge said of its file."""
        from annotate.store import tables

        return self._parquet(_tracks_key(recipe, fingerprint, merge), tables.read_facts)

    def write_tracks(
        self,
        recipe: str,
        fingerprint: str,
        merge: str,
        blocks: Iterable[Tracks],
        landmarks: int,
        facts: dict[str, Any],
    ) -> None:
        """Makes the merge done; the blocks are consumed as they are written."""
        from annotate.store import tables

        with self.files.writer(_tracks_key(recipe, fingerprint, merge)) as file:
            tables.write_tracks(file, blocks, landmarks, facts)

    def delete_tracks(self, recipe: str, fingerprint: str, merge: str) -> None:
        """Lets a merge be done again."""
        self.files.delete(_tracks_key(recipe, fingerprint, merge))

    # Heartbeats

    def now(self) -> float:
        """Unix time, by the clock of this host."""
        return time.time()

    def write_heartbeat(self, beat: Heartbeat) -> None:
        """Says what a worker process is doing."""
        data = json.dumps(asdict(beat)).encode()
        self.files.write(f"heartbeats/{beat.worker}.json", data, durable=False)

    def delete_heartbeat(self, worker: str) -> None:
        """Says that a worker process has nothing in hand."""
        self.files.delete(f"heartbeats/{worker}.json")

    def heartbeats(self) -> list[Heartbeat]:
        """The last word of every worker process that has a chunk in hand."""
        beats = []
        for name in self.files.names("heartbeats"):
            data = self.files.read(f"heartbeats/{name}")
            if data is not None:
                fields = json.loads(data)
                beats.append(Heartbeat(**{**fields, "chunk": Chunk(**fields["chunk"])}))
        return beats

    def _parquet(self, key: str, read: Callable[[BinaryIO], T]) -> T:
        with self.files.reader(key) as file, _damaged(key):
            return read(file)


@contextmanager
def _damaged(key: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{key} in the store is damaged: {error}",
            "Delete that file and run the same submit command again: it is made anew.",
        ) from error


def _cancelled_key(job_id: str) -> str:
    return f"cancelled/{job_id}"


def _index_key(fingerprint: str) -> str:
    return f"videos/{fingerprint}/index.parquet"


def _original_key(fingerprint: str) -> str:
    return f"videos/{fingerprint}/original"


def _results(recipe: str, fingerprint: str) -> str:
    return f"results/{recipe}/{fingerprint}"


def _part_key(recipe: str, fingerprint: str, chunk: Chunk) -> str:
    return f"{_results(recipe, fingerprint)}/parts/{chunk.name}.parquet"


def _tracks_key(recipe: str, fingerprint: str, merge: str) -> str:
    return f"{_results(recipe, fingerprint)}/tracks/{merge}.parquet"
