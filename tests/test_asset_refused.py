"""Assets that are damaged, unsafe or of other models are refused and leave nothing."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from annotate.domain.errors import PackError
from annotate.use_cases.add_pack import add_pack
from tests.made_asset import (
    FOLDER,
    asset_files,
    change_metadata,
    detector_inputs,
    with_external_weights,
    write_zip,
)


def rename_model(files: dict[str, bytes], ending: str) -> None:
    """Makes the zip one for another runtime."""

    def edit(metadata: dict[str, Any]) -> None:
        models = metadata["model_files"]
        models[f"pose_detector.{ending}"] = models.pop("pose_detector.onnx")

    change_metadata(files, edit)
    files[f"{FOLDER}/pose_detector.{ending}"] = files.pop(f"{FOLDER}/pose_detector.onnx")


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
    change_metadata(
        files, lambda metadata: detector_inputs(metadata)["image"].update(shape=[1, 3, 192, 192])
    )


def swap_stages(files: dict[str, bytes]) -> None:
    """Makes a valid zip whose detector is the landmark model."""
    one, other = (f"{FOLDER}/{stage}.onnx" for stage in ("pose_detector", "pose_landmark_detector"))
    files[one], files[other] = files[other], files[one]

    def edit(metadata: dict[str, Any]) -> None:
        models = metadata["model_files"]
        first, second = models["pose_detector.onnx"], models["pose_landmark_detector.onnx"]
        models["pose_detector.onnx"], models["pose_landmark_detector.onnx"] = second, first

    change_metadata(files, edit)


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
        (lambda files: files.pop(f"{FOLDER}/metadata.json"), "neither AI Hub's metadata.json"),
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
            lambda files: change_metadata(files, lambda metadata: metadata.pop("model_files")),
            "does not have AI Hub's format",
        ),
        (
            lambda files: change_metadata(
                files, lambda metadata: metadata.update(precision="../x")
            ),
            "is not a valid precision",
        ),
        (
            lambda files: files.pop(f"{FOLDER}/pose_detector.onnx"),
            r"contains no .*pose_detector\.onnx",
        ),
        (
            lambda files: change_metadata(
                files, lambda metadata: metadata["model_files"].pop("pose_detector.onnx")
            ),
            "contains no pose_detector",
        ),
        (
            lambda files: rename_model(files, "tflite"),
            r"pose_detector\.tflite, which is not ONNX",
        ),
        (lambda files: rename_model(files, "dlc"), r"pose_detector\.dlc, which is not ONNX"),
        (lambda files: rename_model(files, "bin"), r"pose_detector\.bin, which is not ONNX"),
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
        "a DLC",
        "a context binary",
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
    change_metadata(
        files, lambda metadata: detector_inputs(metadata)["image"][steps].update(scale=0)
    )
    assert_refused(tmp_path, files, "the scale of 'image' is 0")
    change_metadata(files, lambda metadata: detector_inputs(metadata)["image"].pop(steps))
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


def test_missing_external_weights_are_named(tmp_path: Path) -> None:
    files = with_external_weights(asset_files(), tmp_path)
    del files[f"{FOLDER}/pose_landmark_detector.data"]
    assert_refused(tmp_path, files, r"contains no .*pose_landmark_detector\.data")
