"""What no job of the store needs any more."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from annotate.store import Store
from annotate.store.files import Entry

# What a writer has left is no older than the longest write, and somebody may still be at it.
LEFT_S = 86400.0
# A submission files its index and its chunks before its manifest.
YOUNG_S = 3600.0


@dataclass(frozen=True)
class Garbage:
    """What may go.

    Attributes:
        kind: the store's folder, or `leftovers` of writers that were killed.
        entries: its objects.
    """

    kind: str
    entries: tuple[Entry, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(entry.size for entry in self.entries)


def garbage(store: Store, jobs: Sequence[str] = ()) -> list[Garbage]:
    """What no job needs, kind by kind; what is less than an hour old is left alone.

    Args:
        jobs: ids of jobs that are to go as well, at once, with all that only they need.

    Raises:
        UsageError: there is no such job.
    """
    for job in jobs:
        store.read_job(job)
    kept = [store.read_job(job) for job in store.job_ids() if job not in jobs]
    needed: dict[str, set[tuple[str, ...]]] = {
        "jobs": {(f"{job.id}.json",) for job in kept},
        "cancelled": {(job.id,) for job in kept},
        "results": {(job.recipe.digest, video.fingerprint) for job in kept for video in job.videos},
        "videos": {(video.fingerprint,) for job in kept for video in job.videos},
        "packs": {(job.recipe.pack,) for job in kept},
        "heartbeats": set(),
    }
    now = time.time()
    young = now - (0.0 if jobs else YOUNG_S)
    found: list[Garbage] = []
    left: list[Entry] = []
    for kind, names in needed.items():
        depth = 2 if kind == "results" else 1
        entries = store.files.walk(kind)
        left += [e for e in entries if e.left and e.modified_s < now - LEFT_S]
        rest = [e for e in entries if not e.left and e.modified_s < young]
        unneeded = [e for e in rest if tuple(e.key.split("/")[1 : 1 + depth]) not in names]
        found.append(Garbage(kind, tuple(unneeded)))
    found.append(Garbage("leftovers", tuple(left)))
    return [one for one in found if one.entries]


def remove(store: Store, found: Sequence[Garbage]) -> None:
    """Deletes it. Manifests go first: a job without its results would look unfinished."""
    for one in sorted(found, key=lambda garbage: garbage.kind != "jobs"):
        for entry in one.entries:
            store.files.delete(entry.key)
