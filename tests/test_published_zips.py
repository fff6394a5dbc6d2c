"""Zips as OpenMMLab and AI Hub publish them: from the zip and a video to COCO."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from annotate.domain.detector_kinds import FinalBoxes
from annotate.domain.keypoint_sets import KEYPOINT_SETS
from annotate.domain.landmark_kinds import HeatMap, SimCC
from annotate.domain.pack import read_pack
from annotate.domain.roi_rules import RoiFromBox, RoiFromKeypoints
from annotate.packs.from_zip import person_detector_from, published_models
from tests.command import Host
from tests.made_markers import CROP, DETECTOR, FRAMES, MEAN, STD, keypoints
from tests.made_zips import asset_zip, detector_zip, rtmpose_zip

# The largest distance from the markers' middles, in pixels of the picture. A bin of SimCC is 0.7
# pixels, a cell of a heat map 5.2, of which a quarter is what its neighbours tell.
SIMCC_PX, HEATMAP_PX = 1.5, 2.5

Zip = Callable[[Path], Path]


def rtmpose(count: int, data: str) -> Zip:
    name = f"rtmpose-m_simcc-{data}_pt-body7_420e-256x192-e48f03d0_20230504.zip"
    return lambda folder: rtmpose_zip(folder / name, count)


def rtmdet(folder: Path) -> Path:
    name = "rtmdet_m_8xb32-100e_coco-obj365-person-235e8209.zip"
    return detector_zip(folder / name, normalized=True)


def yolox(folder: Path) -> Path:
    name = "yolox_m_8xb8-300e_humanart-c2c7a14a.zip"
    return detector_zip(folder / name, normalized=False, fixed=False)


def asset(model_id: str) -> Zip:
    return lambda folder: asset_zip(folder / f"{model_id}-onnx-float.zip", model_id)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A host without any pack."""
    for name in ("home", "packs"):
        (tmp_path / name).mkdir()
    return Host(store=tmp_path / "store", packs=tmp_path / "packs", home=tmp_path / "home")


def found(exported: bytes, count: int) -> NDArray[np.float64]:
    """(FRAMES, 2, count, 3): keypoints of the person on the left and of the one on the right."""
    dataset = json.loads(exported)
    assert len(dataset["images"]) == FRAMES
    people = sorted(dataset["annotations"], key=lambda one: (one["image_id"], one["bbox"][0]))
    assert len({one["track_id"] for one in people}) == 2
    values = [one["keypoints"] for one in people]
    return np.array(values).reshape(FRAMES, 2, count, 3)


@pytest.mark.parametrize(
    ("zipped", "detector", "name", "keypoint_set", "off_px"),
    [
        (rtmpose(17, "body7"), rtmdet, "rtmpose-m-192x144", "coco17", SIMCC_PX),
        (rtmpose(26, "halpe26"), yolox, "rtmpose-m-192x144-halpe-26", "halpe26", SIMCC_PX),
        (
            asset("rtmpose_body2d"),
            asset("yolox"),
            "qualcomm-rtmpose-body2d",
            "wholebody133",
            SIMCC_PX,
        ),
        (asset("hrnet_pose"), asset("rtmdet"), "qualcomm-hrnet-pose", "coco17", HEATMAP_PX),
        (asset("litehrnet"), rtmdet, "qualcomm-litehrnet", "coco17", HEATMAP_PX),
    ],
    ids=["RTMPose", "RTMPose of 26", "RTMPose-Body2d", "HRNetPose", "LiteHRNet"],
)
def test_from_the_zip_and_a_video_to_coco(
    host: Host,
    markers: Path,
    zipped: Zip,
    detector: Zip,
    name: str,
    keypoint_set: str,
    off_px: float,
) -> None:
    home = host.home
    added = host.run("models", "add", zipped(home), "--detector", detector(home))
    assert f"--pack {name}" in added.out
    shown = host.run("models", "show", name).out
    assert "all 17 keypoints" in shown
    host.run("submit", markers, "--pack", name, "--smooth", "off", "--detect-every", "5")
    count = len(KEYPOINT_SETS[keypoint_set].names)
    people = found(host.exported("people.json", "--keypoints", keypoint_set), count)
    truth = np.array([keypoints(frame) for frame in range(FRAMES)])
    # The models give keypoint n the marker of number n mod 17.
    expected = truth[:, :, np.arange(count) % 17]
    assert np.abs(people[..., :2] - expected).max() <= off_px
    assert (people[..., 2] == 2).all()


@pytest.mark.parametrize("pack", ["simcc_pack", "heatmap_pack"])
def test_models_of_every_kind_become_8_bit_models(
    host: Host, markers: Path, pack: str, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(pack)
    shutil.copytree(folder, host.packs / folder.name)
    host.run("models", "quantize", folder.name, "--videos", markers)
    made, before = read_pack(host.packs / f"{folder.name}-w8a8"), read_pack(folder)
    assert made.landmark.sha256 != before.landmark.sha256
    assert (made.landmark.decoder, made.detector.decoder) == (
        before.landmark.decoder,
        before.detector.decoder,
    )


def test_the_pack_says_what_the_zips_say(simcc_pack: Path) -> None:
    pack = read_pack(simcc_pack)
    landmark, detector = pack.landmark, pack.detector
    assert pack.name == "rtmpose-m-192x144"
    assert pack.source == "OpenMMLab, rtmpose-m_simcc-body7_256x192, people by rtmdet"
    assert landmark.decoder == SimCC("simcc_x", "simcc_y")
    assert (landmark.size, landmark.layout, landmark.channels) == (CROP, "NCHW", "RGB")
    assert (landmark.mean, landmark.std, landmark.value_range) == (MEAN, STD, (0.0, 255.0))
    assert (landmark.border, landmark.grey, landmark.mask) == ("constant", 0, None)
    assert landmark.next_roi == RoiFromKeypoints(1.25, 0.2, 5, 0.25)
    # Every pose that a detection leads to counts, with its score.
    assert (landmark.score, landmark.min_score, landmark.min_start_score) == ("detection", 0, 0)
    assert not landmark.second_look
    assert detector.decoder == FinalBoxes("dets", labels="labels")
    assert (detector.size, detector.channels, detector.roi) == (
        (DETECTOR, DETECTOR),
        "BGR",
        RoiFromBox(1.25),
    )
    # Of red, green and blue, whatever the order of the channels.
    assert (detector.mean, detector.std) == (MEAN, STD)
    assert (detector.padding, detector.grey) == ("top-left", 114)
    assert (detector.min_score, detector.min_new_score) == (0.1, 0.3)


def test_colours_are_in_the_order_that_the_zip_says(tmp_path: Path) -> None:
    path = tmp_path / "rtmpose-m_simcc-body7_256x192.zip"
    landmark = published_models(rtmpose_zip(path, change={"to_rgb": False})).landmark
    assert landmark is not None
    assert landmark.spec.channels == "BGR"
    # The zip lists them in the order of the channels.
    assert (landmark.spec.mean, landmark.spec.std) == (MEAN[::-1], STD[::-1])


def test_the_pack_of_ai_hubs_zips_has_what_its_graphs_take(heatmap_pack: Path) -> None:
    pack = read_pack(heatmap_pack)
    landmark, detector = pack.landmark, pack.detector
    assert landmark.decoder == HeatMap("heatmaps")
    assert (landmark.channels, landmark.value_range) == ("RGB", (0.0, 1.0))
    assert detector.decoder == FinalBoxes("boxes", "scores", "class_idx", nms_iou=0.6)
    assert (detector.channels, detector.value_range) == ("BGR", (0.0, 1.0))


def test_published_inputs_that_the_metadata_describes_wrongly(tmp_path: Path) -> None:
    for model_id in ("rtmpose_body2d", "litehrnet"):
        landmark = published_models(asset(model_id)(tmp_path)).landmark
        assert landmark is not None
        assert (landmark.spec.channels, landmark.spec.value_range) == ("BGR", (0.0, 255.0))


def test_rtmdet_of_ai_hub_is_fed_as_in_its_evaluation(tmp_path: Path) -> None:
    spec = person_detector_from(asset("rtmdet")(tmp_path), 1.25).spec
    assert (spec.channels, spec.value_range) == ("RGB", (0.0, 1.0))


def test_a_zip_is_a_person_detector_of_any_pack(tmp_path: Path) -> None:
    for zipped in (rtmdet(tmp_path), yolox(tmp_path), asset("rtmdet")(tmp_path)):
        spec = person_detector_from(zipped, 1.5).spec
        assert (spec.roi, spec.size) == (RoiFromBox(1.5), (DETECTOR, DETECTOR))


def test_a_batch_of_any_size_becomes_one(tmp_path: Path) -> None:
    for built in (
        published_models(rtmpose(17, "body7")(tmp_path)).landmark,
        published_models(yolox(tmp_path)).detector,
    ):
        assert built is not None
        graph = onnx.load_model_from_string(built.model).graph
        width, height = built.spec.size
        shape = [axis.dim_value for axis in graph.input[0].type.tensor_type.shape.dim]
        assert shape == [1, 3, height, width]
