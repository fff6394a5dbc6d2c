"""Each format holds what our dataset holds: frames, tracks, ids, places and visibility.

Read back with the standard library, NumPy, pandas or pyarrow; other programs read the same files
in `tests/test_readers.py`.
"""

import configparser
import io
import json
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.dataset as arrow
import pyarrow.parquet as pq
import pytest
import yaml

from annotate.domain.errors import UsageError
from annotate.domain.skeleton import SKELETONS
from annotate.formats.base import DatasetVideo, Origin, PoseBlock
from annotate.formats.by_track import poses_by_track
from annotate.formats.registry import find_format
from tests.made_dataset import (
    FPS,
    HEIGHT,
    WIDTH,
    altered,
    made_dataset,
    made_video,
    tracks,
    write_at,
    written,
)

FRAMES = 12
# A gap of one person, an empty frame, and frames that are every fifth of the source.
WHOLE = tracks(range(10), 3)
GAPPED = WHOLE.take((WHOLE.track_id != 2) | (WHOLE.frame_index < 3) | (WHOLE.frame_index > 5))
FIFTHS = np.arange(0, 50, 5)
FIFTH = tracks(range(0, 50, 5), 2, seed=1)
VIDEOS = (
    made_video(GAPPED, frames=FRAMES),
    made_video(FIFTH, frames=FIFTHS, name="b c.mp4"),
    made_video(frames=3, name="empty.mp4"),
)


def rows(format_name: str) -> Iterator[tuple[DatasetVideo, PoseBlock, int]]:
    for video in made_dataset(format_name, *VIDEOS).videos:
        for block in video.poses():
            for row in range(len(block)):
                yield video, block, row


def assert_same_table(table: pd.DataFrame, format_name: str) -> None:
    dataset = made_dataset(format_name, *VIDEOS)
    expected = list(rows(format_name))
    names = dataset.keypoints.names
    assert len(table) == len(expected) * len(names)
    assert table["keypoint"].tolist() == [*names] * len(expected)
    at = 0
    for video, block, row in expected:
        mine = table.iloc[at : at + len(names)]
        at += len(names)
        (frame,) = set(mine["frame"])
        assert frame == video.frames[block.place[row]]
        assert set(mine["video"]) == {video.name}
        assert set(mine["track_id"]) == {block.track[row]}
        assert set(mine["video_track_id"]) == {block.video_track[row]}
        assert set(mine["score"]) == {block.score[row]}
        assert set(mine["pts"]) == {video.pts[block.place[row]]}
        assert np.array_equal(mine[["x", "y"]], block.xy[row])
        assert np.array_equal(mine[["world_x", "world_y", "world_z"]], block.world[row])
        assert np.array_equal(mine["v"], block.v[row])
        assert np.array_equal(mine["visibility"], block.visibility[row])


def test_csv_is_the_table() -> None:
    assert_same_table(pd.read_csv(io.BytesIO(written("csv", *VIDEOS))), "csv")


def test_parquet_is_the_table_with_videos_as_partitions(tmp_path: Path) -> None:
    folder = write_at("parquet", tmp_path / "p", *VIDEOS)
    table = arrow.dataset(folder, partitioning="hive").to_table().to_pandas()
    assert set(table["video"]) == {"a/walk.mp4", "b c.mp4"}
    assert_same_table(table, "parquet")


@pytest.mark.parametrize("name", ["ü b%2F.mp4", "日" * 75 + " %.mp4", "a/" + "é" * 90 + ".mp4"])
def test_parquet_takes_any_name_of_a_video(tmp_path: Path, name: str) -> None:
    folder = write_at("parquet", tmp_path / "p", lambda *at: replace(VIDEOS[0](*at), name=name))
    table = arrow.dataset(folder, partitioning="hive").to_table().to_pandas()
    assert set(table["video"]) == {name}


def test_parquet_has_the_clock_of_each_video(tmp_path: Path) -> None:
    clock = Origin("", Fraction(1, 90000), start_s=10.54, player_start_s=0.54)
    folder = write_at("parquet", tmp_path / "p", lambda *at: replace(VIDEOS[0](*at), origin=clock))
    (file,) = folder.rglob("poses.parquet")
    facts = pq.read_metadata(file).metadata
    assert facts[b"time_base"] == b"1/90000"
    assert (float(facts[b"start_s"]), float(facts[b"player_start_s"])) == (10.54, 0.54)


def test_keypoints_that_the_model_lacks_have_no_row() -> None:
    video = made_video(tracks(range(2), 1, landmarks=17))
    text = written("csv", video, skeleton=SKELETONS["coco-17"]).decode()
    assert len(text.splitlines()) == 1 + 2 * 17


def test_yolo_labels_are_fractions_of_the_picture(tmp_path: Path) -> None:
    folder = write_at("yolo-pose", tmp_path / "y", *VIDEOS)
    labels = sorted(path.relative_to(folder / "labels") for path in folder.rglob("*.txt"))
    assert len(labels) == FRAMES + 10 + 3
    assert sum(path.stat().st_size == 0 for path in folder.rglob("*.txt")) == 2 + 3
    found: dict[str, list[list[float]]] = {}
    for path in labels:
        lines = (folder / "labels" / path).read_text().splitlines()
        found[path.as_posix()] = [[float(n) for n in line.split()] for line in lines]
    place: dict[str, int] = {}
    for video, block, row in rows("yolo-pose"):
        name = f"{video.folder}/frame_{video.frames[block.place[row]]:06d}.txt"
        line = found[name][place.setdefault(name, 0)]
        place[name] += 1
        x, y, width, height = np.array(line[1:5]) * (WIDTH, HEIGHT, WIDTH, HEIGHT)
        box = [x - width / 2, y - height / 2, width, height]
        assert np.allclose(box, block.bbox[row], atol=1e-3)
        points = np.array(line[5:]).reshape(17, 3)
        assert np.array_equal(points[:, 2], block.v[row])
        seen = block.v[row] > 0
        assert np.allclose(points[seen, :2] * (WIDTH, HEIGHT), block.xy[row][seen], atol=1e-3)
        assert (points[~seen] == 0).all()
    assert place == {name: len(lines) for name, lines in found.items() if lines}
    fields = yaml.safe_load((folder / "data.yaml").read_text())
    assert fields["kpt_shape"] == [17, 3]
    assert fields["names"] == {0: "person"}
    assert fields["flip_idx"][:4] == [0, 2, 1, 4]


def test_mot_has_the_boxes_of_tracks(tmp_path: Path) -> None:
    folder = write_at("mot", tmp_path / "m", *VIDEOS)
    lines = {
        name: (folder / name / "gt" / "gt.txt").read_text().splitlines()
        for name in ("a/walk", "b c", "empty")
    }
    assert lines["empty"] == []
    for video, block, row in rows("mot"):
        numbers = [float(n) for n in lines[video.folder].pop(0).split(",")]
        frame = video.frames[block.place[row]] + 1
        assert numbers[:2] == [frame, block.video_track[row]]
        assert numbers[2:6] == block.bbox[row].tolist()
        assert numbers[6:8] == [1, 1]
    assert not any(lines.values())
    described = configparser.ConfigParser()
    described.read(folder / "b c" / "seqinfo.ini")
    assert described["Sequence"]["seqLength"] == "46"
    assert float(described["Sequence"]["frameRate"]) == FPS


def test_posetrack_has_its_own_keypoints(tmp_path: Path) -> None:
    folder = write_at("posetrack21", tmp_path / "p", *VIDEOS)
    files = {name: json.loads((folder / f"{name}.json").read_text()) for name in ("a/walk", "b c")}
    assert [i["frame_id"] for i in files["b c"]["images"]] == FIFTHS.tolist()
    taken = dict.fromkeys(files, 0)
    for video, block, row in rows("posetrack21"):
        one = files[video.folder]["annotations"][taken[video.folder]]
        taken[video.folder] += 1
        assert (one["track_id"], one["bbox"]) == (block.video_track[row], block.bbox[row].tolist())
        points = np.array(one["keypoints"]).reshape(17, 3)
        assert np.array_equal(points[:, 2] > 0, block.v[row] > 0)
        assert (points[1:3] == 0).all()
        seen = block.v[row] > 0
        assert np.array_equal(points[seen, :2], block.xy[row][seen])
    assert taken == {name: len(file["annotations"]) for name, file in files.items()}
    (category,) = files["b c"]["categories"]
    assert category["keypoints"][:5] == ["nose", "head_bottom", "head_top", "left_ear", "right_ear"]


def test_openpose_has_a_file_a_frame_with_body_25(tmp_path: Path) -> None:
    folder = write_at("openpose", tmp_path / "o", *VIDEOS)
    for video in made_dataset("openpose", *VIDEOS).videos:
        assert len(list((folder / f"{video.folder}_json").iterdir())) == len(video.frames)
    place: dict[Path, int] = {}
    for video, block, row in rows("openpose"):
        stem = video.folder.rpartition("/")[2]
        number = int(video.frames[block.place[row]])
        path = folder / f"{video.folder}_json" / f"{stem}_{number:012d}_keypoints.json"
        person = json.loads(path.read_text())["people"][place.setdefault(path, 0)]
        place[path] += 1
        assert person["person_id"] == [block.video_track[row]]
        points = np.array(person["pose_keypoints_2d"]).reshape(25, 3)
        xy, v = block.xy[row], block.v[row]
        for openpose, blazepose in ((0, 0), (2, 12), (4, 16), (13, 25), (19, 31), (21, 29)):
            expected = [*xy[blazepose], block.visibility[row][blazepose]] if v[blazepose] else 0
            assert np.allclose(points[openpose], expected)
        if v[11] and v[12]:
            assert np.allclose(points[1, :2], (xy[11] + xy[12]) / 2, atol=1e-3)
        assert (points[[20, 23]] == 0).all()  # small toes


@pytest.mark.parametrize("number", [0, 1])
def test_deeplabcut_is_a_row_a_frame(tmp_path: Path, number: int) -> None:
    path = write_at("deeplabcut", tmp_path / "d.csv", VIDEOS[number])
    table = pd.read_csv(path, header=[0, 1, 2, 3], index_col=0)
    (video,) = made_dataset("deeplabcut", VIDEOS[number]).videos
    assert table.index.tolist() == video.frames.tolist()
    count = 0
    for block in video.poses():
        for row in range(len(block)):
            track = f"track_{block.video_track[row]}"
            mine = table["annotate"][track].iloc[int(block.place[row])].to_numpy().reshape(17, 3)
            assert np.array_equal(mine[:, :2], block.xy[row])
            assert np.array_equal(mine[:, 2], block.visibility[row])
            count += 1
    assert int(table.notna().to_numpy().sum()) == count * 51


@pytest.mark.parametrize("number", [0, 1])
def test_cvat_has_tracks_that_end_where_people_leave(number: int) -> None:
    root = ET.fromstring(written("cvat", VIDEOS[number]))  # noqa: S314 - our own file
    (video,) = made_dataset("cvat", VIDEOS[number]).videos
    task = root.find("meta/task")
    assert task is not None
    assert (task.findtext("start_frame"), task.findtext("mode")) == ("0", "interpolation")
    assert task.findtext("frame_filter") == ("step=5" if number else "")
    shown: dict[int, list[int]] = {}
    for track in root.findall("track"):
        shapes = track.findall("skeleton")
        frames = [int(shape.attrib["frame"]) for shape in shapes]
        assert frames == sorted(set(frames))
        # A shape holds until the next one, as CVAT has it.
        seen, visible = [], False
        at = {f: s.attrib["outside"] == "0" for f, s in zip(frames, shapes, strict=True)}
        for frame in video.frames.tolist():
            visible = at.get(frame, visible)
            seen += [frame] * visible
        shown[int(track.attrib["id"])] = seen
    expected: dict[int, list[int]] = {}
    for block in video.poses():
        for row, place in enumerate(block.place):
            expected.setdefault(int(block.video_track[row]), []).append(int(video.frames[place]))
    assert shown == expected
    block = next(iter(video.poses()))
    first = root.findall("track")[0].findall("skeleton")[0]
    points = [[float(n) for n in p.attrib["points"].split(",")] for p in first]
    assert points == block.xy[0].tolist()
    assert [p.attrib["outside"] == "1" for p in first] == (block.v[0] == 0).tolist()
    assert [p.attrib["occluded"] == "1" for p in first] == (block.v[0] == 1).tolist()


# GAPPED has tracks of 10, 7 and 10 poses: which come as lists, held in memory with others.
@pytest.mark.parametrize(
    ("held", "lists"), [(100, [True] * 3), (17, [True, True, False]), (4, [False] * 3)]
)
def test_a_track_too_long_to_hold_comes_block_by_block(
    held: int, lists: list[bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    halves = [GAPPED.take(GAPPED.frame_index < 4), GAPPED.take(GAPPED.frame_index >= 4)]
    one, two = made_video(GAPPED, frames=FRAMES), made_video(*halves, frames=FRAMES)
    xml, trc = written("cvat", one), contents(write_at("trc", tmp_path / "one", one))
    monkeypatch.setattr("annotate.formats.by_track._HELD_POSES", held)
    assert written("cvat", two) == xml
    assert contents(write_at("trc", tmp_path / "two", two)) == trc
    (video,) = made_dataset("cvat", two).videos
    found = [(track, isinstance(blocks, list)) for track, blocks in poses_by_track(video)]
    assert found == list(enumerate(lists, start=1))


def test_trc_has_markers_in_metres_with_y_up(tmp_path: Path) -> None:
    folder = write_at("trc", tmp_path / "t", *VIDEOS)
    assert len(list(folder.rglob("*.trc"))) == 5
    (video, *_) = made_dataset("trc", *VIDEOS).videos
    (block,) = list(video.poses())
    path = folder / "a" / "walk" / "track_0002.trc"
    names = [name for name in path.read_text().splitlines()[3].split("\t")[2:] if name]
    assert names == list(made_dataset("trc").keypoints.names)
    table = np.loadtxt(path, skiprows=6)
    mine = block.video_track == 2
    assert table[:, 0].tolist() == video.frames[block.place[mine]].tolist() == [0, 1, 2, 6, 7, 8, 9]
    xyz = table[:, 2:].reshape(-1, 33, 3)
    assert np.array_equal(xyz * (1, -1, -1), block.world[mine])


def test_tracks_without_world_landmarks_are_refused(tmp_path: Path) -> None:
    flat = altered(
        WHOLE, raw_world=WHOLE.raw_world[..., :0], smoothed_world=WHOLE.raw_world[..., :0]
    )
    with pytest.raises(UsageError, match="no world landmarks"):
        write_at("trc", tmp_path / "t", made_video(flat))
    table = pd.read_csv(io.BytesIO(written("csv", made_video(flat))))
    assert table["world_x"].isna().all()


@pytest.mark.parametrize(("last", "told"), [(65_534, "this needs"), (65_535, "counts to 65,535")])
def test_c3d_takes_no_more_frames_than_it_can_number(
    last: int, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ezc3d", None)
    late = made_video(tracks(range(last - 3, last + 1), 1), frames=last + 1)
    with pytest.raises(UsageError, match=told):
        write_at("c3d", tmp_path / "c", late)


@pytest.mark.parametrize("name", ["c3d", "slp", "nwb"])
def test_a_library_that_is_not_installed_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("ezc3d", "sleap_io", "pynwb"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError, match="this needs") as error:
        write_at(name, tmp_path / "out", VIDEOS[0])
    assert "[formats]" in error.value.hint


@pytest.mark.parametrize("name", ["csv", "cvat", "deeplabcut"])
def test_a_file_is_recognised_as_ours(name: str) -> None:
    start = written(name, VIDEOS[0])[:100]
    assert start.startswith(find_format(name).signatures)


def test_blocks_make_no_difference_to_folders(tmp_path: Path) -> None:
    halves = [WHOLE.take(WHOLE.frame_index < 4), WHOLE.take(WHOLE.frame_index >= 4)]
    for name in ("yolo-pose", "mot", "posetrack21", "openpose", "trc"):
        one = write_at(name, tmp_path / f"{name}1", made_video(WHOLE))
        two = write_at(name, tmp_path / f"{name}2", made_video(*halves))
        assert contents(one) == contents(two)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
