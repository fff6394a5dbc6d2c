"""Finds and deletes what no job of the store needs any more."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotate.domain.errors import BusyJobError
from annotate.domain.job import Job
from annotate.domain.settings import Settings
from annotate.queue.claims import check_unclaimed
from annotate.store import Store
from annotate.store.damage import ASIDE
from annotate.store.files import Entry
from annotate.use_cases.announce import is_submitting
from annotate.use_cases.job_snapshot import living_heartbeats

KINDS = (
    *("jobs", "order", "cancelled", "working", "results", "videos", "packs", "heartbeats"),
    *("clock", "reading", ASIDE),
)
LEFTOVERS = "leftovers"
# Work of people, which is listed apart from the results that it lies in.
EDITS = "edits"
# Seconds after which a temporary file was left by a killed writer: longer than the longest write.
LEFTOVER_AGE_S = 86400.0
# Seconds for which objects that no job needs are kept: a submission writes its indexes and chunks
# before its manifest.
YOUNG_S = 3600.0


@dataclass(frozen=True)
class Garbage:
    """Objects of one kind that can be deleted.

    Attributes:
        kind: a folder of the store, `edits` of reviewers, or `leftovers` of killed writers.
        entries: the objects.
    """

    kind: str
    entries: tuple[Entry, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(entry.size for entry in self.entries)


def garbage(store: Store, jobs: Sequence[str] = ()) -> list[Garbage]:
    """What no job needs, kind by kind; what a submission may have written just now is kept.

    Args:
        jobs: ids of jobs that are to be deleted too, with all that only they need.

    Raises:
        UsageError: there is no such job.
    """
    kept = [job_id for job_id in store.job_ids() if job_id not in jobs]
    deleted = _folders(store, [store.read_job(job_id) for job_id in jobs])
    needed = _folders(store, [store.read_job(job_id) for job_id in kept])
    entries = [entry for kind in KINDS for entry in store.files.walk(kind)]
    now = store.clock()
    found: dict[str, list[Entry]] = {kind: [] for kind in (*KINDS, EDITS, LEFTOVERS)}
    for entry in entries:
        age_s = now - entry.modified_s
        if entry.left:
            if age_s > LEFTOVER_AGE_S:
                found[LEFTOVERS].append(entry)
        elif not _is_in(entry, needed) and (age_s > YOUNG_S or _is_in(entry, deleted)):
            found[_kind(entry)].append(entry)
    return [Garbage(kind, tuple(some)) for kind, some in found.items() if some]


def remove(store: Store, found: Sequence[Garbage]) -> None:
    """Deletes it. Manifests go first: a job without its results would look unfinished.

    Raises:
        BusyJobError: a job is being submitted, which may need some of it.
    """
    if is_submitting(store):
        raise BusyJobError(
            "a job is being submitted to this store, and may need what would be deleted",
            "Wait until `annotate submit` has read its videos, then run the same command again.",
        )
    for one in sorted(found, key=lambda garbage: garbage.kind != "jobs"):
        for entry in one.entries:
            store.files.delete(entry.key)


def check_idle(store: Store, settings: Settings, jobs: Sequence[str]) -> None:
    """Checks that no worker or command works on these jobs.

    Raises:
        BusyJobError: one does.
    """
    for beat in living_heartbeats(store, settings):
        if beat.job in jobs:
            raise BusyJobError(
                f"worker {beat.worker} works on job {beat.job}",
                f"`annotate cancel {beat.job}` first; its workers stop within seconds.",
            )
    for job_id in jobs:
        # By another host's clock its heartbeats may look old.
        check_unclaimed(store, job_id)


def _folders(store: Store, jobs: Sequence[Job]) -> frozenset[str]:
    """What these jobs need: keys of objects, or of folders with all that is in them."""
    keys: set[str] = set()
    order = {name.partition("-")[2]: name for name in store.files.names("order")}
    for job in jobs:
        keys |= {f"jobs/{job.id}.json", f"cancelled/{job.id}", f"packs/{job.recipe.pack}"}
        keys |= {f"working/{job.id}.json", f"order/{order.get(job.id)}"}
        for video in job.videos:
            keys.add(f"videos/{video.fingerprint}")
            keys.add(f"results/{job.recipe.digest}/{video.fingerprint}")
    return frozenset(keys)


def _kind(entry: Entry) -> str:
    """Of an object: `results/RECIPE/VIDEO/edits/000001.json` is an edit."""
    names = entry.key.split("/")
    return EDITS if names[0] == "results" and EDITS in names[3:-1] else names[0]


def _is_in(entry: Entry, folders: frozenset[str]) -> bool:
    """Whether an object is one of `folders` or in one of them."""
    names = entry.key.split("/")
    return any("/".join(names[:depth]) in folders for depth in range(2, len(names) + 1))
