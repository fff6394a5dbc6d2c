"""Results of one video under one recipe: its chunks, and what was made of them.

<results>/chunks.json                how the video is cut; its presence makes the video "planned"
<results>/parts/<chunk>.parquet      the poses of a chunk that is done
<results>/failures/<unit>.json       why a chunk or the merge is not tried any more
<results>/tracks/<merge>.parquet     the tracks, by the digest of the merge that made them

Parquet is loaded where it is read or written: `annotate status` starts without it.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import starmap
from typing import Any

from annotate.domain.poses import Poses
from annotate.domain.track_list import TrackList
from annotate.domain.tracks import Tracks
from annotate.domain.video import Chunk
from annotate.domain.work import Failure
from annotate.store.damage import damage_named, damaged
from annotate.store.files import Files

_PARQUET, _JSON = ".parquet", ".json"


class VideoResults:
    """Reads and writes the results below one key of a store.

    Every method raises StoreError where the store cannot be read or written, and DamagedError where
    an object is not what was written.
    """

    def __init__(self, files: Files, key: str) -> None:
        self._files = files
        self._key = key

    # Chunks

    def read_chunks(self) -> tuple[Chunk, ...] | None:
        """How the video is cut: at least one chunk, in order; None where it is not planned."""
        key = f"{self._key}/chunks.json"
        data = self._files.read(key)
        if data is None:
            return None
        with damage_named(key):
            chunks = tuple(starmap(Chunk, json.loads(data)))
        if not chunks:
            raise damaged(key, "it lists no chunk")
        return chunks

    def write_chunks(self, chunks: Iterable[Chunk]) -> None:
        """Plans the video: files how it is cut.

        Raises:
            ValueError: there is no chunk.
        """
        ranges = [[chunk.start, chunk.stop] for chunk in chunks]
        if not ranges:
            raise ValueError("a video is cut into at least one chunk")
        self._files.write(f"{self._key}/chunks.json", json.dumps(ranges).encode())

    # Parts

    def parts(self) -> set[str]:
        """Names of the chunks that are done."""
        return set(self._names("parts", _PARQUET))

    def has_part(self, chunk: Chunk) -> bool:
        """Whether the chunk is done."""
        return self._files.exists(self._part(chunk))

    def read_part(self, chunk: Chunk) -> Poses:
        """The poses of a chunk that is done."""
        from annotate.store import tables

        key = self._part(chunk)
        with self._files.reader(key) as file, damage_named(key):
            return tables.read_part(file)

    def write_part(self, chunk: Chunk, poses: Poses, facts: dict[str, Any]) -> None:
        """Files the poses of a chunk, which is then done.

        Args:
            facts: JSON-able facts about how the part was made, kept in the file's metadata.
        """
        from annotate.store import tables

        with self._files.writer(self._part(chunk)) as file:
            tables.write_part(file, poses, facts)

    # Failures

    def failures(self) -> dict[str, Failure]:
        """The failures, by the name of their work unit."""
        found = {}
        for name in self._names("failures", _JSON):
            key = self._failure(name)
            data = self._files.read(key)
            if data is not None:  # deleted since it was listed
                with damage_named(key):
                    found[name] = Failure(**json.loads(data))
        return found

    def has_failure(self, unit: str) -> bool:
        """Whether the work unit of that name has failed."""
        return self._files.exists(self._failure(unit))

    def write_failure(self, failure: Failure) -> None:
        """Files why a work unit is not tried any more."""
        self._files.write(self._failure(failure.unit), json.dumps(asdict(failure)).encode())

    def delete_failure(self, unit: str) -> None:
        """Lets the work unit of that name be tried again."""
        self._files.delete(self._failure(unit))

    # Tracks

    def merges(self) -> list[str]:
        """Digests of the merges whose tracks are there."""
        return self._names("tracks", _PARQUET)

    def has_tracks(self, merge: str) -> bool:
        """Whether the merge with that digest is done."""
        return self._files.exists(self._tracks(merge))

    def read_tracks(self, merge: str) -> Iterator[Tracks]:
        """The blocks of a tracks file, one at a time."""
        from annotate.store import tables

        key = self._tracks(merge)
        with self._files.reader(key) as file, damage_named(key):
            yield from tables.read_tracks(file)

    def read_track_list(self, merge: str) -> TrackList:
        """The tracks of a tracks file, a row a track."""
        from annotate.store import tables

        key = self._tracks(merge)
        with self._files.reader(key) as file, damage_named(key):
            return tables.read_track_list(file)

    def missing_chunks(self, merge: str) -> tuple[Chunk, ...]:
        """The chunks that had failed when the tracks were made, in order; usually none."""
        from annotate.store import tables

        key = self._tracks(merge)
        with self._files.reader(key) as file, damage_named(key):
            return tuple(starmap(Chunk, tables.read_facts(file)["missing"]))

    def write_tracks(
        self,
        merge: str,
        blocks: Iterable[Tracks],
        landmarks: int,
        facts: dict[str, Any],
        world_axes: int = 0,
    ) -> None:
        """Files the tracks, and the merge is then done; blocks are consumed as they are written.

        Args:
            merge: digest of the merge.
            landmarks: how many each pose has.
            facts: JSON-able facts about how the tracks were made, kept in the file's metadata.
            world_axes: of their world landmarks; without any, the file has no columns of them.
        """
        from annotate.store import tables

        with self._files.writer(self._tracks(merge)) as file:
            tables.write_tracks(file, blocks, landmarks, facts, world_axes)

    def delete_tracks(self, merge: str) -> None:
        """Lets the merge with that digest be done again."""
        self._files.delete(self._tracks(merge))

    def _names(self, folder: str, ending: str) -> list[str]:
        names = self._files.names(f"{self._key}/{folder}")
        return [name.removesuffix(ending) for name in names]

    def _part(self, chunk: Chunk) -> str:
        return f"{self._key}/parts/{chunk.name}{_PARQUET}"

    def _failure(self, unit: str) -> str:
        return f"{self._key}/failures/{unit}{_JSON}"

    def _tracks(self, merge: str) -> str:
        return f"{self._key}/tracks/{merge}{_PARQUET}"
