"""What the options of an export take of a video's poses."""

from dataclasses import replace

import numpy as np

from annotate.domain.export_options import ExportOptions
from annotate.domain.tracks import Tracks
from annotate.use_cases.select_poses import chosen_poses, chosen_tracks
from tests.made_dataset import HEIGHT, WIDTH, listed, tracks


def three() -> Tracks:
    """Three people in 30 frames, 1 s; the third only in the last 10; the second has best scores."""
    whole = tracks(range(30), 3)
    score = np.where(whole.track_id == 2, 0.9, 0.5).astype(np.float32)
    filled = (whole.track_id == 1) & (whole.frame_index % 2 == 1)
    raw = np.where(filled[:, None, None], np.nan, whole.raw * 0.9).astype(np.float32)
    whole = replace(whole, score=np.where(filled, 0, score), filled=filled, raw=raw)
    return whole.take((whole.track_id < 3) | (whole.frame_index >= 20))


def chosen(options: ExportOptions) -> Tracks:
    whole = three()
    halves = [whole.take(whole.frame_index < 15), whole.take(whole.frame_index >= 15)]
    kept = chosen_tracks(listed(halves), options)
    return Tracks.concat(list(chosen_poses(halves, kept, options, (WIDTH, HEIGHT))))


def frames_of(poses: Tracks, track: int) -> list[int]:
    return [int(frame) for frame in poses.frame_index[poses.track_id == track]]


def test_by_default_all_poses_are_taken() -> None:
    poses, whole = chosen(ExportOptions()), three()
    assert np.array_equal(poses.smoothed, whole.smoothed)
    assert np.array_equal(poses.track_id, whole.track_id)


def test_tracks_are_named_by_their_ids() -> None:
    assert set(chosen(ExportOptions(tracks=(1, 3))).track_id) == {1, 3}


def test_short_tracks_are_left_out() -> None:
    assert set(chosen(ExportOptions(min_seconds=0.3)).track_id) == {1, 2, 3}
    assert set(chosen(ExportOptions(min_seconds=0.31)).track_id) == {1, 2}


def test_poses_of_low_score_are_left_out() -> None:
    assert set(chosen(ExportOptions(min_score=0.6)).track_id) == {2}
    assert frames_of(chosen(ExportOptions(min_score=0.1)), 1) == list(range(0, 30, 2))


def test_the_most_people_of_a_frame_are_those_with_the_best_tracks() -> None:
    one = chosen(ExportOptions(max_people=1))
    assert set(one.track_id) == {2}
    two = chosen(ExportOptions(max_people=2))
    assert (frames_of(two, 1), frames_of(two, 2)) == (list(range(30)), list(range(30)))
    assert frames_of(two, 3) == []
    # Where a better track has no pose, the next one takes its place.
    scored = chosen(ExportOptions(max_people=2, min_score=0.1))
    assert frames_of(scored, 3) == [21, 23, 25, 27, 29]


def test_every_counts_frames_of_the_source() -> None:
    assert sorted(set(chosen(ExportOptions(every=7)).frame_index)) == [0, 7, 14, 21, 28]


def test_raw_poses_are_the_models_and_have_boxes_of_their_own() -> None:
    poses, whole = chosen(ExportOptions(raw=True)), three()
    seen = whole.take(~whole.filled)
    assert np.array_equal(poses.smoothed, seen.raw)
    assert not np.array_equal(poses.bbox, seen.bbox)
    present = np.where(seen.raw[:, :, 4] >= 0.5, seen.raw[:, :, 0], np.inf).min(axis=1)
    assert (poses.bbox[:, 0] <= present).all()
    assert (poses.bbox[:, :2] >= 0).all()
    assert (poses.bbox[:, 0] + poses.bbox[:, 2] <= WIDTH).all()
