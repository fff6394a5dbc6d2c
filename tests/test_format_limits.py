"""What a format cannot hold is refused with a next step, or left out as its readers want it."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from annotate.domain.errors import OutputError, UsageError
from annotate.formats.base import Dataset
from annotate.use_cases.export_images import check_sizes
from annotate.use_cases.output import output_folder
from tests.made_dataset import altered, made_dataset, made_video, tracks, write_at


def sized(width: int, ending: str) -> Dataset:
    dataset = made_dataset("coco", made_video(frames=1))
    (video,) = dataset.videos
    return replace(dataset, videos=(replace(video, width=width, image_ending=ending),))


@pytest.mark.parametrize(("ending", "largest"), [(".webp", 16_383), (".jpg", 65_500)])
def test_images_too_large_for_their_kind_are_refused(
    tmp_path: Path, ending: str, largest: int
) -> None:
    path = str(tmp_path / f"image{ending}")
    check_sizes(sized(largest, ending))
    assert cv2.imwrite(path, np.zeros((1, largest, 3), np.uint8))
    with pytest.raises(UsageError, match=f"at most {largest:,} pixels") as error:
        check_sizes(sized(largest + 1, ending))
    assert "png" in error.value.hint
    check_sizes(sized(largest + 1, ".png"))


def test_yolo_has_no_line_of_people_outside_the_picture(tmp_path: Path) -> None:
    people = tracks(range(1), 3)
    people.bbox[1, 2:] = (0, 40)  # pixels; as the merge cuts boxes at the border
    folder = write_at("yolo-pose", tmp_path / "y", made_video(altered(people), frames=1))
    (label,) = folder.rglob("frame_000000.txt")
    widths = [float(line.split()[3]) for line in label.read_text().splitlines()]
    assert len(widths) == 2
    assert min(widths) > 0


def test_a_name_too_long_for_the_disk_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as error, output_folder(tmp_path / "out") as folder:
        (folder / (256 * "a")).touch()
    assert "video's name" in error.value.hint


def test_a_long_name_that_the_disk_holds_is_no_partition_that_it_does_not(tmp_path: Path) -> None:
    name = 100 * "ж" + ".mp4"  # 204 bytes; in the name of a partition a quoted letter takes 6
    folder = write_at("parquet", tmp_path / "people", made_video(tracks(range(1), 1), name=name))
    assert len(list(folder.rglob("*.parquet"))) == 1
