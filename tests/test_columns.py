"""The tables of poses and tracks: selected rows, joined pieces, and the check of every shape."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from annotate.domain.poses import Poses
from annotate.domain.tracks import Tracks
from tests.made_poses import made_poses

COUNTS = [2, 0, 3, 1]


def made_tracks(count: int) -> Tracks:
    frame = np.arange(count, dtype=np.int64)
    landmarks = np.random.default_rng(1).random((count, 33, 5), np.float32)
    return Tracks(
        frame_index=frame,
        pts=frame * 512,
        time_s=frame / 30,
        track_id=frame % 2 + 1,
        score=np.ones(count, np.float32),
        bbox=np.ones((count, 4), np.float32),
        filled=frame % 3 == 0,
        raw=landmarks,
        smoothed=landmarks + 1,
        raw_world=landmarks[:, :, :3],
        smoothed_world=landmarks[:, :, :3] + 1,
    )


def assert_same(actual: Poses | Tracks, expected: Poses | Tracks) -> None:
    for field in fields(expected):
        a, b = getattr(actual, field.name), getattr(expected, field.name)
        assert a.dtype == b.dtype, field.name
        assert np.array_equal(a, b), field.name


def test_take_keeps_the_frames_and_the_selected_poses() -> None:
    poses = made_poses(COUNTS)
    taken = poses.take(np.array([1, 3, 5]))
    assert taken.offsets.tolist() == [0, 1, 1, 2, 3]
    assert taken.frame.tolist() == [0, 2, 3]
    assert taken.frame_index is poses.frame_index
    assert np.array_equal(taken.landmarks, poses.landmarks[[1, 3, 5]])
    assert np.array_equal(taken.appearance, poses.appearance[[1, 3, 5]])


def test_take_changes_the_order_within_a_frame() -> None:
    poses = made_poses(COUNTS)
    taken = poses.take(np.array([1, 0, 4, 2, 3, 5]))
    assert np.array_equal(taken.offsets, poses.offsets)
    assert np.array_equal(taken.score, poses.score[[1, 0, 4, 2, 3, 5]])


def test_take_by_a_mask_is_take_by_places() -> None:
    poses = made_poses(COUNTS)
    assert_same(poses.take(poses.score > 0.5), poses.take(np.flatnonzero(poses.score > 0.5)))


def test_take_refuses_poses_that_are_not_ordered_by_frame() -> None:
    with pytest.raises(ValueError, match="ordered by frame"):
        made_poses(COUNTS).take(np.array([3, 0]))


def test_take_of_no_pose_leaves_empty_frames() -> None:
    taken = made_poses(COUNTS).take(np.zeros(0, np.int64))
    assert taken.offsets.tolist() == [0] * 5
    assert taken.landmarks.shape == (0, 33, 5)


@pytest.mark.parametrize("cut", [0, 1, 3, 4])
def test_concat_of_the_pieces_is_the_whole(cut: int) -> None:
    poses = made_poses(COUNTS)
    assert_same(Poses.concat([poses.between(0, cut), poses.between(cut, 4)]), poses)


def test_concat_of_tracks_is_the_inverse_of_take() -> None:
    tracks = made_tracks(7)
    pieces = [tracks.take(np.arange(3)), tracks.take(np.arange(7) >= 3)]
    assert_same(Tracks.concat(pieces), tracks)


def shorter(table: Poses | Tracks, name: str) -> dict[str, Any]:
    return {name: getattr(table, name)[:-1]}


@pytest.mark.parametrize(
    "name", [field.name for field in fields(Poses) if field.name not in ("frame_index", "offsets")]
)
def test_each_column_of_poses_must_have_its_length(name: str) -> None:
    poses = made_poses(COUNTS)
    wrong = shorter(poses, name)
    with pytest.raises(ValueError, match=r"expected .*, got .*, where"):
        replace(poses, **wrong)


@pytest.mark.parametrize("name", [field.name for field in fields(Tracks)])
def test_each_column_of_tracks_must_have_its_length(name: str) -> None:
    tracks = made_tracks(4)
    with pytest.raises(ValueError, match=r"expected .*, got .*, where"):
        replace(tracks, **shorter(tracks, name))


@pytest.mark.parametrize(
    ("column", "shape", "message"),
    [
        ("landmarks", (6, 33, 4), r"landmarks: expected \(P, L, 5\), got \(6, 33, 4\)"),
        ("landmarks", (6, 33), r"landmarks: expected \(P, L, 5\), got \(6, 33\)"),
        ("landmarks", (5, 33, 5), r"got \(5, 33, 5\), where P is 6"),
        ("roi", (6, 5), r"roi: expected \(P, 4\), got \(6, 5\)"),
        ("appearance", (6, 3), r"appearance: expected \(P, 6\), got \(6, 3\)"),
        ("pts", (5,), r"pts: expected \(F,\), got \(5,\), where F is 4"),
        ("offsets", (4,), r"offsets: expected \(F \+ 1,\), got \(4,\), where F is 4"),
    ],
)
def test_a_wrong_shape_is_named_with_what_was_expected(
    column: str, shape: tuple[int, ...], message: str
) -> None:
    wrong = np.zeros(shape, getattr(made_poses(COUNTS), column).dtype)
    with pytest.raises(ValueError, match=message):
        replace(made_poses(COUNTS), **{column: wrong})


@pytest.mark.parametrize(
    ("column", "shape", "message"),
    [
        ("bbox", (4, 5), r"bbox: expected \(P, 4\), got \(4, 5\)"),
        ("raw", (4, 33, 3), r"raw: expected \(P, L, 5\), got \(4, 33, 3\)"),
        ("smoothed", (4, 25, 5), r"smoothed: .*got \(4, 25, 5\), where P is 4 and L is 33"),
    ],
)
def test_a_wrong_shape_of_tracks_is_named(
    column: str, shape: tuple[int, ...], message: str
) -> None:
    wrong: dict[str, Any] = {column: np.zeros(shape, np.float32)}
    with pytest.raises(ValueError, match=message):
        replace(made_tracks(4), **wrong)


@pytest.mark.parametrize(
    "offsets", [[0, 2, 2, 5, 5], [1, 2, 2, 5, 6], [0, 3, 2, 5, 6]], ids=["end", "start", "falls"]
)
def test_offsets_must_rise_from_zero_to_the_number_of_poses(offsets: list[int]) -> None:
    with pytest.raises(ValueError, match="offsets: expected to rise from 0 to 6"):
        replace(made_poses(COUNTS), offsets=np.array(offsets))
