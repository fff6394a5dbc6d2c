"""The rule of the scripted reviewer of `tests.benchmarks.mend`: each fault is mended, with as few
edits as it needs.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from annotate.domain.changes import AddPoses
from annotate.domain.edits import Edit
from annotate.domain.errors import EditError
from annotate.domain.settings import settings_from
from annotate.domain.tracks import Tracks
from annotate.domain.video import VideoIndex
from annotate.edits.added import packed
from annotate.evaluate import read_truth
from annotate.review.session import Session
from annotate.store import open_store
from tests.benchmarks.mend import answer_of
from tests.compared_tracks import Compared, compared
from tests.made_review import people_of, write_job
from tests.scripted_reviewer import ScriptedReviewer


def with_faults(index: VideoIndex) -> Tracks:
    """Ids change places at 20, track 1 is 3 from 40 on, 4 is nobody, 2 is away for 25 frames, and
    1 is wrong in the frames 12 and 24.
    """
    right = people_of(index)
    frame, track = right.frame_index, right.track_id.copy()
    track[frame >= 20] = 3 - track[frame >= 20]
    track[(frame >= 40) & (track == 1)] = 3
    smoothed = right.smoothed.copy()
    smoothed[np.isin(frame, (12, 24)) & (track == 1), :, 0] += 40
    found = replace(right, track_id=track, smoothed=smoothed)
    found = found.take((track != 2) | (frame < 30) | (frame >= 55))
    nobody = right.take((right.track_id == 1) & (frame >= 25) & (frame < 30))
    aside = nobody.smoothed.copy()
    aside[:, :, :2] = np.abs(aside[:, :, :2] - (0, index.height))
    nobody = replace(nobody, track_id=np.full(5, 4), smoothed=aside)
    whole = Tracks.concat([found, nobody])
    return whole.take(np.lexsort((whole.track_id, whole.frame_index)))


class Finder(Session):
    """Finds the true poses in place of the model's: none in a frame alone, else both ways. Fills
    nothing before frame 20.
    """

    def add_person(self, number: int, given: dict[str, object], after: int) -> Edit:
        """As the session's."""
        tracks = self.video(number).tracks
        if given.get("alone"):
            raise EditError("the model sees no person there")
        right = people_of(tracks.index)
        away = (right.frame_index >= 30) & (right.frame_index < 55)
        rows = np.flatnonzero(away & (right.track_id == 1))
        frames = tuple(right.frame_index[rows].tolist())
        poses = packed(right.smoothed[rows])
        made = tracks.free_id(tracks.view())
        change = AddPoses(None, made, frames, (0.9,) * len(frames), 33, 0, poses)
        return tracks.add_change(change, after)

    def fill(self, number: int, given: dict[str, object], after: int) -> Edit:
        """As the session's."""
        if given["start"] == 12:
            raise EditError("there is nothing to fill from")
        return super().fill(number, given, after)


def test_every_fault_takes_as_few_edits_as_it_needs(
    tmp_path: Path, blazepose_pack: Path, stroll: Path
) -> None:
    out = tmp_path / "people.json"
    right = open_store(str(tmp_path / "right"))
    answer_of(right, write_job(right, blazepose_pack, [stroll], people_of), 0, out)
    truth = read_truth(out)
    store = open_store(str(tmp_path / "store"))
    job = write_job(store, blazepose_pack, [stroll], with_faults)
    session = Finder(store, settings_from({}, store=str(tmp_path)), job)

    def look() -> Compared:
        return compared(truth, answer_of(store, job, 0, out))

    before = look()
    assert before.idf1 < 0.8
    reviewer = ScriptedReviewer(session, 0, truth, look)
    assert reviewer.mend().idf1 == 1
    drags = reviewer.actions.pop("drag a keypoint")
    assert 5 < drags < 17
    assert reviewer.actions == {
        "delete": 1,
        "swap ids": 1,
        "merge": 2,  # nobody; at 20; 3, and who was added
        "add a person": 1,
        "fill": 2,  # 24, and in vain 12
        "look again": 1,  # 12, in vain
    }
    session.close()
