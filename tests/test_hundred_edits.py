"""A hundred random edits, made as the review page makes them, over two runs of it: taken back, the
export has the bytes of the beginning.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from annotate.domain.changes import CHANGES, Undo
from annotate.domain.edits import Edit
from annotate.domain.errors import EditError
from annotate.domain.export_options import ExportOptions
from annotate.domain.job import Job
from annotate.domain.settings import settings_from
from annotate.review.session import Session
from annotate.store import Store, open_store
from annotate.use_cases.export import export
from tests.made_review import people_of, write_job

EDITS, FRAMES = 100, 60


def session_of(store: Store, job: Job, folder: Path) -> Session:
    return Session(store, settings_from({}, store=str(folder)), job)


def random_edit(session: Session, random: np.random.Generator) -> Edit:
    """One edit of a random kind, which may be refused."""
    opened = session.video(0).tracks
    view = opened.view()
    ids = view.tracks.outline.track_list.track_id
    track, other = (int(random.choice(ids)) for _ in range(2))
    frame, *ends = random.integers(FRAMES, size=3).tolist()
    start, stop = min(ends), max(ends) + 1
    own = {"track": track, "frame": frame}
    x, y, was_x, was_y = random.uniform(0, 300, 4).tolist()
    place = {"x": x, "y": y, "was_x": was_x, "was_y": was_y, "between": bool(frame % 2)}
    changes: dict[str, dict[str, Any]] = {
        "name": {"track": own, "name": f"Ada {frame}"},
        "merge": {"track": own, "other": {"track": other, "frame": frame}},
        "split": {"track": own, "frame": frame},
        "swap_tracks": {"track": own, "other": {"track": other, "frame": frame}, "frame": frame},
        "delete": {"track": own, "start": start, "stop": min(stop, start + 5)},
        "add": {},  # the server makes it, where a gap is filled
        "move": {"track": own, "keypoint": "left_wrist", **place},
        "hide": {"track": own, "keypoint": "nose", "hidden": bool(frame % 2)},
        "swap_sides": {"track": own, "start": start, "stop": stop},
        "review": {"start": start, "stop": stop, "reviewed": bool(frame % 3)},
        "undo": {"edit": int(random.integers(1, view.last + 2))},
    }
    assert set(changes) == set(CHANGES)
    kind = str(random.choice([*changes]))
    if kind == "add":
        return session.fill(0, {"track": track, "start": start, "stop": stop}, view.last)
    return session.add(0, kind, changes[kind], view.last)


def exported(store: Store, job: Job, out: Path) -> bytes:
    export(store, job, ExportOptions(out=out))
    return out.read_bytes()


def test_a_hundred_edits_taken_back_leave_the_bytes_of_the_beginning(
    tmp_path: Path, blazepose_pack: Path, stroll: Path
) -> None:
    store, out = open_store(str(tmp_path / "store")), tmp_path / "people.json"
    job = write_job(store, blazepose_pack, [stroll], people_of)
    before = exported(store, job, out)
    random = np.random.default_rng(20)
    made: list[Edit] = []
    session = session_of(store, job, tmp_path)
    while len(made) < EDITS:
        with suppress(EditError):
            made.append(random_edit(session, random))
        if len(made) == EDITS // 2:
            session.close()
            session = session_of(store, job, tmp_path)
    assert {edit.change.kind for edit in made} == set(CHANGES)
    assert exported(store, job, out) != before
    opened = session.video(0).tracks
    for edit in reversed(made):
        view = opened.view()
        if edit.number not in view.undone and not isinstance(edit.change, Undo):
            session.add(0, "undo", {"edit": edit.number}, view.last)
    assert exported(store, job, out) == before
    session.close()
