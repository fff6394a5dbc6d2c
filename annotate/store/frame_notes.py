"""Notes about frames of a chunk, for readers that start without Parquet: which are damaged, which
have another size than the video, and which show more people than are annotated. All are
in one folder, since to list one costs a request.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

from annotate.domain.errors import DamagedError
from annotate.domain.json_text import parsed
from annotate.domain.video import Chunk, CrowdedRange, DamagedRange, FittedRange
from annotate.store.damage import damage_named
from annotate.store.files import Files

# What the ranges say; damage has no name.
NoteKind: TypeAlias = Literal["", "fitted", "crowded"]
T = TypeVar("T", DamagedRange, FittedRange, CrowdedRange)
_JSON = ".json"


class UnreadableNote(NamedTuple):
    """A note that is not what was written.

    Attributes:
        key: of the note.
        chunk: name of its chunk.
        reason: what is wrong with it.
    """

    key: str
    chunk: str
    reason: str


class FrameNotes(NamedTuple):
    """The ranges of chunks that have some, by the chunk's name.

    Attributes:
        unreadable: key and chunk of each note that is not what was written, and why.
    """

    damaged: dict[str, list[DamagedRange]]
    fitted: dict[str, list[FittedRange]]
    crowded: dict[str, list[CrowdedRange]]
    unreadable: list[UnreadableNote]


def read_notes(files: Files, folder: str) -> FrameNotes:
    """All notes below a key."""
    notes = FrameNotes({}, {}, {}, [])
    for name in files.names(folder):
        key, stem = f"{folder}/{name}", name.removesuffix(_JSON)
        if stem == name:
            continue
        chunk, _, kind = stem.partition(".")
        try:
            data = files.read(key)
            if data is not None:  # else deleted since it was listed
                with damage_named(key):
                    _add(notes, chunk, kind, parsed(data))
        except DamagedError as error:
            notes.unreadable.append(UnreadableNote(key, chunk, error.message))
    return notes


def _add(notes: FrameNotes, chunk: str, kind: str, ranges: Any) -> None:
    if kind == "fitted":
        notes.fitted[chunk] = [_checked(FittedRange(**one)) for one in ranges]
    elif kind == "crowded":
        notes.crowded[chunk] = [_checked(CrowdedRange(**one)) for one in ranges]
    else:
        notes.damaged[chunk] = [_checked(DamagedRange(**one)) for one in ranges]


def _checked(one: T) -> T:
    for name, value in vars(one).items():
        if not isinstance(value, str if name == "reason" else int):
            raise TypeError(f"its {name} is {value!r:.20}")
    return one


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
