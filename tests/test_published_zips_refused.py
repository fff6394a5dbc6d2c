"""Published zips of which too little is known are refused, with what to do instead."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from annotate.domain.errors import ExitCode, PackError, UsageError
from annotate.packs.from_zip import person_detector_from, published_models, write_published
from tests.command import Host
from tests.made_asset import asset_files, change_metadata, write_zip
from tests.made_zips import asset_zip, detector_zip, rtmpose_zip

RTMPOSE = "rtmpose-m_simcc-body7_256x192.zip"


def files_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def changed(path: Path, ending: str, change: Callable[[bytes], bytes]) -> Path:
    """The zip with another content of the file that ends so."""
    files = {
        name: change(content) if name.endswith(ending) else content
        for name, content in files_of(path).items()
    }
    return write_zip(path, files)


def with_pipeline(path: Path, change: Callable[[list[dict[str, Any]]], object]) -> Path:
    """The zip with another `pipeline.json`; `change` gets its transforms."""

    def edit(content: bytes) -> bytes:
        pipeline = json.loads(content)
        change(pipeline["pipeline"]["tasks"][0]["transforms"])
        return json.dumps(pipeline).encode()

    return changed(path, "pipeline.json", edit)


def with_model(path: Path, change: Callable[[onnx.GraphProto], object]) -> Path:
    """The zip with another ONNX graph."""

    def edit(content: bytes) -> bytes:
        model = onnx.load_model_from_string(content)
        change(model.graph)
        return bytes(model.SerializeToString())

    return changed(path, ".onnx", edit)


def rename_outputs(graph: onnx.GraphProto) -> None:
    for output in graph.output:
        (node,) = (node for node in graph.node if output.name in node.output)
        node.output[0] = output.name = f"my_{output.name}"


def other_bins(graph: onnx.GraphProto) -> None:
    graph.output[0].type.tensor_type.shape.dim[2].dim_value = 192


def other_keypoints(graph: onnx.GraphProto) -> None:
    graph.output[0].type.tensor_type.shape.dim[1].dim_value = 16


def no_bins(graph: onnx.GraphProto) -> None:
    del graph.output[1].type.tensor_type.shape.dim[2]


def no_score(graph: onnx.GraphProto) -> None:
    graph.output[0].type.tensor_type.shape.dim[2].dim_value = 4


def no_batch(graph: onnx.GraphProto) -> None:
    del graph.output[1].type.tensor_type.shape.dim[0]


def no_size(graph: onnx.GraphProto) -> None:
    for axis in graph.input[0].type.tensor_type.shape.dim[2:]:
        axis.dim_param = "edge"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda folder: rtmpose_zip(folder / "rtmw-dw-m-s_simcc-cocktail14.zip", 133),
            "does not tell the scale of its scores",
        ),
        (
            lambda folder: rtmpose_zip(folder / "rtmpose-m_simcc-ap10k_256x256.zip"),
            "those of animals",
        ),
        (lambda folder: rtmpose_zip(folder / "my-model.zip"), "not as it was published"),
        (
            lambda folder: rtmpose_zip(folder / "rtmpose-m_simcc-hand5_256x256.zip", 21),
            "21 keypoints; those of people are coco-17, halpe-26, wholebody-133",
        ),
        (
            lambda folder: with_model(rtmpose_zip(folder / RTMPOSE), rename_outputs),
            "has the outputs my_simcc_x, my_simcc_y",
        ),
        (
            lambda folder: with_model(rtmpose_zip(folder / RTMPOSE), other_bins),
            "192 and 384 bins do not divide a crop of 144 x 192 evenly",
        ),
        *(
            (
                lambda folder, change=change: with_model(rtmpose_zip(folder / RTMPOSE), change),
                "not two distributions a keypoint",
            )
            for change in (other_keypoints, no_bins)
        ),
        *(
            (
                lambda folder, change=change: with_model(
                    detector_zip(folder / "rtmdet.zip", normalized=True), change
                ),
                "has outputs of shapes",
            )
            for change in (no_score, no_batch)
        ),
        (
            lambda folder: with_model(rtmpose_zip(folder / RTMPOSE), no_size),
            "the size of the input is not known",
        ),
        (
            lambda folder: with_pipeline(rtmpose_zip(folder / RTMPOSE), lambda steps: steps.pop()),
            "MMDeploy's format: KeyError 'Normalize'",
        ),
        (
            lambda folder: with_pipeline(
                rtmpose_zip(folder / RTMPOSE), lambda steps: steps[-1].update(mean=[1.0])
            ),
            "MMDeploy's format: ValueError",
        ),
        (
            lambda folder: changed(
                rtmpose_zip(folder / RTMPOSE), "pipeline.json", lambda _content: b"[1"
            ),
            "MMDeploy's format",
        ),
        (
            lambda folder: rtmpose_zip(folder / RTMPOSE, batch=4),
            "the input is not one picture",
        ),
        (
            lambda folder: write_zip(folder / "a.zip", {"end2end.onnx": b""}),
            "neither AI Hub's metadata.json nor OpenMMLab's pipeline.json",
        ),
    ],
    ids=[
        "RTMW",
        "animals",
        "another name",
        "hands",
        "other outputs",
        "uneven bins",
        "other numbers of keypoints",
        "a keypoint without bins",
        "boxes without a score",
        "labels without a batch",
        "an unknown size",
        "no normalization",
        "a mean of one number",
        "no JSON",
        "a batch of four",
        "no description",
    ],
)
def test_openmmlabs_zip_is_refused(
    tmp_path: Path, make: Callable[[Path], Path], message: str
) -> None:
    with pytest.raises(PackError, match=message) as raised:
        published_models(make(tmp_path))
    assert raised.value.hint


def quantized(scale: float) -> Callable[[dict[str, Any]], object]:
    """An input of integers with this step, for a change of the metadata."""

    def edit(metadata: dict[str, Any]) -> None:
        (file,) = metadata["model_files"].values()
        file["inputs"]["image"] |= {
            "dtype": "uint16",
            "quantization_parameters": {"scale": scale, "zero_point": 0},
        }

    return edit


def asset_with(
    folder: Path, model_id: str, change: Callable[[dict[str, Any]], object], *, integers: bool
) -> Path:
    """AI Hub's zip with other metadata; its picture is of integers if asked."""
    path = asset_zip(folder / "asset.zip", model_id)

    def edit(content: bytes) -> bytes:
        metadata = json.loads(content)
        change(metadata)
        return json.dumps(metadata).encode()

    def cast(graph: onnx.GraphProto) -> None:
        graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.UINT16

    return changed(with_model(path, cast) if integers else path, "metadata.json", edit)


def test_integers_that_do_not_reach_as_far_as_the_pixels_are_refused(tmp_path: Path) -> None:
    # LiteHRNet's graph subtracts means in 0-255.
    good = asset_with(tmp_path, "litehrnet", quantized(255 / 65535), integers=True)
    landmark = published_models(good).landmark
    assert landmark is not None
    assert landmark.spec.quantized["image"].scale == 255 / 65535
    bad = asset_with(tmp_path, "litehrnet", quantized(1 / 65535), integers=True)
    with pytest.raises(PackError, match="its integers reach over 1, the values of pixels 255"):
        published_models(bad)


def test_a_model_of_ai_hub_that_is_not_known_is_named(tmp_path: Path) -> None:
    path = asset_with(
        tmp_path, "yolox", lambda metadata: metadata.update(model_id="openpose"), integers=False
    )
    with pytest.raises(PackError, match="AI Hub's model 'openpose'") as raised:
        published_models(path)
    assert "models add --help" in raised.value.hint


@pytest.mark.parametrize(
    ("model_id", "missing"),
    [("hrnet_pose", "heatmaps"), ("rtmpose_body2d", "pred_x"), ("yolox", "boxes")],
)
def test_an_asset_with_other_outputs_is_refused(
    tmp_path: Path, model_id: str, missing: str
) -> None:
    path = with_model(asset_zip(tmp_path / "asset.zip", model_id), rename_outputs)

    def rename(content: bytes) -> bytes:
        metadata = json.loads(content)
        (file,) = metadata["model_files"].values()
        file["outputs"] = {f"my_{name}": one for name, one in file["outputs"].items()}
        return json.dumps(metadata).encode()

    with pytest.raises(PackError, match=f"no output '{missing}'") as raised:
        published_models(changed(path, "metadata.json", rename))
    assert "AI Hub's page" in raised.value.hint


def test_cells_of_other_proportions_than_the_picture_are_refused(tmp_path: Path) -> None:
    def widen(value: onnx.ValueInfoProto) -> None:
        value.type.tensor_type.shape.dim[3].dim_value = 40

    path = with_model(
        asset_zip(tmp_path / "asset.zip", "hrnet_pose"), lambda graph: widen(graph.output[0])
    )

    def edit(content: bytes) -> bytes:
        metadata = json.loads(content)
        metadata["model_files"]["hrnet_pose.onnx"]["outputs"]["heatmaps"]["shape"][3] = 40
        return json.dumps(metadata).encode()

    with pytest.raises(PackError, match="40 x 48 cells have other proportions"):
        published_models(changed(path, "metadata.json", edit))


# Both stages


def test_a_landmark_model_needs_a_person_detector(tmp_path: Path) -> None:
    host = Host(tmp_path / "store", tmp_path / "packs", tmp_path)
    pose = rtmpose_zip(tmp_path / RTMPOSE)
    refused = host.run("models", "add", pose, code=ExitCode.BAD_PACK)
    assert "has a landmark model only" in refused.err
    assert "--detector yolox_nano.onnx" in refused.err
    assert not list((tmp_path / "packs").iterdir())


def test_a_person_detector_alone_makes_no_pack(tmp_path: Path) -> None:
    detector = detector_zip(tmp_path / "rtmdet.zip", normalized=True)
    with pytest.raises(PackError, match="has a person detector only") as raised:
        write_published(detector, None, tmp_path)
    assert f"--detector {detector}" in raised.value.hint


def test_what_is_no_person_detector_is_refused(tmp_path: Path) -> None:
    pose = rtmpose_zip(tmp_path / RTMPOSE)
    faces = write_zip(tmp_path / "faces.zip", asset_files())
    for path in (pose, faces):
        with pytest.raises(PackError, match="has no person detector"):
            person_detector_from(path, 1.25)
    bare = tmp_path / "end2end.onnx"
    bare.write_bytes(files_of(detector_zip(tmp_path / "d.zip", normalized=True))["end2end.onnx"])
    with pytest.raises(PackError, match="not a YOLOX model") as raised:
        person_detector_from(bare, 1.25)
    assert "the zip that it came in" in raised.value.hint


def test_a_detector_beside_one_that_is_there_is_refused(tmp_path: Path) -> None:
    whole = write_zip(tmp_path / "whole.zip", asset_files())
    with pytest.raises(UsageError, match="has a detector of its own"):
        write_published(whole, detector_zip(tmp_path / "d.zip", normalized=True), tmp_path)


def test_files_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    folder = tmp_path / "pack"
    folder.mkdir()
    pose = rtmpose_zip(tmp_path / RTMPOSE)
    detector = detector_zip(tmp_path / "a" / RTMPOSE, normalized=True)
    pack = write_published(pose, detector, folder)
    assert pack.detector.file == f"detector-{pack.landmark.file}"
    assert {file.name for file in folder.iterdir()} == {
        "pack.json",
        pack.detector.file,
        pack.landmark.file,
    }


def test_the_value_range_stands_beside_the_image_metadata_too(tmp_path: Path) -> None:
    files = asset_files()

    def edit(metadata: dict[str, Any]) -> None:
        for file in metadata["model_files"].values():
            file["inputs"]["image"]["value_range"] = [-1.0, 1.0]

    change_metadata(files, edit)
    published = published_models(write_zip(tmp_path / "a.zip", files))
    assert published.detector is not None
    assert published.detector.spec.value_range == (-1.0, 1.0)
