"""`annotate edits`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotate.cli.chosen import chosen_videos
from annotate.cli.draw import WhatArgument
from annotate.cli.options import JsonOption, StoreOption, store_of
from annotate.cli.text import count, say
from annotate.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from annotate.domain.edits import Edit
    from annotate.use_cases.edits import EditState

# How many of an import are named.
MOST_CONFLICTS = 20

UndoOption = Annotated[
    int | None, typer.Option("--undo", metavar="N", min=1, help="Take edit N back.")
]
ExportOption = Annotated[
    Path | None, typer.Option("--export", metavar="FILE", help="Write all edits of a video.")
]
ImportOption = Annotated[
    Path | None,
    typer.Option("--import", metavar="FILE", help="Add the edits of such a file to a video."),
]


def edits(
    what: WhatArgument = None,
    *,
    as_json: JsonOption = False,
    undo: UndoOption = None,
    export_to: ExportOption = None,
    import_from: ImportOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="With --export: replace a file of something else.")
    ] = False,
    store: StoreOption = None,
) -> None:
    """List what reviewers changed in the tracks, take it back, or move it to another store.

    Edits lie beside the tracks of a video and apply wherever tracks are read.
    An undo is an edit too: undo it to have the edit again.

    Examples:

      annotate edits walk.mp4

      annotate edits walk.mp4 --undo 12

      annotate edits walk.mp4 --export walk.edits.json

      annotate edits walk.mp4 --import walk.edits.json
    """
    from annotate.use_cases.edits import Edits, author_here
    from annotate.use_cases.output import is_stdout

    if sum(one is not None for one in (undo, export_to, import_from)) > 1:
        raise UsageError("--undo, --export and --import exclude each other", "Give one of them.")
    the_store, _ = store_of(store)
    job, videos = chosen_videos(the_store, what or [])
    acts = undo is not None or export_to is not None or import_from is not None
    if acts and len(videos) != 1:
        raise UsageError("these are several videos", "Name one: `annotate status` lists them.")
    video = videos[0]
    mine = Edits(the_store, job, video)
    if undo is not None:
        say(f"Edit {mine.undo(undo, author_here()).number} undoes edit {undo}.")
    elif export_to is not None:
        made = count(mine.export(export_to, force=force), "edit")
        # Standard output may be the edits themselves.
        say(f"Wrote {made} of {video.name} to {export_to}.", err=is_stdout(export_to))
    elif import_from is not None:
        brought = mine.bring_in(import_from)
        say(f"Added {count(brought.count, 'edit')} to {video.name}.")
        _print_conflicts(brought.conflicts)
    else:
        states = {one.name: Edits(the_store, job, one).state() for one in videos}
        if as_json:
            typer.echo(json.dumps([_as_json(n, s) for n, s in states.items()], indent=2))
        for name, state in states.items() if not as_json else ():
            _print(name, state)


def _print_conflicts(conflicts: "Sequence[tuple[Edit, Edit]]") -> None:
    for new, old in conflicts[:MOST_CONFLICTS]:
        say(
            f"  edit {new.number} by {new.author} ({_text(new)}) is about the same as edit "
            f"{old.number} by {old.author} ({_text(old)})"
        )
    if len(conflicts) > MOST_CONFLICTS:
        say(f"  and {len(conflicts) - MOST_CONFLICTS} more")
    if conflicts:
        say("The added ones count. Look at them in `annotate review`; --undo N takes one back.")


def _print(name: str, state: "EditState") -> None:
    say(f"{name}: {count(len(state.edits), 'edit')}")
    reasons = {left.edit.number: left.reason for left in state.not_applied}
    for edit in state.edits:
        mark = "undone" if edit.number in state.undone else ""
        if edit.number in reasons:
            mark = f"does not apply: {reasons[edit.number]}"
        say(f"{edit.number:5}  {edit.time}  {edit.author}  {_text(edit)}  {mark}".rstrip())


def _text(edit: "Edit") -> str:
    """What an edit does, in a few words."""
    fields = edit.to_fields()["change"]
    fields.pop("data", None)
    frames = fields.pop("frames", ())
    words = [edit.change.kind.replace("_", " ")]
    for name, value in fields.items():
        if isinstance(value, dict):
            words.append(f"{name} {value['track']} at frame {value['frame']}")
        elif value is not None and name not in ("scores", "landmarks", "axes", "was_x", "was_y"):
            words.append(f"{name} {value}")
    if frames:
        words.append(f"frames {frames[0]} to {frames[-1]}")
    return ", ".join(words)


def _as_json(name: str, state: "EditState") -> dict[str, object]:
    reasons = {left.edit.number: left.reason for left in state.not_applied}
    return {
        "video": name,
        "edits": [
            {
                **edit.to_fields(),
                "undone": edit.number in state.undone,
                "not_applied": reasons.get(edit.number),
            }
            for edit in state.edits
        ],
    }
