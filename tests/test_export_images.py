"""`annotate export --images`: exactly the images that the dataset names."""

import json
from pathlib import Path

import cv2
import numpy as np

from annotate.domain.video import Chunk
from annotate.video import decode, probe
from tests.command import Host


def test_a_dataset_has_the_images_that_it_names(host: Host, stroll: Path) -> None:
    host.run("submit", stroll)
    host.run("export", "--every", "7", "--out", "people.json", "--images", "images")
    named = {
        one["file_name"] for one in json.loads((host.home / "people.json").read_text())["images"]
    }
    folder = host.home / "images"
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg")}
    assert found == named == {f"stroll/frame_{frame:06d}.jpg" for frame in range(0, 60, 7)}
    frames = list(decode(stroll, probe(stroll), Chunk(0, 60)))
    for frame in (0, 21, 56):
        image = cv2.imread(str(folder / f"stroll/frame_{frame:06d}.jpg"))
        assert image is not None
        difference = np.abs(image[:, :, ::-1].astype(int) - frames[frame].rgb)
        other = np.abs(image[:, :, ::-1].astype(int) - frames[frame - 7 if frame else 7].rgb)
        assert difference.mean() < 3  # of 255: what JPEG loses
        assert difference.mean() < other.mean()
