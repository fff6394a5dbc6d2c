"""Joint angles: the neutral position is 0, a joint that turns by an angle has that angle."""

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from annotate.domain.errors import UsageError
from annotate.domain.export_options import ExportOptions
from annotate.domain.keypoint_sets import BLAZEPOSE33, HALPE26
from annotate.domain.skeleton import SKELETONS, coco_visibility
from annotate.formats.base import StreamFormat
from annotate.formats.registry import find_format
from annotate.numeric.angles import ANGLES, AngleReader, joint_angles
from annotate.use_cases.export import export
from tests.made_dataset import BLAZEPOSE, HEIGHT, WIDTH, made_dataset, made_video, tracks

# Double precision of a turn there and back.
TOLERANCE_DEG = 1e-6
NAMES = BLAZEPOSE33.names
Body = Mapping[str, tuple[float, float, float]]
# Of one side of a person who stands, seen from the right: x forward, y down, z to the side; metres.
SIDE: Body = {
    "shoulder": (0, -0.5, 0.2),
    "elbow": (0, -0.2, 0.2),
    "wrist": (0, 0.1, 0.2),
    "hip": (0, 0, 0.2),
    "knee": (0, 0.4, 0.2),
    "ankle": (0, 0.8, 0.2),
    "heel": (-0.05, 0.85, 0.2),
    "foot_index": (0.2, 0.85, 0.2),
}
# What turns with each joint, and the sign of a turn forward and upward.
TURNS: Mapping[str, tuple[str, tuple[str, ...], int]] = {
    "knee": ("knee", ("ankle", "heel", "foot_index"), 1),
    "hip": ("hip", ("knee", "ankle", "heel", "foot_index"), -1),
    "ankle": ("ankle", ("heel", "foot_index"), -1),
    "elbow": ("elbow", ("wrist",), -1),
    "shoulder": ("shoulder", ("elbow", "wrist"), -1),
}


def standing() -> NDArray[np.float64]:
    """(33, 3) a person in the neutral position."""
    points = np.zeros((len(NAMES), 3))
    for side, sign in (("left", -1), ("right", 1)):
        for name, place in SIDE.items():
            points[NAMES.index(f"{side}_{name}")] = place * np.array([1, 1, sign])
    return points


def turned(joint: str, degrees: float) -> NDArray[np.float64]:
    """The right side's joint bent in the plane of the picture."""
    pivot, names, sign = TURNS[joint]
    points = standing()
    centre = points[NAMES.index(f"right_{pivot}")]
    turn = Rotation.from_euler("z", sign * degrees, degrees=True)
    for name in names:
        place = NAMES.index(f"right_{name}")
        points[place] = centre + turn.apply(points[place] - centre)
    return points


def angles_of(points: NDArray[np.float64], lost: str = "") -> dict[str, float]:
    known = np.array([[name != lost for name in NAMES]])
    return dict(zip(ANGLES, joint_angles(points[None], known, NAMES)[0].tolist(), strict=True))


def test_the_neutral_position_is_zero() -> None:
    assert angles_of(standing()) == pytest.approx(dict.fromkeys(ANGLES, 0), abs=TOLERANCE_DEG)


def test_a_big_toe_is_the_end_of_the_foot_too() -> None:
    points = turned("ankle", 20)
    halpe = SKELETONS["halpe-26"]
    places = [HALPE26.places(SKELETONS["blazepose-33"])[k] for k in range(26)]
    known = np.array([[place is not None for place in places]])
    found = joint_angles(points[None, [place or 0 for place in places]], known, halpe.landmarks)
    assert found[0, ANGLES.index("right_ankle")] == pytest.approx(20, abs=TOLERANCE_DEG)


@pytest.mark.parametrize("joint", TURNS)
@pytest.mark.parametrize("axes", [2, 3])
def test_a_joint_has_the_angle_by_which_it_was_bent(joint: str, axes: int) -> None:
    for degrees in (0.001, 15, 89) if joint == "ankle" else (0.001, 15, 89, 140):
        found = angles_of(turned(joint, degrees)[:, :axes])
        expected = dict.fromkeys(ANGLES, 0.0) | {f"right_{joint}": degrees}
        assert found == pytest.approx(expected, abs=TOLERANCE_DEG)


def test_an_ankle_that_points_down_is_negative() -> None:
    assert angles_of(turned("ankle", -30))["right_ankle"] == pytest.approx(-30)


def test_the_whole_body_leans_with_its_trunk_alone() -> None:
    lean = Rotation.from_euler("z", 25, degrees=True)
    expected = dict.fromkeys(ANGLES, 0.0) | {"trunk": 25.0}
    found = angles_of(lean.apply(standing()))
    assert found == pytest.approx(expected, abs=TOLERANCE_DEG)


def test_in_space_no_view_changes_the_angles_of_joints() -> None:
    view = Rotation.from_euler("xyz", [20, 70, -10], degrees=True)
    found = angles_of(view.apply(turned("knee", 60)))
    assert found["right_knee"] == pytest.approx(60)
    assert abs(angles_of(view.apply(turned("knee", 60))[:, :2])["right_knee"] - 60) > 5


def test_an_angle_is_unknown_where_a_point_of_it_is() -> None:
    found = angles_of(standing(), lost="left_hip")
    unknown = {name for name, value in found.items() if np.isnan(value)}
    assert unknown == {"left_hip", "left_knee", "left_shoulder", "trunk"}
    coco = joint_angles(np.zeros((1, 3, 2)), np.ones((1, 3), np.bool_), ["nose", "a", "b"])
    assert np.isnan(coco).all()


@pytest.mark.parametrize("axes", [0, 3])
def test_a_table_has_a_row_a_pose(axes: int) -> None:
    walk = tracks(range(6), 2)
    walk = replace(
        walk, raw_world=walk.raw_world[..., :axes], smoothed_world=walk.smoothed_world[..., :axes]
    )
    csv, out = find_format("csv"), io.BytesIO()
    assert isinstance(csv, StreamFormat)
    dataset = replace(made_dataset("csv", made_video(walk)), angles=True)
    csv.write(dataset, out)
    table = pd.read_csv(io.BytesIO(out.getvalue()))
    (block,) = dataset.videos[0].poses()
    assert table["frame"].tolist() == walk.frame_index.tolist()
    assert list(table.columns)[8:] == [f"{name}_{d}d" for name in ANGLES for d in (2, 3)]
    for d, points in ((2, block.xy), (3, block.world)):
        found = table[[f"{name}_{d}d" for name in ANGLES]].to_numpy()
        if points.shape[2] == d:
            expected = joint_angles(points, block.v > 0, NAMES)
            assert 0 < np.isnan(expected).mean() < 1, "some points lie outside the picture"
            np.testing.assert_allclose(found, expected, atol=0.006)
        else:
            assert np.isnan(found).all()


def test_only_tables_hold_angles(tmp_path: Path) -> None:
    nothing: Any = None  # the options are looked at before the job
    options = ExportOptions(tmp_path / "people.json", angles=True)
    with pytest.raises(UsageError, match="--angles is not for --format coco"):
        export(nothing, nothing, options)


def test_means_over_time_do_not_depend_on_cuts() -> None:
    walk = tracks(range(20), 2)
    walk = replace(walk, filled=walk.frame_index == 3)
    edges = np.linspace(0, 20 / 30, 5)

    def read(*cuts: int) -> Mapping[int, NDArray[np.float64]]:
        reader = AngleReader([2], edges, BLAZEPOSE, (WIDTH, HEIGHT))
        for rows in np.split(np.arange(len(walk)), cuts):
            reader.add(walk.take(rows))
        found = reader.means()
        assert found.in_space
        return found.tracks

    whole, cut = read(), read(7, 22)
    assert list(whole) == [2]
    np.testing.assert_allclose(whole[2], cut[2])
    block = walk.take((walk.track_id == 2) & (walk.frame_index < 5) & ~walk.filled)
    v = coco_visibility(block.smoothed[:, :, [0, 1, 3, 4]], WIDTH, HEIGHT)
    expected = joint_angles(block.smoothed_world.astype(np.float64), v > 0, BLAZEPOSE.landmarks)
    knee = ANGLES.index("left_knee")
    assert whole[2][knee, 0] == pytest.approx(np.nanmean(expected[:, knee]))
