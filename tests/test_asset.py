"""AI Hub's asset of MediaPipe-Pose-Estimation: from its zip to a pack, from a video to COCO."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from annotate.domain.errors import PackError
from annotate.domain.pack import read_pack
from annotate.domain.roi_rules import RoiFromPoints
from annotate.inference import load_models
from annotate.packs.installed import installed_packs
from annotate.pipeline.decoders.ssd import anchor_centres
from annotate.use_cases.add_pack import add_pack
from annotate.video import VideoWriter
from tests.command import Host
from tests.made_asset import (
    FOLDER,
    HIDDEN,
    OFFSETS,
    REACH,
    SIZE,
    asset_files,
    write_zip,
    yellow_disc,
)

FLOAT, W8A8 = "qualcomm-mediapipe-pose", "qualcomm-mediapipe-pose-w8a8"
WIDTH, HEIGHT, RADIUS, FRAMES = 320, 240, 22.0, 12
# The largest distance from the expected places, in pixels of the picture. The video stores colours
# at half the resolution; a quantization step of the landmarks is 0.007 pixels.
PLACE_PX = 0.5
UNLABELLED = {"left_knee", "right_knee", "left_ankle", "right_ankle"}


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A host without any pack."""
    for name in ("home", "packs"):
        (tmp_path / name).mkdir()
    return Host(store=tmp_path / "store", packs=tmp_path / "packs", home=tmp_path / "home")


def centre(frame: int) -> tuple[float, float]:
    """Centre of the disc in a frame of the made video, in pixels."""
    return 140.0 + 3 * frame, 130.0 - 2 * frame


@pytest.fixture(scope="module")
def disc_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "disc.mp4"
    with VideoWriter(path) as video:
        for frame in range(FRAMES):
            video.write(yellow_disc(WIDTH, HEIGHT, *centre(frame), RADIUS))
    return path


# From the zip to COCO


@pytest.mark.parametrize(("quantized", "name"), [(False, FLOAT), (True, W8A8)])
def test_from_the_zip_and_a_video_to_coco(
    host: Host, disc_video: Path, quantized: bool, name: str
) -> None:
    asset = write_zip(host.home / "asset.zip", asset_files(quantized=quantized))
    host.run("models", "add", asset)
    shown = host.run("models", "show", name).out
    assert "lacks left_knee, right_knee, left_ankle, right_ankle (v = 0)" in shown
    host.run("submit", disc_video, "--pack", name, "--smooth", "off")
    dataset = json.loads(host.exported())
    names = dataset["categories"][0]["keypoints"]
    assert len(dataset["annotations"]) == FRAMES
    side = 2 * REACH * 1.5 * WIDTH / SIZE
    for frame, annotation in enumerate(dataset["annotations"]):
        keypoints = np.array(annotation["keypoints"]).reshape(17, 3)
        v = dict(zip(names, keypoints[:, 2], strict=True))
        assert {key for key in names if v[key] == 0} == UNLABELLED
        assert {key for key in names if v[key] == 1} == {"left_wrist"}
        places = dict(zip(names, keypoints[:, :2], strict=True))
        for key, landmark in (("nose", 0), ("left_wrist", HIDDEN), ("right_hip", 24)):
            expected = np.array(centre(frame)) + OFFSETS[landmark] * side / 256
            assert np.abs(places[key] - expected).max() <= PLACE_PX, (frame, key)


def test_the_detector_must_run_on_every_frame(host: Host, disc_video: Path) -> None:
    host.run("models", "add", write_zip(host.home / "asset.zip", asset_files()))
    refused = host.run("submit", disc_video, "--pack", FLOAT, "--detect-every", "5", code=2)
    assert "cannot carry people" in refused.err
    assert host.opened().job_ids() == []


def test_a_missing_pack_is_named(host: Host, disc_video: Path) -> None:
    refused = host.run("submit", disc_video, "--pack", "qualcomm", code=5)
    assert "no model pack 'qualcomm'" in refused.err
    assert "models list" in refused.err


# The pack


def test_the_pack_has_the_constants_of_the_models_public_source(tmp_path: Path) -> None:
    pack = read_pack(add_pack(write_zip(tmp_path / "a.zip", asset_files()), tmp_path / "packs"))
    detector, landmark = pack.detector, pack.landmark
    centres = anchor_centres(detector.size[0], detector.decoder)
    assert (len(centres), detector.decoder.anchors(128)) == (896, 896)
    # The first and last of `anchors_pose.npy`, and the first of its second layer.
    assert centres[[0, 1, 512, 895]].tolist() == [
        [0.03125, 0.03125],
        [0.03125, 0.03125],
        [0.0625, 0.0625],
        [0.9375, 0.9375],
    ]
    assert detector.roi == RoiFromPoints(centre=2, tip=3, scale=1.5)
    assert detector.min_score == 0.75
    assert (detector.decoder.nms, detector.decoder.nms_iou) == ("hard", 0.3)
    assert (detector.size, detector.layout) == ((128, 128), "NCHW")
    assert detector.value_range == (0.0, 1.0)
    assert (landmark.count, landmark.border, landmark.grey) == (25, "constant", 0)
    assert landmark.decoder.landmarks_scale == 256.0
    assert pack.source == "AI Hub Models 0.65.0, onnx, float"


def test_an_asset_with_bgr_input_gets_blue_first(tmp_path: Path) -> None:
    files = asset_files()
    change(
        files,
        lambda metadata: inputs(metadata)["image"]["image_metadata"].update(color_format="bgr"),
    )
    folder = add_pack(write_zip(tmp_path / "a.zip", files), tmp_path / "packs")
    models = load_models(read_pack(folder), folder)
    picture = np.zeros((SIZE, SIZE, 3), np.float32)
    picture[..., 0] = 1.0
    assert models.detector.input_of(picture)[0, :, 0, 0].tolist() == [0, 0, 1]


def test_external_weights_are_moved_into_the_model(tmp_path: Path) -> None:
    files = asset_files()
    name = f"{FOLDER}/pose_landmark_detector.onnx"
    model = onnx.load_model_from_string(files[name])
    onnx.save_model(
        model,
        tmp_path / "pose_landmark_detector.onnx",
        save_as_external_data=True,
        location="pose_landmark_detector.data",
        size_threshold=64,
    )
    files[name] = (tmp_path / "pose_landmark_detector.onnx").read_bytes()
    without = dict(files)
    files[f"{FOLDER}/pose_landmark_detector.data"] = (
        tmp_path / "pose_landmark_detector.data"
    ).read_bytes()
    folder = add_pack(write_zip(tmp_path / "a.zip", files), tmp_path / "packs")
    assert [one.name for one in sorted(folder.iterdir())] == [
        "pack.json",
        "pose_detector.onnx",
        "pose_landmark_detector.onnx",
    ]
    assert_refused(tmp_path, without, r"contains no .*pose_landmark_detector\.data")


def test_the_same_asset_again_gives_the_same_pack(tmp_path: Path) -> None:
    asset = write_zip(tmp_path / "a.zip", asset_files())
    before = read_pack(add_pack(asset, tmp_path / "packs")).digest
    assert read_pack(add_pack(asset, tmp_path / "packs")).digest == before
    assert [pack.name for pack in installed_packs(tmp_path / "packs")] == [FLOAT]


# Refused assets


def change(files: dict[str, bytes], edit: Callable[[dict[str, Any]], object]) -> None:
    """Changes the metadata of an asset in place."""
    name = f"{FOLDER}/metadata.json"
    metadata = json.loads(files[name])
    edit(metadata)
    files[name] = json.dumps(metadata).encode()


def inputs(metadata: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = metadata["model_files"]["pose_detector.onnx"]["inputs"]
    return found


def rename_model(files: dict[str, bytes]) -> None:
    def edit(metadata: dict[str, Any]) -> None:
        models = metadata["model_files"]
        models["pose_detector.tflite"] = models.pop("pose_detector.onnx")

    change(files, edit)
    files[f"{FOLDER}/pose_detector.tflite"] = files.pop(f"{FOLDER}/pose_detector.onnx")


def compile_detector(files: dict[str, bytes]) -> None:
    name = f"{FOLDER}/pose_detector.onnx"
    model = onnx.load_model_from_string(files[name])
    graph = model.graph
    del graph.node[:], graph.initializer[:]
    outputs = [value.name for value in graph.output]
    graph.node.append(
        onnx.helper.make_node("EPContext", ["image"], outputs, domain="com.microsoft")
    )
    model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    files[name] = model.SerializeToString()


def other_shape(files: dict[str, bytes]) -> None:
    change(files, lambda metadata: inputs(metadata)["image"].update(shape=[1, 3, 192, 192]))


def swap_stages(files: dict[str, bytes]) -> None:
    """Makes a valid zip whose detector is the landmark model."""
    one, other = (f"{FOLDER}/{stage}.onnx" for stage in ("pose_detector", "pose_landmark_detector"))
    files[one], files[other] = files[other], files[one]

    def edit(metadata: dict[str, Any]) -> None:
        models = metadata["model_files"]
        first, second = models["pose_detector.onnx"], models["pose_landmark_detector.onnx"]
        models["pose_detector.onnx"], models["pose_landmark_detector.onnx"] = second, first

    change(files, edit)


def point_weights_outside(files: dict[str, bytes]) -> None:
    name = f"{FOLDER}/pose_detector.onnx"
    model = onnx.load_model_from_string(files[name])
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../../etc/passwd")
    files[name] = model.SerializeToString()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda files: files.update({"../evil.sh": b"rm"}), "a path outside of it"),
        (lambda files: files.update({"/etc/evil": b"rm"}), "a path outside of it"),
        (lambda files: files.update({"..\\evil.bat": b"rm"}), "a path outside of it"),
        (point_weights_outside, "contains no .*etc/passwd"),
        (lambda files: files.pop(f"{FOLDER}/metadata.json"), "0 files metadata.json"),
        (lambda files: files.update({"b/metadata.json": b"{}"}), "2 files metadata.json"),
        (
            lambda files: files.update({f"{FOLDER}/metadata.json": b"[1"}),
            "does not have AI Hub's format",
        ),
        (
            lambda files: files.update({f"{FOLDER}/metadata.json": b"[]"}),
            "does not have AI Hub's format",
        ),
        (
            lambda files: change(files, lambda metadata: metadata.pop("model_files")),
            "does not have AI Hub's format",
        ),
        (
            lambda files: change(files, lambda metadata: metadata.update(precision="../x")),
            "is not a valid precision",
        ),
        (
            lambda files: files.pop(f"{FOLDER}/pose_detector.onnx"),
            r"contains no .*pose_detector\.onnx",
        ),
        (
            lambda files: change(
                files, lambda metadata: metadata["model_files"].pop("pose_detector.onnx")
            ),
            "contains no pose_detector",
        ),
        (rename_model, r"pose_detector\.tflite, which is not ONNX"),
        (compile_detector, "compiled for one chipset"),
        (
            lambda files: files.update({f"{FOLDER}/pose_detector.onnx": b"no model at all"}),
            "is not an ONNX model",
        ),
        (other_shape, "but metadata.json says"),
        (swap_stages, "is not the expected model"),
    ],
    ids=[
        "a path upwards",
        "an absolute path",
        "a path upwards for Windows",
        "weights outside of the zip",
        "no metadata",
        "metadata twice",
        "metadata that is not JSON",
        "metadata of another type",
        "metadata without models",
        "a precision that is a path",
        "a missing model",
        "a model that is not described",
        "TFLite",
        "a compiled model",
        "a file that is not a model",
        "another shape than the model's",
        "the two models swapped",
    ],
)
def test_an_invalid_asset_is_refused_and_leaves_nothing(
    tmp_path: Path, damage: Callable[[dict[str, bytes]], object], message: str
) -> None:
    files = asset_files()
    damage(files)
    assert_refused(tmp_path, files, message)


def assert_refused(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    root = tmp_path / "refused"
    with pytest.raises(PackError, match=message) as raised:
        add_pack(write_zip(tmp_path / "bad.zip", files), root)
    assert raised.value.hint
    assert list(root.iterdir()) == []
    assert not (tmp_path / "evil.sh").exists()


def test_a_missing_or_zero_scale_is_refused(tmp_path: Path) -> None:
    files = asset_files(quantized=True)
    steps = "quantization_parameters"
    change(files, lambda metadata: inputs(metadata)["image"][steps].update(scale=0))
    assert_refused(tmp_path, files, "the scale of 'image' is 0")
    change(files, lambda metadata: inputs(metadata)["image"].pop(steps))
    assert_refused(tmp_path, files, "'image' is uint8, without a scale")


def test_a_missing_file_or_one_that_is_not_a_zip_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK no zip")
    with pytest.raises(PackError, match=r"a\.zip is not a zip file"):
        add_pack(tmp_path / "a.zip", tmp_path / "packs")
    with pytest.raises(PackError, match=r"b\.zip cannot be read"):
        add_pack(tmp_path / "b.zip", tmp_path / "packs")
    assert list((tmp_path / "packs").iterdir()) == []


def test_a_damaged_member_is_named(tmp_path: Path) -> None:
    content = bytearray(write_zip(tmp_path / "a.zip", asset_files()).read_bytes())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        member = archive.getinfo(f"{FOLDER}/pose_detector.onnx")
    content[member.header_offset + 60 + member.compress_size // 2] ^= 0xFF
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(PackError, match=r"pose_detector\.onnx is damaged"):
        add_pack(tmp_path / "a.zip", tmp_path / "packs")


def test_a_model_that_does_not_run_is_refused(tmp_path: Path) -> None:
    files = asset_files()
    name = f"{FOLDER}/pose_detector.onnx"
    model = onnx.load_model_from_string(files[name])
    (slicing,) = (node for node in model.graph.node if node.op_type == "Slice")
    slicing.input[0] = "nothing_makes_this"
    files[name] = model.SerializeToString()
    assert_refused(tmp_path, files, "nothing_makes_this")
