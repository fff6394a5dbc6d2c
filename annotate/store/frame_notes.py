"""Notes about frames of a chunk, for readers that start without Parquet: which are damaged, which
have another size than the video, and which show more people than are annotated. All are
in one folder, since to list one costs a request.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Literal, NamedTuple, TypeAlias

from annotate.domain.video import Chunk, CrowdedRange, DamagedRange, FittedRange
from annotate.store.damage import damage_named
from annotate.store.files import Files

# What the ranges say; damage has no name.
NoteKind: TypeAlias = Literal["", "fitted", "crowded"]
_JSON = ".json"


class FrameNotes(NamedTuple):
    """The ranges of chunks that have some, by the chunk's name."""

    damaged: dict[str, list[DamagedRange]]
    fitted: dict[str, list[FittedRange]]
    crowded: dict[str, list[CrowdedRange]]


def read_notes(files: Files, folder: str) -> FrameNotes:
    """All notes below a key.

    Raises:
        DamagedError: one of them is not what was written.
    """
    notes = FrameNotes({}, {}, {})
    for name in files.names(folder):
        key, stem = f"{folder}/{name}", name.removesuffix(_JSON)
        data = files.read(key) if stem != name else None
        if data is None:  # deleted since it was listed
            continue
        chunk, _, kind = stem.partition(".")
        with damage_named(key):
            ranges = json.loads(data)
            if kind == "fitted":
                notes.fitted[chunk] = [FittedRange(**one) for one in ranges]
            elif kind == "crowded":
                notes.crowded[chunk] = [CrowdedRange(**one) for one in ranges]
            else:
                notes.damaged[chunk] = [DamagedRange(**one) for one in ranges]
    return notes


def write_notes(
    files: Files,
    folder: str,
    chunk: Chunk,
    ranges: Iterable[DamagedRange | FittedRange | CrowdedRange],
    kind: NoteKind = "",
) -> None:
    """Files the notes of a chunk, of one kind; that of damage has no name."""
    data = json.dumps([asdict(one) for one in ranges]).encode()
    files.write(f"{folder}/{chunk.name}{kind and '.'}{kind}{_JSON}", data)
