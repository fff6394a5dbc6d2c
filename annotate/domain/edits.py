"""Edits: changes that reviewers made, as small records beside the tracks that never change."""

import math
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, Self, get_args, get_origin, get_type_hints

from annotate.domain.changes import CHANGES, Change, TrackRef, Undo
from annotate.domain.errors import EditError


@dataclass(frozen=True)
class Edit:
    """A change that a reviewer made.

    Attributes:
        number: from 1, in the order in which they apply.
        author: who made it.
        time: when, in UTC, as `2026-01-02T03:04:05Z`.
        tracks: which tracks of the video it was made on: recipe and name of the merge.
        change: what it does.
    """

    number: int
    author: str
    time: str
    tracks: str
    change: Change

    def to_fields(self) -> dict[str, Any]:
        """As JSON-able fields."""
        own = {name: getattr(self, name) for name in ("number", "author", "time", "tracks")}
        return {**own, "kind": self.change.kind, "change": asdict(self.change)}

    @classmethod
    def from_fields(cls, found: Any) -> Self:
        """Inverse of `to_fields`.

        Raises:
            EditError: the fields are not those of an edit.
        """
        try:
            own = {name: found[name] for name in ("number", "author", "time", "tracks")}
            change = change_from(found["kind"], found["change"])
        except (KeyError, TypeError) as error:
            raise EditError(f"not an edit: {error!r}") from error
        if type(own["number"]) is not int or own["number"] < 1:
            raise EditError(f"not an edit: {own['number']!r} is not a number from 1")
        return cls(
            **{**own, **{name: str(own[name]) for name in own if name != "number"}}, change=change
        )


def undone(edits: Iterable[Edit]) -> frozenset[int]:
    """Numbers of the edits that were taken back by an `Undo` that counts."""
    found: set[int] = set()
    for edit in sorted(edits, key=lambda one: -one.number):
        if isinstance(edit.change, Undo) and edit.number not in found:
            found.add(edit.change.edit)
    return frozenset(found)


def active(edits: Sequence[Edit]) -> list[Edit]:
    """Those that count, in order: neither undone, nor `Undo` themselves."""
    left = undone(edits)
    kept = (one for one in edits if not isinstance(one.change, Undo) and one.number not in left)
    return sorted(kept, key=lambda one: one.number)


def meant_by(edits: Iterable[Edit]) -> Callable[[Change], Change]:
    """What changes are about, after these edits: an `Undo` is about the undone one."""
    by_number = {edit.number: edit.change for edit in edits}

    def meant(change: Change) -> Change:
        seen: set[int] = set()
        while isinstance(change, Undo) and change.edit not in seen and change.edit in by_number:
            seen.add(change.edit)
            change = by_number[change.edit]
        return change

    return meant


def change_from(kind: Any, found: Any) -> Change:
    """A change of its fields.

    Raises:
        EditError: there is no such kind, or a field is missing, unknown or not of its type.

    >>> change_from("review", {"start": 0, "stop": 5})
    MarkReviewed(start=0, stop=5, reviewed=True)
    """
    if not isinstance(kind, str) or kind not in CHANGES or not isinstance(found, dict):
        raise EditError(f"there is no kind of edit {kind!r}", f"There are: {', '.join(CHANGES)}.")
    made: Change = _made(CHANGES[kind], found, kind)
    return made


def _made(cls: type[Any], found: Mapping[str, Any], where: str) -> Any:
    hints = get_type_hints(cls)
    wanted = {one.name: one for one in fields(cls)}
    missing = {name for name, one in wanted.items() if one.default is MISSING} - set(found)
    if missing or set(found) - set(wanted):
        wrong = sorted(missing or set(found) - set(wanted))
        raise EditError(f"{where}: {'lacks' if missing else 'has no'} {', '.join(wrong)}")
    return cls(**{name: _value(hints[name], found[name], f"{where}.{name}") for name in found})


def _value(kind: Any, value: Any, where: str) -> Any:
    """A value of a file, checked against the type of its field."""
    if get_origin(kind) is types.UnionType:  # of a type and None
        return None if value is None else _value(get_args(kind)[0], value, where)
    if get_origin(kind) is tuple and isinstance(value, list | tuple):
        inner = get_args(kind)
        if inner[-1] is not Ellipsis and len(inner) != len(value):
            raise EditError(f"{where}: {len(value)} values instead of {len(inner)}")
        return tuple(_value(inner[0], one, where) for one in value)
    if kind is TrackRef and isinstance(value, dict):
        return _made(TrackRef, value, where)
    if kind is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if (
        type(value) is kind
        and kind in (int, str, bool)
        and abs(value if kind is int else 0) < 2**63
    ):
        return value
    raise EditError(f"{where}: {value!r:.60} is not valid")
