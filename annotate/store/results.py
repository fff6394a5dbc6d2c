"""Results of one video under one recipe: its chunks, and what was made of them.

<results>/chunks.json                how the video is cut; its presence makes the video "planned"
<results>/parts/<chunk>.parquet      the poses of a chunk that is done
<results>/damage/<chunk>.json        its frames that cannot be decoded; only where there are some
<results>/damage/<chunk>.fitted.json its frames of another size; likewise
<results>/damage/<chunk>.crowded.json its frames with too many people; likewise
<results>/failures/<unit>.json       why a chunk or the merge is not tried any more
<results>/tracks/<merge>.parquet     the tracks, by the digest of the merge that made them;
                                     `<merge>-<digest>` where chunks had failed, by their names
<results>/edits/                     what reviewers changed in the tracks; see `EditList`

Parquet is loaded where it is read or written: `annotate status` starts without it.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from itertools import starmap
from typing import Any, BinaryIO

from annotate.domain.digests import digest_of
from annotate.domain.errors import DamagedError
from annotate.domain.json_text import parsed
from annotate.domain.poses import PartOutline, Poses
from annotate.domain.track_list import TrackList
from annotate.domain.tracks import Tracks
from annotate.domain.video import Chunk, CrowdedRange, DamagedRange, FittedRange, ProviderRange
from annotate.domain.work import Failure
from annotate.store.damage import damage_named, damaged
from annotate.store.edits import EditList
from annotate.store.files import Files
from annotate.store.frame_notes import FrameNotes, NoteKind, read_notes, write_notes

_PARQUET, _JSON = ".parquet", ".json"


def tracks_name(merge: str, missing: Iterable[Chunk]) -> str:
    """The name of the tracks that a merge makes where some chunks had failed.

    So a listing tells whether the tracks are those of all chunks that are done.
    """
    names = [chunk.name for chunk in missing]
    return f"{merge}-{digest_of({'missing': names})[:8]}" if names else merge


class VideoResults:
    """Reads and writes the results below one key of a store.

    Methods raise StoreError where the store cannot be read or written, and DamagedError where an
    object is damaged.
    """

    def __init__(self, files: Files, recipe: str, fingerprint: str) -> None:
        self._files = files
        self._key = f"results/{recipe}/{fingerprint}"
        self._owner = {"recipe": recipe, "fingerprint": fingerprint}

    @property
    def edits(self) -> EditList:
        """What reviewers changed in the video's tracks, whichever merge made them."""
        return EditList(self._files, f"{self._key}/edits")

    @property
    def chunks_key(self) -> str:
        """Key in the store of the list of chunks."""
        return f"{self._key}/chunks.json"

    def read_chunks(self) -> tuple[Chunk, ...] | None:
        """How the video is cut: at least one chunk, in order; None where it is not planned."""
        key = self.chunks_key
        data = self._files.read(key)
        if data is None:
            return None
        with damage_named(key):
            chunks = tuple(starmap(Chunk, parsed(data)))
            starts, stops = [c.start for c in chunks], [c.stop for c in chunks]
            if starts[:1] + stops[:-1] != [0, *starts[1:]][: len(chunks)]:
                raise ValueError("its chunks do not follow each other")
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
        self._files.write(self.chunks_key, json.dumps(ranges).encode())

    def known_chunks(self) -> list[Chunk]:
        """The chunks that parts and failures are named after, however the video is cut now."""
        found = []
        for name in {*self.parts(), *self._names("failures", _JSON)}:
            with suppress(ValueError, TypeError):
                chunk = Chunk(*map(int, name.split("-")))
                if chunk.name == name:
                    found.append(chunk)
        return sorted(found)

    def parts(self) -> set[str]:
        """Names of the chunks that are done."""
        return set(self._names("parts", _PARQUET))

    def has_part(self, chunk: Chunk) -> bool:
        """Whether the chunk is done."""
        return self._files.exists(self.part_key(chunk))

    def read_part(self, chunk: Chunk) -> Poses:
        """The poses of a chunk that is done."""
        from annotate.store import tables

        key = self.part_key(chunk)
        with self._files.reader(key) as file, damage_named(key):
            poses, facts = tables.read_part(file)
            self._check_owner(facts, {"chunk": [chunk.start, chunk.stop]})
            if len(poses.frame_index) > len(chunk):
                raise ValueError(f"it has {len(poses.frame_index)} frames, more than {len(chunk)}")
            return poses

    def check_part(self, chunk: Chunk, *, deep: bool) -> None:
        """Raises where the part is damaged or another's; `deep`: every page of it is read."""
        from annotate.store import tables

        key = self.part_key(chunk)
        if deep:
            self.read_part(chunk)
            return
        with self._files.reader(key) as file, damage_named(key):
            bounds = {"chunk": [chunk.start, chunk.stop]}
            self._check_owner(tables.read_facts(file), bounds)

    def write_part(self, chunk: Chunk, poses: Poses, facts: dict[str, Any]) -> None:
        """Files the poses of a chunk, which is then done.

        Args:
            facts: JSON-able facts about how the part was made, kept in the file's metadata.
        """
        from annotate.store import tables

        facts = {**facts, **self._owner, "chunk": [chunk.start, chunk.stop]}
        with self._files.writer(self.part_key(chunk)) as file:
            tables.write_part(file, poses, facts)

    def part_outline(self, chunk: Chunk) -> PartOutline:
        """What the part of a chunk says beside its poses."""
        from annotate.store import tables

        with self._files.reader(self.part_key(chunk)) as file, damage_named(self.part_key(chunk)):
            return tables.read_part_outline(file)

    def frame_notes(self) -> FrameNotes:
        """What is noted about frames of chunks."""
        return read_notes(self._files, f"{self._key}/damage")

    def write_damage(self, chunk: Chunk, ranges: Iterable[DamagedRange]) -> None:
        """Files which frames of a chunk are damaged; before its part."""
        write_notes(self._files, f"{self._key}/damage", chunk, ranges)

    def write_notes(
        self, chunk: Chunk, ranges: Iterable[FittedRange | CrowdedRange], kind: NoteKind
    ) -> None:
        """Files which frames of a chunk have another size, or show too many people; likewise."""
        write_notes(self._files, f"{self._key}/damage", chunk, ranges, kind)

    # Failures

    def failures(self) -> dict[str, Failure]:
        """The failures, by the name of their work unit.

        A damaged one still counts: without it, frames that are missing would look done.
        """
        names = self._names("failures", _JSON)
        found = {name: self._counted_failure(name) for name in names}
        return {name: failure for name, failure in found.items() if failure is not None}

    def _counted_failure(self, unit: str) -> Failure | None:
        try:
            return self.read_failure(unit)
        except DamagedError as error:
            hint = "The same `annotate submit` tries it again."
            return Failure(unit, f"why it failed is not known: {error.message}", 1, hint=hint)

    def read_failure(self, unit: str) -> Failure | None:
        """Why the work unit of that name has failed; None where it has not."""
        key = self.failure_key(unit)
        data = self._files.read(key)
        with damage_named(key):
            return None if data is None else Failure.from_fields(unit, parsed(data))

    def has_failure(self, unit: str) -> bool:
        """Whether the work unit of that name has failed."""
        return self._files.exists(self.failure_key(unit))

    def write_failure(self, failure: Failure) -> None:
        """Files why a work unit is not tried any more."""
        self._files.write(self.failure_key(failure.unit), json.dumps(asdict(failure)).encode())

    def delete_failure(self, unit: str) -> None:
        """Lets the work unit of that name be tried again."""
        self._files.delete(self.failure_key(unit))

    # Tracks

    def merges(self) -> list[str]:
        """Names of the tracks that are there, as `tracks_name` gives them."""
        return self._names("tracks", _PARQUET)

    def has_tracks(self, merge: str) -> bool:
        """Whether there are tracks of the merge with that digest, of all chunks or of some."""
        return self._best_tracks(merge) is not None

    def read_tracks(self, merge: str, *, raw: bool = True, world: bool = True) -> Iterator[Tracks]:
        """The blocks of a tracks file, one at a time; of two, those of all chunks.

        That a block is missing is known after the last one.

        Args:
            raw, world: as in `tables.read_tracks`.
        """
        from annotate.store import tables

        with self.open_tracks(merge) as (_, file):
            yield from tables.read_tracks(file, raw=raw, world=world)

    def read_track_list(self, merge: str) -> TrackList:
        """The tracks of a tracks file, a row a track."""
        from annotate.store import tables

        with self.open_tracks(merge) as (_, file):
            return tables.read_track_list(file)

    @contextmanager
    def open_tracks(self, merge: str) -> Iterator[tuple[str, BinaryIO]]:
        """The name of a tracks file, and the file, for `annotate.store.tables` to read parts of."""
        from annotate.store import tables

        name = self._best_tracks(merge) or merge
        with self._files.reader(self.tracks_key(name)) as file, damage_named(self.tracks_key(name)):
            self._check_owner(tables.read_facts(file), {"merge": merge})
            yield name, file

    def missing_chunks(self, merge: str) -> tuple[Chunk, ...]:
        """The chunks that had failed when the tracks were made, in order; usually none."""
        from annotate.store import tables

        with self.open_tracks(merge) as (_, file):
            return tuple(starmap(Chunk, tables.read_facts(file).get("missing", ())))

    def damaged_frames(self, merge: str) -> tuple[DamagedRange, ...]:
        """The damaged frames of the whole video, in order, as the tracks list them."""
        from annotate.store import tables

        with self.open_tracks(merge) as (_, file):
            return tuple(DamagedRange(**one) for one in tables.read_facts(file).get("damaged", ()))

    def providers(self, merge: str) -> tuple[ProviderRange, ...]:
        """What ran the models for which frames, in order; empty in tracks of earlier versions."""
        from annotate.store import tables

        with self.open_tracks(merge) as (_, file):
            found = tables.read_facts(file).get("providers", ())
            return tuple(ProviderRange(**one) for one in found)

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
            facts: JSON-able facts about how the tracks were made, kept in the file's metadata;
                `missing` lists the bounds of the chunks that failed.
            world_axes: of their world landmarks; without any, the file has no columns of them.
        """
        from annotate.store import tables

        name = tracks_name(merge, starmap(Chunk, facts.get("missing", ())))
        with self._files.writer(self.tracks_key(name)) as file:
            facts = {**facts, **self._owner, "merge": merge}
            tables.write_tracks(file, blocks, landmarks, facts, world_axes)
        for other in self.merges():
            if other != name and other.startswith(merge):
                self.delete_tracks(other)

    def delete_tracks(self, name: str) -> None:
        """Lets the merge be done again whose tracks have that name."""
        self._files.delete(self.tracks_key(name))

    def check_tracks(self, key: str, merge: str, *, deep: bool) -> None:
        """Raises where tracks are damaged or another's; `deep`: every page of them is read."""
        from annotate.store import tables

        with self._files.reader(key) as file, damage_named(key):
            self._check_owner(tables.read_facts(file), {"merge": merge})
            for _ in tables.read_tracks(file) if deep else ():
                pass

    def tracks_keys(self, merge: str) -> list[str]:
        """Keys in the store of the tracks of the merge with that digest."""
        return [self.tracks_key(n) for n in self.merges() if n.partition("-")[0] == merge]

    def _best_tracks(self, merge: str) -> str | None:
        if self._files.exists(self.tracks_key(merge)):
            return merge
        names = [name for name in self.merges() if name.partition("-")[0] == merge]
        return min(names, key=len, default=None)

    def _check_owner(self, facts: dict[str, Any], more: dict[str, Any]) -> None:
        """Compares whose file it is with whose it should be; earlier versions wrote less.

        Raises:
            ValueError: it belongs elsewhere.
        """
        for name, own in {**self._owner, **more}.items():
            if facts.get(name, own) != own:
                raise ValueError(f"it belongs to another {name}: {facts[name]}")

    def _names(self, folder: str, ending: str) -> list[str]:
        names = self._files.names(f"{self._key}/{folder}")
        return [name.removesuffix(ending) for name in names if name.endswith(ending)]

    def part_key(self, chunk: Chunk) -> str:
        """Key in the store of the chunk's part."""
        return f"{self._key}/parts/{chunk.name}{_PARQUET}"

    def failure_key(self, unit: str) -> str:
        """Key in the store of the unit's failure."""
        return f"{self._key}/failures/{unit}{_JSON}"

    def tracks_key(self, name: str) -> str:
        """Key in the store of the tracks of that name."""
        return f"{self._key}/tracks/{name}{_PARQUET}"
