"""Applications that users have read our exports and find what we wrote.

They pin packages that the readers of `tests/test_readers.py` cannot have, so they are an extra of
their own; each test is skipped where its reader is not installed:

    pip install -e '.[test,reader-apps]' && pytest tests/test_reader_apps.py

FiftyOne's importer needs no database, and nothing is downloaded.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.made_dataset import HEIGHT, WIDTH, made_dataset, write_at
from tests.three_videos import IMAGES, VIDEOS, Row, expected, make_images

pytestmark = pytest.mark.filterwarnings("default")

# ultralytics writes six digits, and reads 32-bit numbers: pixels.
CLOSE = 0.01


@pytest.fixture
def _ultralytics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its settings are those of this test, and its folder is not the dataset's."""
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path / "settings"))
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("ultralytics")


def test_fiftyone_imports_people_with_their_tracks(tmp_path: Path) -> None:
    coco = pytest.importorskip("fiftyone.utils.coco")
    labels = write_at("coco", tmp_path / "labels.json", *VIDEOS)
    make_images(tmp_path / "data")
    importer = coco.COCODetectionDatasetImporter(
        dataset_dir=str(tmp_path), labels_path=str(labels), label_types=["keypoints"]
    )
    rows: list[Row] = []
    with importer:
        assert len(importer) == IMAGES
        for path, metadata, found in importer:
            assert (metadata.width, metadata.height) == (WIDTH, HEIGHT)
            video, frame = Path(path).parent.name, int(Path(path).stem.removeprefix("frame_"))
            people = found.keypoints if found else ()
            rows += [(video, frame, one["track_id"], tuple(one["visible"])) for one in people]
    assert sorted(rows) == expected()


def test_label_studio_makes_a_task_of_each_frame(tmp_path: Path) -> None:
    converter = pytest.importorskip("label_studio_sdk.converter.imports.coco")
    coco, out = write_at("coco", tmp_path / "people.json", *VIDEOS), tmp_path / "tasks.json"
    converter.convert_coco_to_ls(str(coco), str(out), use_super_categories=False)
    tasks = json.loads(out.read_text())
    assert len(tasks) == IMAGES
    visible = []
    for task in tasks:
        video, name = task["data"]["image"].rpartition("?d=")[2].split("/")
        frame = int(name.removeprefix("frame_").removesuffix(".jpg"))
        found = task["annotations"][0]["result"]
        points = [not one["value"].get("hidden") for one in found if one["type"].startswith("key")]
        boxes = sum(one["type"].startswith("rectangle") for one in found)
        assert len(points) == 17 * boxes
        visible += [(video, frame, *points[a : a + 17]) for a in range(0, len(points), 17)]
    # It keeps neither tracks nor the difference between hidden and unlabelled.
    assert sorted(visible) == sorted(
        (video, frame, *(one == 2 for one in v)) for video, frame, _track, v in expected()
    )


@pytest.mark.usefixtures("_ultralytics")
def test_ultralytics_converts_coco(tmp_path: Path) -> None:
    from ultralytics.data.converter import convert_coco  # type: ignore[import-not-found]

    (tmp_path / "annotations").mkdir()
    write_at("coco", tmp_path / "annotations" / "people.json", *VIDEOS)
    convert_coco(
        str(tmp_path / "annotations"), str(tmp_path / "out"), use_keypoints=True, cls91to80=False
    )
    rows = []
    for path in (tmp_path / "out" / "labels" / "people").rglob("*.txt"):
        frame = int(path.stem.removeprefix("frame_"))
        for line in path.read_text().splitlines():
            numbers = [float(number) for number in line.split()]
            assert numbers[0] == 0
            rows.append((path.parent.name, frame, tuple(int(v) for v in numbers[7::3])))
    assert sorted(rows) == without_tracks()


@pytest.mark.usefixtures("_ultralytics")
def test_ultralytics_reads_yolo_labels(tmp_path: Path) -> None:
    from ultralytics.data.dataset import YOLODataset  # type: ignore[import-not-found]
    from ultralytics.data.utils import check_det_dataset  # type: ignore[import-not-found]

    folder = write_at("yolo-pose", tmp_path / "yolo", *VIDEOS)
    make_images(folder / "images", "yolo-pose")
    data = check_det_dataset(str(folder / "data.yaml"), autodownload=False)
    assert (data["names"], data["kpt_shape"]) == ({0: "person"}, [17, 3])
    found = YOLODataset(img_path=data["train"], data=data, task="pose").get_labels()
    assert len(found) == IMAGES
    rows, xy = [], []
    for one in sorted(found, key=lambda one: str(one["im_file"])):
        path = Path(one["im_file"])
        frame = int(path.stem.removeprefix("frame_"))
        for points in one["keypoints"]:
            rows.append((path.parent.name, frame, tuple(int(v) for v in points[:, 2])))
            xy.append(points[:, :2][points[:, 2] > 0] * (WIDTH, HEIGHT))
    assert sorted(rows) == without_tracks()
    places = np.concatenate(xy)
    assert np.allclose(np.sort(places, axis=0), np.sort(labelled_places(), axis=0), atol=CLOSE)


def without_tracks() -> list[tuple[Any, ...]]:
    return sorted((video, frame, v) for video, frame, _track, v in expected())


def labelled_places() -> np.ndarray:
    """(n, 2) pixels of all labelled keypoints."""
    blocks = [b for video in made_dataset("yolo-pose", *VIDEOS).videos for b in video.poses()]
    return np.concatenate([block.xy[block.v > 0] for block in blocks])
