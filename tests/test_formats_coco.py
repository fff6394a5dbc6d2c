"""The COCO files, as written by us and as read by others."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from annotate.domain.errors import UsageError
from annotate.domain.skeleton import COCO_KEYPOINTS, SKELETONS, Skeleton
from annotate.domain.tracks import Tracks
from annotate.formats.base import StreamFormat
from annotate.formats.coco_common import ROWS
from annotate.formats.names import video_folders
from annotate.formats.registry import find_format, format_names
from tests.made_dataset import (
    BLAZEPOSE,
    HEIGHT,
    WIDTH,
    Video,
    altered,
    made_dataset,
    tracks,
    written,
)
from tests.made_dataset import made_video as video

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def annotations(*videos: Video, skeleton: Skeleton = BLAZEPOSE) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(written("coco", *videos, skeleton=skeleton))
    return content


def results(*videos: Video, skeleton: Skeleton = BLAZEPOSE) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads(written("coco-results", *videos, skeleton=skeleton))
    return content


def average_precision(folder: Path, *videos: Video, skeleton: Skeleton = BLAZEPOSE) -> COCOeval:
    """pycocotools' evaluation of the results file against the annotation file."""
    for name, format_name in (("people.json", "coco"), ("results.json", "coco-results")):
        (folder / name).write_bytes(written(format_name, *videos, skeleton=skeleton))
    known = COCO(folder / "people.json")
    run = COCOeval(known, known.loadRes(str(folder / "results.json")), "keypoints")
    run.evaluate()
    run.accumulate()
    run.summarize()
    return run


def hidden(block: Tracks, rows: slice) -> Tracks:
    """The same, but in `rows` no keypoint is in the picture."""
    smoothed = block.smoothed.copy()
    smoothed[rows, :, 3:] = 0
    return altered(block, smoothed=smoothed)


def tied(block: Tracks) -> Tracks:
    return altered(block, score=np.full(len(block), 0.5, np.float32))


def filled(block: Tracks) -> Tracks:
    every_third = np.arange(len(block)) % 3 == 0
    score = np.where(every_third, np.float32(0), block.score)
    return altered(block, score=score, filled=every_third)


TWO = tracks(range(10), 2)
FAR_RIGHT = np.array([1e5, 0, 0, 0, 0], np.float32)


@pytest.mark.parametrize(
    ("block", "skeleton"),
    [
        pytest.param(TWO, BLAZEPOSE, id="two people"),
        pytest.param(tracks(range(10), 20), BLAZEPOSE, id="as many people as COCO counts"),
        pytest.param(hidden(TWO, slice(5, 9)), BLAZEPOSE, id="poses without a labelled keypoint"),
        pytest.param(tied(TWO), BLAZEPOSE, id="equal scores"),
        pytest.param(filled(TWO), BLAZEPOSE, id="filled poses"),
        pytest.param(
            tracks(range(10), 3, landmarks=25), SKELETONS["blazepose-25"], id="no knees or ankles"
        ),
        pytest.param(
            altered(
                TWO,
                smoothed=TWO.smoothed
                + FAR_RIGHT * (TWO.score > 0.5)[:, None, None].astype(np.float32),
            ),
            BLAZEPOSE,
            id="poses outside the picture",
        ),
    ],
)
def test_the_results_file_scores_one_against_the_annotation_file(
    block: Tracks, skeleton: Skeleton, tmp_path: Path
) -> None:
    run = average_precision(tmp_path, video(block), skeleton=skeleton)
    ap, ar = run.stats[0], run.stats[5]
    assert (ap, ar) == (1, 1)


def test_two_videos_in_one_file_score_one(tmp_path: Path) -> None:
    one = video(TWO)
    other = video(tracks(range(4), 3, seed=1), frames=4, name="b.mp4")
    assert average_precision(tmp_path, one, other).stats[0] == 1


def test_every_frame_is_an_image_also_without_people() -> None:
    content = annotations(video(tracks(range(3, 5), 1), frames=7))
    (walk,) = content["videos"]
    assert walk == walk | {"id": 1, "name": "a/walk.mp4", "width": 640, "height": 480, "fps": 30.0}
    assert walk["time_base"] == "1/15360"
    assert (walk["start_s"], walk["duration_s"]) == (0, round(7 / 30, 6))
    assert walk["player_start_s"] == 0
    assert [image["id"] for image in content["images"]] == [1, 2, 3, 4, 5, 6, 7]
    assert content["images"][6] == {
        "id": 7,
        "file_name": "a/walk/frame_000006.jpg",
        "width": WIDTH,
        "height": HEIGHT,
        "video_id": 1,
        "frame_id": 6,
        "frame_index": 6,
        "pts": 6 * 512,
        "time_s": 0.2,
    }
    assert {a["image_id"] for a in content["annotations"]} == {4, 5}


def test_tracks_of_different_videos_have_different_ids() -> None:
    content = annotations(
        video(TWO), video(tracks(range(4), 3, seed=1), frames=4, name="b.mp4"), video(name="c.mp4")
    )
    image = {one["id"]: one["video_id"] for one in content["images"]}
    found = {
        (image[a["image_id"]], a["video_track_id"], a["track_id"]) for a in content["annotations"]
    }
    assert found == {(1, 1, 1), (1, 2, 2), (2, 1, 3), (2, 2, 4), (2, 3, 5)}


def test_more_rows_than_are_written_at_a_time_are_one_list_each() -> None:
    block = tracks(range(2500), 2)
    content = annotations(video(block, frames=4500))
    assert [image["id"] for image in content["images"]] == list(range(1, 4501))
    assert [one["id"] for one in content["annotations"]] == list(range(1, 5001))
    one, image = content["annotations"][4321], content["images"][2160]
    assert (one["image_id"], one["track_id"]) == (2161, 2)
    assert (image["id"], image["frame_index"]) == (2161, 2160)
    assert (image["pts"], image["time_s"]) == (2160 * 512, 72.0)
    assert one["score"] == round(float(block.score[4321]), 4)
    nose, labelled = block.smoothed[4321, 0], one["keypoints"][2] > 0
    expected = [round(float(n), 2) for n in nose[:2]] if labelled else [0, 0]
    assert one["keypoints"][:2] == expected
    assert one["keypoint_scores"][0] == round(float(nose[3]), 3)
    assert one["bbox"] == [round(float(n), 2) for n in block.bbox[4321]]
    assert len(results(video(block, frames=4500))) > 4900


def test_the_number_at_the_end_of_an_images_name_is_its_frame() -> None:
    for image in annotations(video(frames=12))["images"]:
        number = re.search(r"(\d+)\.jpg$", image["file_name"])
        assert number is not None
        assert int(number[1]) == image["frame_id"]


def test_an_annotation_has_what_every_reader_wants() -> None:
    content = annotations(video(TWO))
    assert [a["id"] for a in content["annotations"]] == list(range(1, 21))
    for annotation in content["annotations"]:
        v = annotation["keypoints"][2::3]
        assert len(annotation["keypoints"]) == 51
        assert set(v) <= {0, 1, 2}
        assert all(isinstance(one, int) for one in v)
        assert annotation["num_keypoints"] == sum(one > 0 for one in v)
        assert len(annotation["keypoint_scores"]) == 17
        assert annotation["iscrowd"] == 0
        assert annotation["segmentation"] == []
        assert annotation["category_id"] == content["categories"][0]["id"] == 1
        width, height = annotation["bbox"][2:]
        assert annotation["area"] == pytest.approx(0.53 * width * height, abs=0.01)
        track = annotation["track_id"]
        assert track == annotation["video_track_id"] in (1, 2)
        assert annotation["attributes"] == {"track_id": track, "keyframe": True, "filled": False}


def test_the_category_is_cocos_person_with_edges_from_one() -> None:
    (person,) = annotations(video())["categories"]
    assert person["name"] == "person"
    assert person["keypoints"] == list(COCO_KEYPOINTS)
    assert {place for edge in person["skeleton"] for place in edge} == set(range(1, 18))


def test_an_unlabelled_keypoint_is_zeros_in_one_file_and_a_place_in_the_other() -> None:
    smoothed = TWO.smoothed.copy()
    smoothed[0, 0] = (12.345, 67.891, 0, 0.1, 0.1)  # the nose
    smoothed[0, 2] = (23.456, 78.912, 0, 0.9, 0.9)  # the left eye
    block = altered(TWO, smoothed=smoothed)
    assert annotations(video(block))["annotations"][0]["keypoints"][:6] == [
        0,
        0,
        0,
        23.46,
        78.91,
        2,
    ]
    assert results(video(block))[0]["keypoints"][:6] == [12.35, 67.89, 1, 23.46, 78.91, 1]


def test_a_keypoint_that_rounding_puts_outside_the_picture_is_unlabelled() -> None:
    smoothed = TWO.smoothed.copy()
    smoothed[0, 0] = (WIDTH - 0.001, 10, 0, 1, 1)
    smoothed[0, 2] = (-0.001, 10, 0, 1, 1)
    block = altered(TWO, smoothed=smoothed)
    keypoints = annotations(video(block))["annotations"][0]["keypoints"]
    assert keypoints[:6] == [0, 0, 0, 0, 10, 2]
    assert b"-0.0" not in written("coco-results", video(block))


def test_a_result_is_what_pycocotools_documents_and_a_track() -> None:
    one = results(video(TWO))[3]
    assert set(one) == {"image_id", "category_id", "keypoints", "score", "track_id"}
    assert (one["image_id"], one["category_id"], one["track_id"]) == (2, 1, 2)
    assert one["score"] == pytest.approx(float(TWO.score[3]), abs=1e-4)


def test_a_pose_without_a_labelled_keypoint_is_annotated_but_no_result() -> None:
    content = video(hidden(TWO, slice(5, 9)))
    unlabelled = [a for a in annotations(content)["annotations"] if a["num_keypoints"] == 0]
    assert len(unlabelled) == 4
    assert len(results(content)) == len(TWO) - 4


def test_filled_poses_are_marked() -> None:
    written = annotations(video(filled(TWO)))["annotations"]
    assert [a["filled"] for a in written] == [row % 3 == 0 for row in range(20)]


def test_blocks_make_no_difference_to_the_file() -> None:
    whole = tracks(range(10), 2)
    halves = [
        Tracks(**{name: column[rows] for name, column in vars(whole).items()})
        for rows in (slice(0, 8), slice(8, 20))
    ]
    for name in ("coco", "coco-results", "csv", "cvat", "deeplabcut"):
        assert written(name, video(*halves)) == written(name, video(whole))


def test_an_empty_dataset_is_still_a_dataset() -> None:
    assert annotations() == annotations() | {"images": [], "annotations": [], "videos": []}
    assert results() == []


@pytest.mark.parametrize("name", ["coco", "coco-results"])
def test_the_files_are_streams(name: str) -> None:
    opened = 0

    def blocks() -> Iterator[Tracks]:
        nonlocal opened
        for start in range(0, 10_000, 500):
            opened += 1
            yield tracks(range(start, start + 500), 1)

    class Out(io.BytesIO):
        seen, longest = 0, 0

        def write(self, piece: "ReadableBuffer") -> int:
            self.longest = max(self.longest, len(bytes(piece)))
            self.seen += bytes(piece).count(b'"category_id"')
            # Two blocks ahead of what is written, however many there are.
            assert 500 * opened <= self.seen + 2500
            return super().write(piece)

    out = Out()
    file_format = find_format(name)
    assert isinstance(file_format, StreamFormat)
    file_format.write(made_dataset(name, video(frames=10_000, stream=blocks)), out)
    assert out.seen == opened * 500 == 10_000
    assert out.longest < 2_000_000


def test_an_unknown_format_is_refused_with_all_names() -> None:
    with pytest.raises(UsageError) as raised:
        find_format("yolo")
    assert raised.value.message == f"--format: 'yolo' is not one of: {', '.join(format_names())}"


@pytest.mark.parametrize("name", format_names())
def test_a_format_has_the_name_of_its_entry(name: str) -> None:
    assert find_format(name).name == name


@pytest.mark.parametrize(
    ("names", "folders"),
    [
        pytest.param(["a.mp4", "b.mp4"], ["a", "b"], id="different stems"),
        pytest.param(["x/a.mp4", "y/a.mp4"], ["x/a", "y/a"], id="the same stem elsewhere"),
        pytest.param(["a.mp4", "a.mov", "b.mp4"], ["a.mp4", "a.mov", "b"], id="the same stem"),
        pytest.param(["a", "a.mp4"], ["a", "a.mp4"], id="a name without an ending"),
        pytest.param(
            ["a.mp4", "a.mov", "a.mp4.mkv"],
            ["a.mp4", "a.mov", "a.mp4.mkv"],
            id="a stem that is another's name",
        ),
    ],
)
def test_folders_of_images_tell_videos_apart_by(names: list[str], folders: list[str]) -> None:
    assert video_folders(names) == folders


def test_images_of_videos_with_one_stem_have_different_names() -> None:
    content = annotations(video(frames=3, name="a.mp4"), video(frames=3, name="a.mov"))
    assert len({image["file_name"] for image in content["images"]}) == 6


def test_an_area_is_rounded_to_the_nearest_hundredth() -> None:
    """In the middle between two, where NumPy goes to the other one."""
    sides = np.array([[50.0, 50.01], [50.0, 50.05], [50.0, 50.11]])
    box = np.hstack([np.zeros((3, 2)), sides]).astype(np.float32)
    found = annotations(video(altered(tracks(range(3), 1), bbox=box)))["annotations"]
    assert [one["area"] for one in found] == [1325.27, 1326.33, 1327.91]


def test_rows_that_are_written_in_pieces_are_all_there_and_numbered_on() -> None:
    frames, people = ROWS + 1, 2
    found = annotations(video(tracks(range(frames), people), frames=frames))
    assert [one["id"] for one in found["images"]] == list(range(1, frames + 1))
    assert [one["id"] for one in found["annotations"]] == list(range(1, people * frames + 1))
    assert len(results(video(tracks(range(frames), people), frames=frames))) == people * frames
