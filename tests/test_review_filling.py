"""Frames of a track that are filled from pose to pose, as a reviewer asks for it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from annotate.domain.errors import EditError
from annotate.domain.settings import settings_from
from annotate.domain.tracks import Tracks
from annotate.domain.video import VideoIndex
from annotate.review.session import Session
from annotate.store import open_store
from tests.made_review import people_of, write_job


def with_a_gap(index: VideoIndex) -> Tracks:
    """Track 1 is away in the frames 20 to 29, and after 50."""
    people = people_of(index)
    frame = people.frame_index
    away = ((frame >= 20) & (frame < 30)) | (frame > 50)
    return people.take((people.track_id != 1) | ~away)


@pytest.fixture
def session(tmp_path: Path, blazepose_pack: Path, stroll: Path) -> Iterator[Session]:
    store = open_store(str(tmp_path / "store"))
    job = write_job(store, blazepose_pack, [stroll], with_a_gap)
    opened = Session(store, settings_from({}, store=str(tmp_path)), job)
    yield opened
    opened.close()


def track(session: Session) -> Tracks:
    poses = session.video(0).tracks.poses(0, 60)
    return poses.take(poses.track_id == 1)


def test_a_gap_is_filled_evenly_and_the_rest_stays(session: Session) -> None:
    before = track(session)
    session.fill(0, {"track": 1, "start": 25, "stop": 26}, 0)
    after = track(session)
    assert after.frame_index.tolist() == [*range(51)]
    filled = (after.frame_index >= 20) & (after.frame_index < 30)
    np.testing.assert_array_equal(after.take(~filled).smoothed, before.smoothed)
    first, last = after.smoothed[19], after.smoothed[30]
    np.testing.assert_allclose(after.smoothed[24], first + (last - first) * 5 / 11, atol=1e-3)


def test_poses_of_the_range_are_replaced_and_ends_stay_as_they_are(session: Session) -> None:
    before = track(session)
    session.fill(0, {"track": 1, "start": 40, "stop": 60}, 0)
    after = track(session)
    assert after.frame_index.tolist() == [*range(20), *range(30, 60)]
    np.testing.assert_array_equal(after.smoothed[-20:], np.stack([before.smoothed[29]] * 20))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"track": 1, "start": 0, "stop": 60}, "no pose to fill from"),
        ({"track": 9, "start": 0, "stop": 5}, "no pose to fill from"),
        ({"track": 1, "start": 5, "stop": 61}, "no such frames"),
        ({"track": 1, "start": 5, "stop": 5}, "no such frames"),
        ({"track": "1", "start": 5, "stop": 6}, "names no track"),
    ],
)
def test_what_cannot_be_filled_is_refused(
    session: Session, given: dict[str, object], reason: str
) -> None:
    with pytest.raises(EditError, match=reason):
        session.fill(0, given, 0)


def test_too_many_frames_are_not_filled(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotate.review.filling._MOST_FRAMES", 9)
    with pytest.raises(EditError, match="10 frames, and at most 9"):
        session.fill(0, {"track": 1, "start": 25, "stop": 26}, 0)
