"""The converted BlazePose models against TFLite's interpreter, on real and made pictures."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from ai_edge_litert.interpreter import Interpreter

from annotate.domain.errors import PackError
from annotate.domain.pack import read_pack
from annotate.packs import blazepose, convert
from annotate.packs.tflite_graph import read_graph
from annotate.packs.wheel import read_members
from tests.cpu_session import cpu_session
from tests.tflite_models import Array

WORLD_M = 1e-4
"""World landmarks, in metres."""
LANDMARK_PX = 0.01
"""x, y and z of landmarks, in pixels of the 256 pixel crop."""
BOX_PX = 0.01
"""Boxes and alignment keypoints, in pixels of the detector's 224 pixel picture."""
PROBABILITY = 1e-3
"""Scores, flag, visibility, presence and heatmap cells, after the sigmoid."""

LANDMARK_OUTPUTS = {
    "landmarks": "Identity",
    "flag": "Identity_1",
    "heatmap": "Identity_3",
    "world": "Identity_4",
}
VIDEOS = ["single_person", "two_people", "street_5fps"]


@dataclass(frozen=True)
class Person:
    """A picture with a person, (H, W, 3) RGB uint8, and the person's box x, y, w, h in pixels."""

    picture: Array
    box: Array


@dataclass(frozen=True)
class Pair:
    """The same model in ONNX Runtime and in TFLite's interpreter."""

    session: ort.InferenceSession
    interpreter: Interpreter

    def run(self, image: Array) -> tuple[dict[str, Array], dict[str, Array]]:
        """The outputs by name, ONNX's and TFLite's, of one (H, W, 3) float picture."""
        batch = image[None].astype(np.float32)
        names = [output.name for output in self.session.get_outputs()]
        converted = dict(zip(names, self.session.run(names, {"image": batch}), strict=True))
        self.interpreter.set_tensor(self.interpreter.get_input_details()[0]["index"], batch)
        self.interpreter.invoke()
        expected = {
            output["name"]: self.interpreter.get_tensor(output["index"])
            for output in self.interpreter.get_output_details()
        }
        return converted, expected


@pytest.fixture(scope="module")
def tflite_models(mediapipe_wheel: Path) -> list[bytes]:
    return read_members(mediapipe_wheel, (blazepose.DETECTOR, blazepose.LANDMARK))


@pytest.fixture(scope="module")
def detectors(blazepose_pack: Path, tflite_models: list[bytes]) -> Pair:
    file = blazepose_pack / read_pack(blazepose_pack).detector.file
    return pair(file.read_bytes(), tflite_models[0])


@pytest.fixture(scope="module", params=["full"])
def landmark_models(
    request: pytest.FixtureRequest, blazepose_pack: Path, tflite_models: list[bytes]
) -> Pair:
    if request.param == "full":
        file = blazepose_pack / read_pack(blazepose_pack).landmark.file
        return pair(file.read_bytes(), tflite_models[1])
    shared_data: Path = request.getfixturevalue("shared_data")
    model = (shared_data / "models" / f"pose_landmark_{request.param}.tflite").read_bytes()
    return pair(convert.convert(model, "landmarks", "image", LANDMARK_OUTPUTS), model)


@pytest.mark.parametrize("video", VIDEOS)
def test_detector_on_real_frames(shared_data: Path, detectors: Pair, video: str) -> None:
    scores = [assert_same_boxes(detectors, p.picture) for p in people_of(shared_data, video)]
    assert max(scores) > 0.5, "no person was found, so the frames prove little"


def test_detector_on_real_images(shared_data: Path, detectors: Pair) -> None:
    scores = [assert_same_boxes(detectors, p.picture) for p in labelled_people(shared_data)]
    assert max(scores) > 0.5, "no person was found, so the images prove little"


@pytest.mark.parametrize("video", VIDEOS)
def test_landmarks_on_real_frames(shared_data: Path, landmark_models: Pair, video: str) -> None:
    people = people_of(shared_data, video)
    flags = [assert_same_landmarks(landmark_models, crop(person)) for person in people]
    assert max(flags) > 0.5, "no crop shows a person, so the crops prove little"


@pytest.mark.parametrize("landmark_models", ["lite", "full", "heavy"], indirect=True)
def test_landmarks_on_real_images(shared_data: Path, landmark_models: Pair) -> None:
    people = labelled_people(shared_data)
    flags = [assert_same_landmarks(landmark_models, crop(person)) for person in people]
    assert max(flags) > 0.5, "no crop shows a person, so the crops prove little"


# No flat pictures, on which even TFLite's two sets of kernels differ by 0.1 pixels.
ROW, COLUMN = np.mgrid[0:256, 0:256]
MADE_PICTURES = {
    "noise": np.random.default_rng(3).uniform(0, 255, (256, 256, 3)),
    "gradients": np.stack([ROW, COLUMN, 255.0 - ROW], axis=-1),
    "disc on a stripe": np.stack([255.0 * (np.hypot(ROW - 60, COLUMN - 128) < 40)] * 3, axis=-1)
    + 100.0 * (abs(COLUMN - 128) < 30)[..., None],
}


@pytest.mark.parametrize("picture", MADE_PICTURES.values(), ids=MADE_PICTURES.keys())
def test_both_models_on_made_pictures(
    detectors: Pair, landmark_models: Pair, picture: Array
) -> None:
    pixels = picture.clip(0, 255).astype(np.uint8)
    assert_same_boxes(detectors, pixels)
    assert_same_landmarks(landmark_models, pixels)


def test_the_segmentation_is_cut(blazepose_pack: Path) -> None:
    model = onnx.load(blazepose_pack / read_pack(blazepose_pack).landmark.file)
    shapes = {
        output.name: [axis.dim_value for axis in output.type.tensor_type.shape.dim]
        for output in model.graph.output
    }
    assert shapes == {
        "landmarks": [1, 195],
        "flag": [1, 1],
        "heatmap": [1, 64, 64, 39],
        "world": [1, 117],
    }
    # MediaPipe's graph enlarges three times on the way to the heatmap and twice after it.
    assert [node.op_type for node in model.graph.node].count("Resize") == 3
    used = {name for node in model.graph.node for name in node.input}
    assert used >= {constant.name for constant in model.graph.initializer}


def test_operator_in_a_branch_that_is_cut_need_not_be_known(
    tflite_models: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = read_graph(tflite_models[1])
    kept = graph.operators_for((graph.output_named("Identity_1"),))
    strange = tuple(
        operator if operator in kept else replace(operator, name="STRANGE")
        for operator in graph.operators
    )
    monkeypatch.setattr(convert, "read_graph", lambda _: replace(graph, operators=strange))
    assert convert.convert(b"", "test", "image", {"flag": "Identity_1"})
    with pytest.raises(PackError, match="STRANGE"):
        convert.convert(b"", "test", "image", {"mask": "Identity_2"})


def test_another_process_makes_the_same_pack(
    mediapipe_wheel: Path, blazepose_pack: Path, tmp_path: Path
) -> None:
    code = (
        "import sys; from pathlib import Path; from annotate.packs.pull import pull;"
        "pull(Path(sys.argv[1]), wheel=Path(sys.argv[2]), progress=lambda *_: None)"
    )
    subprocess.run(
        [sys.executable, "-c", code, tmp_path, mediapipe_wheel],
        check=True,
        env=os.environ | {"PYTHONHASHSEED": "12345"},
    )
    assert read_pack(tmp_path / blazepose.NAME).digest == read_pack(blazepose_pack).digest


def assert_same_boxes(detectors: Pair, picture: Array) -> float:
    """Compare the detectors on the letterboxed picture; returns the best score."""
    converted, expected = detectors.run(letterbox(picture) / 127.5 - 1.0)
    np.testing.assert_allclose(converted["boxes"], expected["Identity"], rtol=0, atol=BOX_PX)
    scores = sigmoid(converted["scores"])
    np.testing.assert_allclose(scores, sigmoid(expected["Identity_1"]), rtol=0, atol=PROBABILITY)
    return float(scores.max())


def assert_same_landmarks(models: Pair, picture: Array) -> float:
    """Compare the landmark models on the crop; returns the flag."""
    converted, expected = models.run(picture / 255.0)
    landmarks = converted["landmarks"].reshape(39, 5)
    expected_landmarks = expected["Identity"].reshape(39, 5)
    np.testing.assert_allclose(
        landmarks[:, :3], expected_landmarks[:, :3], rtol=0, atol=LANDMARK_PX
    )
    np.testing.assert_allclose(converted["world"], expected["Identity_4"], rtol=0, atol=WORLD_M)
    for probability, other in (
        (sigmoid(landmarks[:, 3:]), sigmoid(expected_landmarks[:, 3:])),
        (sigmoid(converted["heatmap"]), sigmoid(expected["Identity_3"])),
        (converted["flag"], expected["Identity_1"]),
    ):
        np.testing.assert_allclose(probability, other, rtol=0, atol=PROBABILITY)
    return float(converted["flag"][0, 0])


def pair(onnx_model: bytes, tflite_model: bytes) -> Pair:
    interpreter = Interpreter(model_content=tflite_model)
    interpreter.allocate_tensors()
    return Pair(cpu_session(onnx_model), interpreter)


def people_of(shared_data: Path, video: str) -> Iterator[Person]:
    """The person that MediaPipe tracked, in the first, the middle and the last frame."""
    landmarks = np.load(shared_data / "reference" / f"{video}.static.npz")["landmarks"]
    capture = cv2.VideoCapture(str(shared_data / "videos" / f"{video}.mp4"))
    for index in range(len(landmarks)):
        _, frame = capture.read()
        if index in (0, len(landmarks) // 2, len(landmarks) - 1):
            points = landmarks[index, :, :2]
            low, high = points.min(axis=0), points.max(axis=0)
            yield Person(frame[..., ::-1], np.concatenate([low, high - low]))
    capture.release()


def labelled_people(shared_data: Path) -> Iterator[Person]:
    """The labelled people of the COCO images."""
    labels = json.loads((shared_data / "coco" / "person_keypoints.json").read_text())
    files = {image["id"]: image["file_name"] for image in labels["images"]}
    for annotation in labels["annotations"]:
        picture = cv2.imread(str(shared_data / "coco" / files[annotation["image_id"]]))
        assert picture is not None
        yield Person(picture[..., ::-1], np.array(annotation["bbox"]))


def crop(person: Person) -> Array:
    """The square around a person, (256, 256, 3)."""
    centre = person.box[:2] + person.box[2:] / 2
    scale = 256 / (1.25 * person.box[2:].max())
    shift = 128 - scale * centre
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    square: Array = cv2.warpAffine(
        person.picture, matrix, (256, 256), borderMode=cv2.BORDER_REPLICATE
    )
    return square


def letterbox(picture: Array) -> Array:
    """The whole picture in the middle of a black square, (224, 224, 3)."""
    height, width = picture.shape[:2]
    scale = 224 / max(height, width)
    shift = [(224 - scale * width) / 2, (224 - scale * height) / 2]
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    square: Array = cv2.warpAffine(picture, matrix, (224, 224))
    return square


def sigmoid(logits: Array) -> Array:
    probability: Array = 1 / (1 + np.exp(-logits.astype(np.float64).clip(-100, 100)))
    return probability
