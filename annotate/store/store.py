"""The store: jobs, indexes, packs and results, by name. The only truth about what is done.

jobs/<job>.json                          manifest, never changed
videos/<fingerprint>/index.parquet       every frame's pts, the keyframes; `index-stream-N`
                                         and others where the job chose how to read it
videos/<fingerprint>/original            the bytes of a video that workers cannot read elsewhere
packs/<digest>/                          the packs that recipes refer to
results/<recipe>/<fingerprint>/          see `VideoResults`
clock/<name>                             an object that tells the time, and is deleted at once
id                                       the store's own id, for the queue; in a bucket a folder
sources/<version>                        the fingerprint of what lies in a bucket or on a share
reading/<list>.json                      videos that workers read for a submission
order/<number>-<job>                     the jobs in the order in which they were submitted
cancelled/<job>                          the job is cancelled
submitting/<name>                        a job that is being submitted
working/<job>.json                       the command that works on a job, where there is no queue
heartbeats/<worker>.json                 what a worker process is doing; may be lost

Parquet is loaded where it is read or written: `annotate status` starts without it.
"""

import json
import re
import time
import uuid
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from annotate.domain.errors import (
    DamagedError,
    ManifestError,
    PackError,
    StoreError,
    UsageError,
    unreadable,
)
from annotate.domain.job import NOT_A_MANIFEST, Job, JobVideo, Recipe, is_fingerprint
from annotate.domain.json_text import parsed
from annotate.domain.options import Selection
from annotate.domain.pack import Pack
from annotate.domain.progress import ByteProgress
from annotate.domain.video import VideoIndex
from annotate.domain.work import Heartbeat
from annotate.numeric.selection import ALL_FRAMES
from annotate.store.damage import damage_named
from annotate.store.files import Files
from annotate.store.local import LocalFiles
from annotate.store.packs import copy_pack, described_pack
from annotate.store.results import VideoResults

ID_DIGITS = 16
_ID = re.compile(r"[0-9a-f]{16}")
# How the names below `order/` begin.
_ORDER = re.compile(r"[0-9]{9,}(?=-)")


class Store:
    """Typed access to the objects of a store."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._id = ""

    @property
    def in_bucket(self) -> bool:
        """Whether its objects are in a bucket, where no host sees them as files."""
        return self.folder is None

    @property
    def folder(self) -> Path | None:
        """The folder that holds its objects, or None where they are in a bucket."""
        jobs = self.files.path("jobs")
        return None if jobs is None else jobs.parent

    def id(self) -> str:
        """The store's own id, 16 hex digits, under which the queue keeps its work; the first who
        asks makes it. A copy of the store has the same.

        Raises:
            StoreError: it has none, and cannot be written.
        """
        if not self._id:
            made = uuid.uuid4().hex[:ID_DIGITS].encode()
            text = self.files.write_first("id", made).decode("ascii", "replace")
            if not _ID.fullmatch(text):
                self.files.set_aside("id")
                text = self.files.write_first("id", made).decode("ascii", "replace")
            self._id = text
        return self._id

    def has_id(self) -> bool:
        """Whether it has an id: not where it is away, or nothing was submitted to it."""
        return bool(self._id or self.files.walk("id") or self.files.exists("id"))

    def clock(self) -> float:
        """Unix time by the clock that gives its objects their times, whatever this host's says;
        this host's where nothing may be written.
        """
        key = f"clock/{uuid.uuid4().hex}"
        with suppress(StoreError):
            self.files.write(key, b"", durable=False)
            times = [one.modified_s for one in self.files.walk("clock") if one.key == key]
            self.files.delete(key)
            if times:
                return times[0]
        return time.time()

    # Jobs

    def job_ids(self) -> list[str]:
        """Ids of all jobs in the order in which they were submitted, whatever the clocks said."""
        names = self.files.names("jobs")
        known = [name.removesuffix(".json") for name in names if name.endswith(".json")]
        names = [name for name in self.files.names("order") if _ORDER.match(name)]
        order = {name.partition("-")[2]: name for name in names}
        # Ids begin with the time; those without a number are of earlier versions.
        return sorted(known, key=lambda job_id: (order.get(job_id, ""), job_id))

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
        key = f"jobs/{job_id}.json"
        try:
            job = Job.from_json(self.files.read(key) or b"")
        except ManifestError as error:
            raise ManifestError(f"{key} in the store: {error.message}", error.hint) from error
        if job.id != job_id:
            raise ManifestError(f"{key} in the store is that of job {job.id}", NOT_A_MANIFEST)
        return job

    def has_job(self, job_id: str) -> bool:
        """Whether the manifest of a job that was read before is still there."""
        return self.files.exists(f"jobs/{job_id}.json")

    def newest_job(self) -> Job:
        """The job submitted last.

        Raises:
            UsageError: the store has no job.
        """
        ids = self.job_ids()
        if not ids:
            raise UsageError(
                f"the store {self.files} has no job yet", "Start with: annotate submit VIDEO..."
            )
        return self.read_job(ids[-1])

    def write_job(self, job: Job) -> None:
        """Files the manifest, as that of the newest job."""
        # Other programs may put files of their own into any folder.
        before = [_ORDER.match(name) for name in self.files.names("order")]
        number = max((int(one[0]) for one in before if one), default=0) + 1
        self.files.write(f"order/{number:09}-{job.id}", b"")
        self.files.write(f"jobs/{job.id}.json", job.to_json().encode())

    def cancel_job(self, job_id: str) -> None:
        """Marks the job as cancelled: workers stop working on it."""
        self.files.write(_cancelled_key(job_id), b"")

    def uncancel_job(self, job_id: str) -> None:
        """Removes the mark of `cancel_job`."""
        self.files.delete(_cancelled_key(job_id))

    def is_cancelled(self, job_id: str) -> bool:
        """Whether the job was cancelled."""
        return self.files.exists(_cancelled_key(job_id))

    # Videos and packs

    def index_key(self, fingerprint: str, selection: Selection = ALL_FRAMES) -> str:
        """Key of a video's index; `selection` as for `read_index`."""
        return f"videos/{fingerprint}/index{selection.reading}.parquet"

    def source_key(self, fingerprint: str) -> str:
        """Key of a video's bytes."""
        return f"videos/{fingerprint}/original"

    def read_index(self, fingerprint: str, selection: Selection = ALL_FRAMES) -> VideoIndex:
        """The index of a video.

        Args:
            selection: of the job: a stream or a rate that it chose makes another index.

        Raises:
            StoreError: the video has none, or it is damaged.
        """
        from annotate.store import tables

        key = self.index_key(fingerprint, selection)
        if not self.files.exists(key):
            raise StoreError(
                f"the store {self.files} has no index of video {fingerprint[:12]}",
                "Run the same `annotate submit` again: it reads the video again.",
            )
        with self.files.reader(key) as file, damage_named(key):
            index = tables.read_index(file)
            if index.fingerprint != fingerprint:
                raise ValueError(f"it belongs to another video: {index.fingerprint}")
            return index

    def write_index(self, index: VideoIndex, selection: Selection = ALL_FRAMES) -> None:
        """Files the index; `selection` as for `read_index`."""
        from annotate.store import tables

        with self.files.writer(self.index_key(index.fingerprint, selection)) as file:
            tables.write_index(file, index)

    def source_fingerprint(self, version: str) -> str | None:
        """The fingerprint of that version of an object in a bucket, if a host has hashed it."""
        data = self.files.read(_version_key(version)) or b""
        text = data.decode("ascii", "replace")
        return text if is_fingerprint(text) else None

    def write_source_fingerprint(self, version: str, fingerprint: str) -> None:
        """Files the fingerprint of an object in a bucket; see `source_fingerprint`."""
        self.files.write(_version_key(version), fingerprint.encode(), durable=False)

    def has_source(self, fingerprint: str, size_bytes: int) -> bool:
        """Whether all bytes of a video are in the store."""
        return self.files.size(self.source_key(fingerprint)) == size_bytes

    def add_source(self, fingerprint: str, path: Path, progress: ByteProgress) -> None:
        """Copies the bytes of a video into the store, unless all of them are there."""
        key = self.source_key(fingerprint)
        try:
            if self.files.size(key) != path.stat().st_size:
                self.files.upload(path, key, progress)
        except OSError as error:
            raise unreadable(path, error) from error

    def source_path(self, fingerprint: str) -> Path | None:
        """The file in the store with a video's bytes, or None where the store is in a bucket."""
        return self.files.path(self.source_key(fingerprint))

    def download_source(self, fingerprint: str, path: Path, progress: ByteProgress) -> None:
        """Copies the bytes of a video to a file of this host."""
        self.files.download(self.source_key(fingerprint), path, progress)

    def add_pack(self, folder: Path, digest: str) -> None:
        """Files the pack in `folder` and its compiled variants, as far as they are missing."""
        copy_pack(LocalFiles(folder.parent), folder.name, self.files, f"packs/{digest}")

    def read_pack(self, digest: str) -> Pack:
        """The pack that was filed under its digest.

        Raises:
            PackError: it is missing, or does not match its digest.
        """
        pack = described_pack(self.files, f"packs/{digest}")
        if pack.digest != digest:
            raise PackError(
                f"packs/{digest}/pack.json in the store {self.files} does not match its digest",
                "It was changed; delete it there and submit the videos again.",
            )
        return pack

    def pack_folder(self, digest: str, copies: Path) -> Path:
        """A folder of this host with that pack: the one in the store, or a copy below `copies`.

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

    def results(self, recipe: Recipe, video: JobVideo | VideoIndex) -> VideoResults:
        """The results of a video under a recipe; there may be none yet."""
        return VideoResults(self.files, recipe.digest, video.fingerprint)

    # Heartbeats

    def now(self) -> float:
        """Unix time, by the clock of this host."""
        return time.time()

    def write_heartbeat(self, beat: Heartbeat) -> None:
        """Files what a worker process is doing."""
        data = json.dumps(asdict(beat)).encode()
        self.files.write(f"heartbeats/{beat.worker}.json", data, durable=False)

    def delete_heartbeat(self, worker: str) -> None:
        """Removes the heartbeat of a worker process, which no longer works on a chunk."""
        self.files.delete(f"heartbeats/{worker}.json")

    def heartbeats(self) -> list[Heartbeat]:
        """The last heartbeat of every worker process that works on a chunk.

        Damaged ones, and those of other versions of the program, are skipped.
        """
        beats: list[Heartbeat] = []
        names: list[str] = []
        with suppress(DamagedError):
            names = self.files.names("heartbeats")
        for name in names:
            with suppress(StoreError, ValueError, TypeError, KeyError):
                data = self.files.read(f"heartbeats/{name}")
                if data is not None:  # deleted since it was listed
                    beats.append(Heartbeat.from_fields(parsed(data)))
        return beats


def _cancelled_key(job_id: str) -> str:
    return f"cancelled/{job_id}"


def _version_key(version: str) -> str:
    return f"sources/{version}"
