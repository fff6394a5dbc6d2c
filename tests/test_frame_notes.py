"""Notes about frames of chunks: a damaged one stops nothing, and is made again with its part."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotate.domain.poses import Poses
from annotate.domain.video import Chunk, FittedRange, damaged_ranges
from annotate.queue.job_status import job_status
from annotate.queue.lost_notes import set_notes_aside
from annotate.store import Store, open_store
from annotate.use_cases.check import check_store
from annotate.use_cases.merge_video import _damaged
from tests.made_job import JOB, RECIPE, VIDEO
from tests.made_poses import FINGERPRINT, made_index, made_poses

BELOW = f"results/{RECIPE.digest}/{FINGERPRINT}"
FIRST, SECOND = Chunk(0, 4), Chunk(4, 8)
ODD = [
    *(b"", b"nonsense", b"null", b"[1]", b'[{"start": 1}]', b'[{"colour": 1}]'),
    b'[{"start": 0, "stop": 1, "count": "a", "most": 2, "width": 1, "height": null}]',
    b'[{"start": 0, "stop": 1, "first_pts": 0, "last_pts": 0, "reason": 5, "count": 1}]',
]


@pytest.fixture
def planned(tmp_path: Path) -> Store:
    """Two chunks are done; frame 5 is damaged."""
    store = open_store(str(tmp_path))
    results = store.results(RECIPE, VIDEO)
    store.write_job(JOB)
    store.write_index(made_index(8))
    results.write_chunks([FIRST, SECOND])
    results.write_part(FIRST, made_poses([1, 0, 2, 1]), {})
    results.write_part(SECOND, broken(), {})
    return store


def broken() -> Poses:
    poses = made_poses([1, 0, 2, 1], start=4)
    return replace(poses, damage=np.array([0, 1, 0, 0], np.int8))


@pytest.mark.parametrize("kind", ["", ".fitted", ".crowded"])
def test_a_damaged_note_is_named_and_its_chunk_is_done_again(planned: Store, kind: str) -> None:
    key = f"{BELOW}/damage/{SECOND.name}{kind}.json"
    results = planned.results(RECIPE, VIDEO)
    results.write_notes(FIRST, [FittedRange(0, 2, 640, 360, 2)], "fitted")
    for data in ODD:
        planned.files.write(key, data)
        (video,) = job_status(planned, JOB).videos
        assert key in video.damage
        assert len(video.fitted) == 1, "a sound one is read"
        (finding,) = [one for one in check_store(planned).findings if key in one.problem]
        assert set_notes_aside(planned, job_status(planned, JOB))
        assert [unit.chunk for unit in job_status(planned, JOB).pending()] == [SECOND]
        assert not set_notes_aside(planned, job_status(planned, JOB))
        assert not planned.files.exists(key)
        results.write_part(SECOND, broken(), {})
    planned.files.write(key, b"")
    assert check_store(planned, repair=True).is_mended
    assert results.parts() == {FIRST.name}
    assert finding.aside == ""


def test_the_tracks_list_damaged_frames_whose_note_is_lost(planned: Store) -> None:
    results, index = planned.results(RECIPE, VIDEO), made_index(8)
    poses = broken()
    expected = damaged_ranges(poses.frame_index, poses.pts, poses.damage)
    assert [one.start for one in expected] == [5]
    outlines = {chunk: results.part_outline(chunk) for chunk in (FIRST, SECOND)}
    found = _damaged(index, np.arange(8), outlines)
    assert found == expected
