"""AI Hub's asset of MediaPipe-Pose-Estimation: from its zip to a pack, from a video to COCO."""

import json
from pathlib import Path

import numpy as np
import pytest

from annotate.domain.detector_kinds import Ssd
from annotate.domain.landmark_kinds import BlazePose
from annotate.domain.pack import read_pack
from annotate.domain.roi_rules import RoiFromPoints
from annotate.inference import load_models
from annotate.packs.installed import installed_packs
from annotate.pipeline.decoders.ssd import anchor_centres
from annotate.use_cases.add_pack import add_pack
from annotate.video import VideoWriter
from tests.command import Host
from tests.made_asset import (
    HIDDEN,
    OFFSETS,
    REACH,
    SIZE,
    asset_files,
    change_metadata,
    detector_inputs,
    with_external_weights,
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
    assert "cannot track people" in refused.err
    assert host.opened().job_ids() == []


def test_a_missing_pack_is_named(host: Host, disc_video: Path) -> None:
    refused = host.run("submit", disc_video, "--pack", "qualcomm", code=5)
    assert "no model pack 'qualcomm'" in refused.err
    assert "models list" in refused.err


# The pack


def test_the_pack_has_the_constants_of_the_models_public_source(tmp_path: Path) -> None:
    pack = read_pack(add_pack(write_zip(tmp_path / "a.zip", asset_files()), tmp_path / "packs"))
    detector, landmark = pack.detector, pack.landmark
    assert isinstance(detector.decoder, Ssd)
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
    assert isinstance(landmark.decoder, BlazePose)
    assert landmark.decoder.landmarks_scale == 256.0
    assert pack.source == "AI Hub Models 0.65.0, onnx, float"


def test_an_asset_with_bgr_input_gets_blue_first(tmp_path: Path) -> None:
    files = asset_files()
    change_metadata(
        files,
        lambda metadata: detector_inputs(metadata)["image"]["image_metadata"].update(
            color_format="bgr"
        ),
    )
    folder = add_pack(write_zip(tmp_path / "a.zip", files), tmp_path / "packs")
    models = load_models(read_pack(folder), folder)
    picture = np.zeros((SIZE, SIZE, 3), np.float32)
    picture[..., 0] = 1.0
    assert models.detector.input_of(picture)[0, :, 0, 0].tolist() == [0, 0, 1]


def test_external_weights_are_moved_into_the_model(tmp_path: Path) -> None:
    files = with_external_weights(asset_files(), tmp_path)
    folder = add_pack(write_zip(tmp_path / "a.zip", files), tmp_path / "packs")
    assert [one.name for one in sorted(folder.iterdir())] == [
        "pack.json",
        "pose_detector.onnx",
        "pose_landmark_detector.onnx",
    ]


def test_the_same_asset_again_gives_the_same_pack(tmp_path: Path) -> None:
    asset = write_zip(tmp_path / "a.zip", asset_files())
    before = read_pack(add_pack(asset, tmp_path / "packs")).digest
    assert read_pack(add_pack(asset, tmp_path / "packs")).digest == before
    assert [pack.name for pack in installed_packs(tmp_path / "packs")[0]] == [FLOAT]
