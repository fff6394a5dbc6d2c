"""The edits of a video: made, undone, listed, moved between stores."""

import getpass
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import orjson

from annotate.domain.changes import Change, MarkReviewed, NameTrack, Undo
from annotate.domain.edits import Edit, active, meant_by, undone
from annotate.domain.errors import EditConflictError, EditError, UsageError, unreadable
from annotate.domain.job import Job, JobVideo
from annotate.edits import NotApplied, edited
from annotate.store import Store
from annotate.use_cases.final_tracks import tracks_basis
from annotate.use_cases.output import output_file

_FORMAT = "annotate-edits"
# How such a file begins.
_SIGNATURE = f'{{\n  "format": "{_FORMAT}"'.encode()


def author_here() -> str:
    """Who makes edits on this host: the name of the account."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may have no name for its user
        return "unknown"


@dataclass(frozen=True)
class EditState:
    """All edits of a video, and what became of them.

    Attributes:
        edits: in order.
        undone: numbers of those that were taken back.
        not_applied: those that count but do not fit the tracks as they are now.
    """

    edits: tuple[Edit, ...]
    undone: frozenset[int]
    not_applied: tuple[NotApplied, ...]


@dataclass(frozen=True)
class Brought:
    """What `Edits.bring_in` did.

    Attributes:
        count: how many edits were added.
        conflicts: an added edit and one of this store that is not in the file, where one changes
            what the other was made for: their authors had not seen each other's.
    """

    count: int
    conflicts: tuple[tuple[Edit, Edit], ...]


class Edits:
    """The edits of one video of a job.

    Every method raises StoreError where the store cannot be read or written.
    """

    def __init__(self, store: Store, job: Job, video: JobVideo) -> None:
        self._store, self._job, self._video = store, job, video
        self._list = store.results(job.recipe, video).edits

    def state(self) -> EditState:
        """All edits, and which of them apply."""
        edits = self._list.read()
        taken_back = undone(edits)
        left: tuple[NotApplied, ...] = ()
        results = self._store.results(self._job.recipe, self._video)
        if active(edits) and results.has_tracks(self._job.merge_digest):
            outline, basis = tracks_basis(self._store, self._job, self._video)
            left = edited(outline, edits, basis).not_applied
        return EditState(tuple(edits), taken_back, left)

    def add(self, change: Change, author: str, after: int | None = None) -> Edit:
        """Files a change.

        Args:
            author: who makes it.
            after: number of the last edit that the author has seen; None: all.

        Raises:
            EditConflictError: the same was changed meanwhile, by whatever author: reviewers may
                share an account.
            EditError: the change does not fit the tracks; nothing is filed.
        """
        known = self._list.read()
        last = known[-1].number if known else 0
        seen = last if after is None else min(max(after, 0), last)
        # First: what another reviewer did may be the reason why the change does not fit any more.
        _check_conflicts(change, known, [edit for edit in known if edit.number > seen])
        outline, basis = tracks_basis(self._store, self._job, self._video)
        own = Edit(last + 1, author, "", basis.tracks, change)
        if isinstance(change, Undo):
            self._check_undo(change, known)
        else:
            for one in edited(outline, [*known, own], basis).not_applied:
                if one.edit is own:
                    raise EditError(f"the edit does not fit: {one.reason}", "Nothing was changed.")
        check = partial(_check_conflicts, change, known)
        return self._list.add(change, author, basis.tracks, check, seen)

    def undo(self, number: int, author: str, after: int | None = None) -> Edit:
        """Takes an edit back; arguments and errors as for `add`."""
        return self.add(Undo(number), author, after)

    def export(self, path: Path, *, force: bool = False) -> int:
        """Writes all edits to a JSON file; returns how many.

        Args:
            force: replace a file that holds something else.

        Raises:
            UsageError: `path` is a folder, its folder does not exist, or it is a file that holds
                something else.
            OutputError: it cannot be written.
        """
        edits = self._list.read()
        content = {
            "format": _FORMAT,
            "fingerprint": self._video.fingerprint,
            "video": self._video.name,
            "edits": [edit.to_fields() for edit in edits],
        }
        text = orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        with output_file(path, (_SIGNATURE,), force=force) as file:
            file.write(text)
        return len(edits)

    def bring_in(self, path: Path) -> Brought:
        """Adds the edits of a file that `export` wrote, with their authors, after those that are
        there, and so over them. Edits that are there already are not added again.

        Raises:
            UsageError: it is not such a file, or one of another video.
        """
        edits = _read_file(path, self._video)
        before = self._list.read()
        known = {_identity(edit): edit.number for edit in before}
        numbers: dict[int, int] = {}
        added = []
        for edit in edits:
            change = edit.change
            if isinstance(change, Undo):
                change = replace(change, edit=numbers.get(change.edit, change.edit))
            there = replace(edit, change=change)
            if (found := known.get(_identity(there))) is None:
                found = self._list.bring_in(there)
                added.append(replace(there, number=found))
            numbers[edit.number] = found
        shared = set(numbers.values())
        own = [edit for edit in before if edit.number not in shared]
        return Brought(len(added), _conflicts(own, added))

    def _check_undo(self, change: Undo, known: list[Edit]) -> None:
        if change.edit not in {edit.number for edit in known}:
            raise EditError(f"there is no edit {change.edit}", "`annotate edits` lists them.")
        if change.edit in undone(known):
            raise EditError(f"edit {change.edit} is undone already", "`annotate edits` lists them.")


def _check_conflicts(change: Change, known: list[Edit], newer: list[Edit]) -> None:
    """Raises where a newer edit touches what the author of the change must have seen."""
    meant = meant_by([*known, *newer])
    own = meant(change)
    seen = own.span if isinstance(change, Undo) else own.seen
    for edit in newer:
        other = meant(edit.change)
        if seen.meets(other.span):
            raise EditConflictError(
                f"{edit.author} has {_done(other)} just now (edit {edit.number}, "
                f"{edit.change.kind})",
                "Look at it, then make your edit again, or undo theirs.",
            )


def _conflicts(own: list[Edit], added: list[Edit]) -> tuple[tuple[Edit, Edit], ...]:
    """Pairs of edits that count and that were made without knowing of each other."""
    taken_back = undone([*own, *added])

    def counts(edit: Edit) -> bool:
        return edit.number not in taken_back and not isinstance(edit.change, Undo)

    return tuple(
        (new, old)
        for new in filter(counts, added)
        for old in filter(counts, own)
        if new.change.seen.meets(old.change.span) or old.change.seen.meets(new.change.span)
    )


def _done(change: Change) -> str:
    """What another reviewer has done, in a few words."""
    if isinstance(change, NameTrack):
        return f"named the same track {change.name!r}"
    if isinstance(change, MarkReviewed):
        return f"marked the same frames as {'' if change.reviewed else 'not '}reviewed"
    return "changed the same track"


def _identity(edit: Edit) -> bytes:
    """Equal for the same edit in two stores, where it may have another number."""
    fields = edit.to_fields()
    del fields["number"]
    return orjson.dumps(fields)


def _read_file(path: Path, video: JobVideo) -> list[Edit]:
    try:
        content = orjson.loads(path.read_bytes())
    except OSError as error:
        raise unreadable(path, error) from error
    except ValueError as error:
        raise UsageError(f"{path} is not a file of edits: {error}", _WANTED) from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise UsageError(f"{path} is not a file of edits", _WANTED)
    if content.get("fingerprint") != video.fingerprint:
        raise UsageError(
            f"the edits in {path} are of another video: {content.get('video')!s:.80}",
            "Name the video that holds the same bytes.",
        )
    try:
        edits = [Edit.from_fields(one) for one in content["edits"]]
    except (EditError, KeyError, TypeError) as error:
        raise UsageError(f"{path} holds what is not an edit: {error}", _WANTED) from error
    return sorted(edits, key=lambda edit: edit.number)


_WANTED = "Name a file that `annotate edits --export` wrote."
