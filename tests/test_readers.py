"""Programs that users have read our exports and find what we wrote.

Small readers, and what our own writers need, are in the extra `test`, the others in `readers`; each
test is skipped where its reader is not installed:

    pip install -e '.[test,readers]' && pytest tests/test_readers.py
"""

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest

from tests.made_dataset import made_dataset, made_video, write_at
from tests.three_videos import FIFTHS, GAPPED, IMAGES, VIDEOS, expected, make_images, v_of

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    return write_at("coco", tmp_path / "people.json", *VIDEOS)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_at("csv", tmp_path / "people.csv", *VIDEOS)


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    return write_at("parquet", tmp_path / "people", *VIDEOS)


def test_pycocotools(coco: Path) -> None:
    from pycocotools.coco import COCO

    with contextlib.redirect_stdout(io.StringIO()):
        read = COCO(coco)
    assert len(read.imgs) == IMAGES
    rows = []
    for one in read.loadAnns(read.getAnnIds()):
        image = read.imgs[one["image_id"]]
        video = image["file_name"].rpartition("/")[0]
        rows.append((video, image["frame_id"], one["track_id"], v_of(one["keypoints"])))
    assert sorted(rows) == expected()


def test_datumaro(coco: Path, tmp_path: Path) -> None:
    datumaro = pytest.importorskip("datumaro")
    folder = tmp_path / "dataset" / "annotations"
    folder.mkdir(parents=True)
    coco.rename(folder / "person_keypoints_people.json")
    make_images(folder.parent / "images" / "people")
    read = datumaro.Dataset.import_from(str(folder.parent), "coco_person_keypoints")
    assert len(read) == IMAGES
    rows = []
    for item in read:
        # As CVAT does it: the number after `frame_` is the frame of the task.
        video, _, name = item.id.rpartition("/")
        for one in item.annotations:
            if one.type.name == "points":
                v = tuple(flag.value for flag in one.visibility)
                assert one.attributes["keyframe"] is True
                rows.append(
                    (video, int(name.removeprefix("frame_")), one.attributes["track_id"], v)
                )
    assert sorted(rows) == expected()


def test_kwcoco_and_dive(coco: Path) -> None:
    kwcoco = pytest.importorskip("kwcoco")
    read = kwcoco.CocoDataset(str(coco))
    assert (len(read.imgs), len(read.videos())) == (IMAGES, 3)
    names = {video["id"]: video["name"].removesuffix(".mp4") for video in read.dataset["videos"]}
    rows = []
    for one in read.annots().objs:
        image = read.imgs[one["image_id"]]
        v = v_of(one["keypoints"])
        rows.append((names[image["video_id"]], image["frame_index"], one["track_id"], v))
    assert sorted(rows) == expected()
    frames = [read.imgs[g]["frame_index"] for g in read.videos().images.lookup("id")[1]]
    assert frames == FIFTHS.tolist()


def test_sleap_io(coco: Path) -> None:
    sleap_io = pytest.importorskip("sleap_io")
    make_images(coco.parent)
    read = sleap_io.load_coco(str(coco), dataset_root=str(coco.parent))
    assert (len(read), len(read.skeletons[0].nodes)) == (IMAGES, 17)
    rows = []
    for frame in read:
        image = Path(frame.video.filename[frame.frame_idx])
        number = int(image.stem.removeprefix("frame_"))
        for one in frame.instances:
            seen = tuple((~np.isnan(one.numpy()[:, 0])).tolist())
            track = int(one.track.name.removeprefix("track_"))
            rows.append((image.parent.name, number, track, seen))
    assert sorted(rows) == [(*row[:3], tuple(v > 0 for v in row[3])) for row in expected()]


@pytest.mark.parametrize("reader", ["polars", "duckdb"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_tables(reader: str, kind: str, request: pytest.FixtureRequest) -> None:
    module = pytest.importorskip(reader)
    path = request.getfixturevalue("table" if kind == "csv" else "parquet")
    columns = ["video", "frame", "track_id", "keypoint", "v"]
    if reader == "polars" and kind == "csv":
        rows = module.read_csv(path).select(columns).rows()
    elif reader == "polars":
        found = module.read_parquet(path / "**" / "*.parquet", hive_partitioning=True)
        rows = found.select(columns).rows()
    else:
        source = (
            f"read_csv('{path}')"
            if kind == "csv"
            else f"read_parquet('{path}/**/*.parquet', hive_partitioning=true)"
        )
        rows = module.sql(f"select {', '.join(columns)} from {source}").fetchall()  # noqa: S608 - our own path
    poses: dict[tuple[str, int, int], list[int]] = {}
    for video, frame, track, _keypoint, v in rows:
        poses.setdefault((video.removesuffix(".mp4"), frame, track), []).append(v)
    assert sorted((*key, tuple(v)) for key, v in poses.items()) == expected("csv")


def test_supervision_reads_yolo_labels(tmp_path: Path) -> None:
    supervision = pytest.importorskip("supervision")
    folder = write_at("yolo-pose", tmp_path / "yolo", *VIDEOS)
    make_images(folder / "images", "yolo-pose")
    for video in made_dataset("yolo-pose", *VIDEOS).videos:
        read = supervision.DetectionDataset.from_yolo(
            str(folder / "images" / video.folder),
            str(folder / "labels" / video.folder),
            str(folder / "data.yaml"),
        )
        assert (len(read), read.classes) == (len(video.frames), ["person"])
        boxes = sum(len(found) for found in read.annotations.values())
        assert boxes == sum(map(len, video.poses()))


def test_trackeval_reads_mot(tmp_path: Path) -> None:
    trackeval = pytest.importorskip("trackeval")
    truth = write_at("mot", tmp_path / "gt", *VIDEOS)
    results = tmp_path / "trackers" / "ours" / "data"
    results.mkdir(parents=True)
    for name in ("walk", "fifth", "short"):
        (results / f"{name}.txt").write_bytes((truth / name / "gt" / "gt.txt").read_bytes())
    config = trackeval.datasets.MotChallenge2DBox.get_default_dataset_config()
    dataset = trackeval.datasets.MotChallenge2DBox(
        {
            **config,
            "GT_FOLDER": str(truth),
            "TRACKERS_FOLDER": str(tmp_path / "trackers"),
            "SKIP_SPLIT_FOL": True,
            "SEQ_INFO": {"walk": None, "fifth": None, "short": None},
            "PRINT_CONFIG": False,
        }
    )
    metric = trackeval.metrics.CLEAR({"PRINT_CONFIG": False, "THRESHOLD": 0.5})
    for name, poses, people in (("walk", len(GAPPED), 3), ("fifth", 20, 2), ("short", 4, 1)):
        raw = dataset.get_raw_seq_data("ours", name)
        data = dataset.get_preprocessed_seq_data(raw, "pedestrian")
        assert (data["num_gt_dets"], data["num_gt_ids"]) == (poses, people)
        assert metric.eval_sequence(data)["MOTA"] == 1


@pytest.mark.parametrize("number", [0, 1, 2])
def test_movement_reads_deeplabcut(tmp_path: Path, number: int) -> None:
    load_poses = pytest.importorskip("movement.io.load_poses")
    path = write_at("deeplabcut", tmp_path / "dlc.csv", VIDEOS[number])
    read = load_poses.from_dlc_file(path, fps=30)
    (video,) = made_dataset("deeplabcut", VIDEOS[number]).videos
    assert read.sizes["time"] == len(video.frames)
    assert read.sizes["individual" if "individual" in read.sizes else "individuals"] == len(
        video.tracks
    )
    found = int(np.isfinite(read["position"].to_numpy()).sum())
    assert found == sum(map(len, video.poses())) * 17 * 2


@pytest.mark.parametrize("number", [0, 1, 2])
def test_movement_reads_slp(tmp_path: Path, number: int) -> None:
    load_poses = pytest.importorskip("movement.io.load_poses")
    pytest.importorskip("sleap_io")
    read = load_poses.from_sleap_file(write_at("slp", tmp_path / "p.slp", VIDEOS[number]), fps=30)
    (video,) = made_dataset("slp", VIDEOS[number]).videos
    rows = []
    for track in read.individuals.values:
        labelled = np.isfinite(read.position.sel(individuals=track).values[:, 0])
        for frame in np.flatnonzero(labelled.any(axis=1)).tolist():
            seen = tuple(labelled[frame].tolist())
            rows.append((video.folder, frame, int(track.removeprefix("track_")), seen))
    mine = [row for row in expected(per_video=True) if row[0] == video.folder]
    assert sorted(rows) == [(*row[:3], tuple(v > 0 for v in row[3])) for row in mine]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_pose2sim_reads_openpose(tmp_path: Path, number: int) -> None:
    read_json = pytest.importorskip("Pose2Sim.personAssociation").read_json
    folder = write_at("openpose", tmp_path / "openpose", VIDEOS[number])
    (video,) = made_dataset("openpose", VIDEOS[number]).videos
    people = dict.fromkeys(video.frames.tolist(), 0)
    for path in (folder / f"{video.folder}_json").iterdir():
        found = read_json(path)
        assert all(len(one) == 3 * 25 for one in found)
        people[int(path.stem.split("_")[-2])] += len(found)
    (block,) = video.poses()
    assert list(people.values()) == np.bincount(block.place, minlength=len(people)).tolist()


def test_pose2sim_reads_trc(tmp_path: Path) -> None:
    common = pytest.importorskip("Pose2Sim.common")
    folder = write_at("trc", tmp_path / "trc", VIDEOS[1])
    names, values = common.extract_trc_data(str(folder / "fifth" / "track_0001.trc"))
    assert names == list(made_dataset("trc").keypoints.names)
    assert np.allclose(values[:, 0], FIFTHS / 30, atol=1e-6)
    assert values.shape == (10, 1 + 3 * 33)


def test_c3d_in_a_library_of_its_own(tmp_path: Path) -> None:
    pytest.importorskip("ezc3d")
    c3d = pytest.importorskip("c3d")
    late = made_video(GAPPED.take(GAPPED.frame_index > 1), frames=12, name="late.mp4")
    folder = write_at("c3d", tmp_path / "c", *VIDEOS, late)
    assert len(list(folder.rglob("*.c3d"))) == 9
    for path in folder.rglob("*.c3d"):
        videos = made_dataset("c3d", *VIDEOS, late).videos
        (video,) = [one for one in videos if one.folder == path.parent.name]
        block = next(iter(video.poses()))
        mine = block.video_track == int(path.stem[-4:])
        with path.open("rb") as file:
            reader = c3d.Reader(file)
            read = [(number, points) for number, points, _ in reader.read_frames()]
        first = reader.first_frame
        assert reader.point_rate == pytest.approx(6 if video.folder == "fifth" else 30)
        names = [name.strip() for name in reader.point_labels]
        assert names == list(made_dataset("c3d").keypoints.names)
        places = [number - 1 for number, points in read if (points[:, 3] >= 0).all()]
        assert places == block.place[mine].tolist()
        assert first - 1 == places[0]
        xyz = np.array([points[:, :3] for _, points in read])[np.array(places) - places[0]]
        assert np.allclose(xyz * (1, -1, -1), block.world[mine], atol=1e-6)


def test_slp_in_sleap_io(tmp_path: Path) -> None:
    sleap_io = pytest.importorskip("sleap_io")
    read = sleap_io.load_slp(str(write_at("slp", tmp_path / "people.slp", *VIDEOS)))
    assert len(read) == IMAGES
    videos = [Path(video.filename).name for video in read.videos]
    assert videos == ["walk.mp4", "fifth.mp4", "short.mp4"]
    rows = []
    for frame in read:
        for one in frame.instances:
            seen = ~np.isnan(one.numpy()[:, 0])
            name, track = Path(frame.video.filename).stem, one.track.name.removeprefix("track_")
            rows.append((name, frame.frame_idx, int(track), tuple(seen.tolist())))
    assert sorted(rows) == [(*row[:3], tuple(v > 0 for v in row[3])) for row in expected()]
    assert read.skeleton.node_names == list(made_dataset("slp").keypoints.names)
    block = next(iter(made_dataset("slp", *VIDEOS).videos[0].poses()))
    found = read[0].instances[0]
    assert found.score == pytest.approx(block.score[0])
    assert np.allclose(found.numpy()[block.v[0] > 0], block.xy[0][block.v[0] > 0])
    assert np.allclose(found.numpy(scores=True)[:, 2], block.visibility[0])


def test_nwb_in_pynwb(tmp_path: Path) -> None:
    pynwb = pytest.importorskip("pynwb")
    path = write_at("nwb", tmp_path / "walk.nwb", VIDEOS[0])
    (video,) = made_dataset("nwb", VIDEOS[0]).videos
    block = next(iter(video.poses()))
    names = list(made_dataset("nwb").keypoints.names)
    with pynwb.NWBHDF5IO(path, "r") as opened:
        behavior = opened.read().processing["behavior"]
        for track in (1, 2, 3):
            series = behavior[f"track_{track}"].pose_estimation_series
            mine = block.video_track == track
            place = block.place[mine]
            for keypoint, name in enumerate(names):
                xy = series[name].data[:]
                assert np.allclose(series[name].timestamps[:], video.time_s[: len(xy)])
                labelled = place[block.v[mine, keypoint] > 0]
                assert np.isfinite(xy).all(axis=1).nonzero()[0].tolist() == labelled.tolist()
                shown = block.v[mine, keypoint] > 0
                assert np.allclose(xy[labelled], block.xy[mine, keypoint][shown])
                confidence = series[name].confidence[:]
                assert np.allclose(confidence[place], block.visibility[mine, keypoint])


def test_nwb_in_movement(tmp_path: Path) -> None:
    pytest.importorskip("pynwb")
    load_poses = pytest.importorskip("movement.io.load_poses")
    halves = [GAPPED.take(GAPPED.frame_index < 4), GAPPED.take(GAPPED.frame_index >= 4)]
    path = write_at("nwb", tmp_path / "walk.nwb", made_video(*halves, frames=12))
    (video,) = made_dataset("nwb", VIDEOS[0]).videos
    block = next(iter(video.poses()))
    names = list(made_dataset("nwb").keypoints.names)
    for track in (1, 2, 3):
        read = load_poses.from_nwb_file(path, pose_estimation_key=f"track_{track}")
        read = read.sel(keypoints=names)  # movement sorts them
        mine = block.video_track == track
        place = block.place[mine]
        assert np.allclose(read.time.values, video.time_s[: place[-1] + 1])
        every = read.position.values[..., 0].transpose(0, 2, 1)
        assert np.isfinite(every).any(axis=(1, 2)).nonzero()[0].tolist() == place.tolist()
        xy = every[place]
        labelled = block.v[mine] > 0
        assert np.allclose(xy[labelled], block.xy[mine][labelled])
        assert np.isnan(xy[~labelled]).all()
        assert np.allclose(read.confidence.values[place, :, 0], block.visibility[mine])
