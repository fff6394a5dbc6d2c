"""Notes about frames of a chunk, for readers that start without Parquet: which are damaged, and
which have another size than the video. All are in one folder, since to list one costs a request.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import NamedTuple

from annotate.domain.video import Chunk, DamagedRange, FittedRange
from annotate.store.damage import damage_named
from annotate.store.files import Files

_FITTED, _JSON = ".fitted", ".json"


class FrameNotes(NamedTuple):
    """The ranges of chunks that have some, by the chunk's name."""

    damaged: dict[str, list[DamagedRange]]
    fitted: dict[str, list[FittedRange]]


def read_notes(files: Files, folder: str) -> FrameNotes:
    """All notes below a key.

    Raises:
        DamagedError: one of them is not what was written.
    """
    notes = FrameNotes({}, {})
    for name in files.names(folder):
        key, stem = f"{folder}/{name}", name.removesuffix(_JSON)
        data = files.read(key) if stem != name else None
        if data is None:  # deleted since it was listed
            continue
        with damage_named(key):
            ranges = json.loads(data)
            if stem.endswith(_FITTED):
                chunk = stem.removesuffix(_FITTED)
                notes.fitted[chunk] = [FittedRange(**one) for one in ranges]
            else:
                notes.damaged[stem] = [DamagedRange(**one) for one in ranges]
    return notes


def write_notes(
    files: Files,
    folder: str,
    chunk: Chunk,
    ranges: Iterable[DamagedRange] | Iterable[FittedRange],
    *,
    fitted: bool = False,
) -> None:
    """Files the notes of a chunk, of one kind."""
    data = json.dumps([asdict(one) for one in ranges]).encode()
    files.write(f"{folder}/{chunk.name}{_FITTED if fitted else ''}{_JSON}", data)
