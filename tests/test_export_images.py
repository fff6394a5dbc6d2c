"""`annotate export --images`: exactly the images that the dataset names."""

import json
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest

from annotate.domain.export_options import ExportOptions, ImageFormat
from annotate.domain.video import Chunk
from annotate.use_cases.export import export
from annotate.video import decode, probe
from tests.command import Host
from tests.made_drawings import annotated, frames_of
from tests.test_draw import film

# Of 255: what lossy images lose of a drawn picture, in the mean.
LOSS: Mapping[ImageFormat, float] = {"png": 0.0, "webp": 6.0}


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


@pytest.mark.parametrize("kind", LOSS)
def test_images_are_of_the_kind_that_their_names_say(
    kind: ImageFormat, blazepose_pack: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made = annotated(film(tmp_path), blazepose_pack, range(50))
    out, folder = tmp_path / "people.json", tmp_path / "images"
    options = ExportOptions(out, every=10, images=folder, image_format=kind, partial=True)
    export(made.store, made.job, options, settings=made.settings)
    assert "imwrite" not in capfd.readouterr().err, "OpenCV takes no option that it does not know"
    named = [one["file_name"] for one in json.loads(out.read_text())["images"]]
    assert named == [f"film/frame_{frame:06d}.{kind}" for frame in range(0, 50, 10)]
    frames = frames_of(made.path)
    for place, name in enumerate(named):
        start = (folder / name).read_bytes()[:12]
        assert start[1:4] == b"PNG" if kind == "png" else start[8:] == b"WEBP"
        image = cv2.imread(str(folder / name))
        assert image is not None
        loss = np.abs(image[:, :, ::-1].astype(int) - frames[10 * place]).mean()
        assert loss <= LOSS[kind]
