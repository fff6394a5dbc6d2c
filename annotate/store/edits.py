"""The edit list of a video: an object an edit, numbered from 1, which nothing replaces.

<results>/edits/000001.json
"""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from annotate.domain.changes import CHANGES, Change
from annotate.domain.edits import Edit
from annotate.domain.errors import EditError, NewerEditError
from annotate.domain.json_text import parsed
from annotate.store.damage import damaged
from annotate.store.files import Files

_JSON = ".json"
# What to do about a damaged edit.
_LOST = (
    "Bring the file back from a backup. Nothing makes it again: `annotate check --repair` sets it "
    "aside, and the other edits stay."
)
# What to do about an edit of an unknown kind.
_NEWER = (
    "This version does not know it: update annotate on this host to the version that the edit was "
    "made with."
)
# How many edits are read at a time: a bucket answers each in some milliseconds.
_AT_A_TIME = 16


class EditList:
    """Reads and writes the edits below one key of a store.

    Every method raises StoreError where the store cannot be read or written, DamagedError where an
    object is not an edit, and NewerEditError where it is one that this version does not know.
    """

    def __init__(self, files: Files, key: str) -> None:
        self._files, self._key = files, key

    def numbers(self) -> list[int]:
        """Of all edits, increasing."""
        stems = [n.removesuffix(_JSON) for n in self._files.names(self._key) if n.endswith(_JSON)]
        return sorted(int(stem) for stem in stems if stem.isdecimal())

    def read(self, after: int = 0) -> list[Edit]:
        """The edits with higher numbers than `after`, in order, undone ones included."""
        numbers = [number for number in self.numbers() if number > after]
        if not numbers:
            return []
        with ThreadPoolExecutor(min(_AT_A_TIME, len(numbers))) as threads:
            return [*threads.map(self.read_one, numbers)]

    def read_one(self, number: int) -> Edit:
        """The edit of that number."""
        key = self.key(number)
        try:
            found = parsed(self._files.read(key) or b"")
            kind = found.get("kind") if isinstance(found, dict) else None
            if isinstance(kind, str) and kind not in CHANGES:
                raise NewerEditError(
                    f"{key} in the store is an edit of the kind {kind!r:.40}", _NEWER
                )
            edit = Edit.from_fields(found)
        except (ValueError, EditError) as error:
            raise damaged(key, str(error), _LOST) from error
        if edit.number != number:
            raise damaged(key, f"it is number {edit.number}", _LOST)
        return edit

    def add(
        self,
        change: Change,
        author: str,
        tracks: str,
        check: Callable[[list[Edit]], None],
        after: int = 0,
    ) -> Edit:
        """Files a change under the next free number.

        Args:
            author, tracks: as in `Edit`.
            check: gets the edits of others since `after`, each time there are new ones; what it
                raises ends this.
            after: number of the last edit that the author has seen.
        """
        while True:
            newer = self.read(after)
            check(newer)
            after = max([after, *(edit.number for edit in newer)])
            when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            edit = Edit(after + 1, author, when, tracks, change)
            text = json.dumps(edit.to_fields(), indent=1) + "\n"
            if self._files.create(self.key(edit.number), text.encode()):
                return edit

    def bring_in(self, edit: Edit) -> int:
        """Files an edit of another store under the next free number, which it returns."""
        while True:
            number = max([0, *self.numbers()]) + 1
            text = json.dumps(replace(edit, number=number).to_fields(), indent=1) + "\n"
            if self._files.create(self.key(number), text.encode()):
                return number

    def key(self, number: int) -> str:
        """Key in the store of an edit."""
        return f"{self._key}/{number:06d}{_JSON}"
