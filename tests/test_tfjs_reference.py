"""The converted MoveNet and NanoDet against TF.js itself, which npm fetches.

Run by `pytest -m reference tests/test_tfjs_reference.py`; it needs Node.js, npm and its registry.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from annotate.domain.arrays import FloatArray
from annotate.domain.landmark_kinds import MoveNet
from annotate.packs.movenet import convert_movenet
from annotate.packs.nanodet import convert_nanodet
from annotate.pipeline.decoders.movenet import MoveNetDecoder
from tests.cpu_session import cpu_session
from tests.movenet_crops import Content, labelled_crops, movenet_spec
from tests.tfjs import Tfjs, installed_tfjs

pytestmark = pytest.mark.reference

HEAD = 3e-4
"""Largest difference of the raw values of a head, which are up to 75."""
KEYPOINT_PX = 1e-4
"""Of keypoints in pixels of the crop, from the same scaled picture."""
OWN_SCALING_PX = 2e-3
"""The same where each scales the picture for itself: TF.js holds 2/255 as a half float."""
SCORE = 1e-5
"""Of the scores of keypoints."""

PREFIX = "StatefulPartitionedCall/"
PICTURE = f"{PREFIX}sub_1"
HEADS = [
    f"{PREFIX}{head}/BiasAdd"
    for head in (
        "kpt_heatmap_0/conv2d_5",
        "center_0/conv2d_4",
        "kpt_regress_0/conv2d_6",
        "kpt_offset_0/conv2d_7",
    )
]
# Down and right in cells, before TF.js divides by the number of cells as a half float.
CELLS, ANSWER = f"{PREFIX}stack_5", "Identity"


@pytest.fixture(scope="module")
def tfjs(tmp_path_factory: pytest.TempPathFactory) -> Tfjs:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("no Node.js or npm")
    return installed_tfjs(tmp_path_factory.mktemp("tfjs"), node, npm)


def channels_first(values: FloatArray) -> FloatArray:
    return np.moveaxis(values, -1, 1)


def session(model: bytes) -> Callable[[FloatArray], list[FloatArray]]:
    """The converted model: a picture of one shape to all outputs."""
    loaded = cpu_session(model)
    return lambda picture: [np.asarray(one) for one in loaded.run(None, {"image": picture[None]})]


@pytest.mark.parametrize(("name", "side"), [("thunder", 256), ("lightning", 192)])
def test_movenet(shared_data: Path, tfjs: Tfjs, name: str, side: int) -> None:
    files = movenet_files(shared_data, name)
    pictures = [crop.pixels for crop in labelled_crops(shared_data, (side, side))][:4]
    cells = side // 4
    shapes = head_shapes(cells, cells)
    shapes |= {PICTURE: (side, side, 3), CELLS: (17, 2), ANSWER: (17, 3)}
    run = session(convert_movenet(files[0].read_bytes(), files[1].read_bytes()))
    decoder = MoveNetDecoder(movenet_spec(side, side), MoveNet("", "", "", ""))
    for picture, expected in zip(pictures, tfjs.run(files, "input", pictures, shapes), strict=True):
        heads = run(expected[PICTURE])
        for head, values in zip(HEADS, heads, strict=True):
            np.testing.assert_allclose(values, channels_first(expected[head]), rtol=0, atol=HEAD)
        points = expected[CELLS][:, ::-1] * 4 - 0.5
        landmarks, *_ = decoder.decode(heads)
        np.testing.assert_allclose(landmarks[:, :2], points, rtol=0, atol=KEYPOINT_PX)
        np.testing.assert_allclose(landmarks[:, 3], expected[ANSWER][:, 2], rtol=0, atol=SCORE)
        own, *_ = decoder.decode(run(picture * np.float32(2 / 255) - 1))
        np.testing.assert_allclose(own[:, :2], points, rtol=0, atol=OWN_SCALING_PX)


def test_movenet_of_another_size(shared_data: Path, tfjs: Tfjs, tmp_path: Path) -> None:
    width, height = 192, 256
    files = movenet_files(shared_data, "thunder")
    pictures = [crop.pixels / 127.5 - 1 for crop in labelled_crops(shared_data, (width, height))][
        :2
    ]
    shapes = head_shapes(64, 48)
    run = session(convert_movenet(files[0].read_bytes(), files[1].read_bytes(), (width, height)))
    answers = tfjs.run(narrower(files, tmp_path), PICTURE, pictures, shapes)
    for picture, expected in zip(pictures, answers, strict=True):
        for head, values in zip(HEADS, run(picture.astype(np.float32)), strict=True):
            np.testing.assert_allclose(values, channels_first(expected[head]), rtol=0, atol=HEAD)


def test_nanodet(shared_data: Path, tfjs: Tfjs) -> None:
    files = shared_data / "models" / "nanodet.json", shared_data / "models" / "nanodet.bin"
    picture = cv2.imread(str(shared_data / "coco" / "000000000785.jpg"))
    assert picture is not None
    scaled = (cv2.resize(picture, (416, 416)) / 57.0 - 2).astype(np.float32).transpose(2, 0, 1)
    shapes = {
        f"PartitionedCall/transpose_{number}": (1, 124, cells, cells)
        for number, cells in ((99, 52), (105, 26), (111, 13))
    }
    (expected,) = tfjs.run(files, "input_1", [scaled], shapes)
    outputs = session(convert_nanodet(files[0].read_bytes(), files[1].read_bytes()))(scaled)
    for values, answer in zip(outputs, expected.values(), strict=True):
        np.testing.assert_allclose(values, answer, rtol=0, atol=HEAD)


def head_shapes(rows: int, columns: int) -> dict[str, tuple[int, ...]]:
    """Shapes of the heads in TF.js."""
    return dict(zip(HEADS, [(1, rows, columns, n) for n in (17, 1, 34, 34)], strict=True))


def movenet_files(shared_data: Path, name: str) -> tuple[Path, Path]:
    folder = shared_data / "models"
    return folder / f"movenet-{name}.json", folder / f"movenet-{name}.bin"


def narrower(files: tuple[Path, Path], folder: Path) -> tuple[Path, Path]:
    """Thunder for pictures of three quarters of its width, whose enlarged maps are that too."""
    described: Content = json.loads(files[0].read_text())
    weights = bytearray(files[1].read_bytes())
    start = 0
    for entry in described["weightsManifest"][0]["weights"]:
        bytes_each = 2 if "quantization" in entry else 4
        if "up_sampling2d" in entry["name"]:
            height, width = np.frombuffer(bytes(weights[start : start + 8]), "<i4")
            weights[start : start + 8] = np.array([height, width * 3 // 4], "<i4").tobytes()
        start += bytes_each * int(np.prod(entry["shape"]))
    changed = folder / "narrower.json", folder / "narrower.bin"
    changed[0].write_text(json.dumps(described))
    changed[1].write_bytes(weights)
    return changed
