"""Listing packs and verifying their files."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from annotate.domain.errors import HostError, PackError
from annotate.domain.pack import PACK_FILE, read_pack
from annotate.packs.installed import installed_packs, verify_pack
from annotate.packs.model_size import parameter_count
from tests.command import Host


@pytest.fixture
def pack_folder(blazepose_pack: Path, tmp_path: Path) -> Path:
    """A copy of the pack for a test to damage."""
    return Path(shutil.copytree(blazepose_pack, tmp_path / blazepose_pack.name))


def test_intact_pack_is_returned(pack_folder: Path) -> None:
    assert verify_pack(pack_folder) == read_pack(pack_folder)


def test_missing_model_is_named(pack_folder: Path) -> None:
    (pack_folder / "pose_detection.onnx").unlink()
    with pytest.raises(PackError, match=r"pose_detection\.onnx is missing"):
        verify_pack(pack_folder)


def test_damaged_model_is_named(pack_folder: Path) -> None:
    file = pack_folder / "pose_landmark_full.onnx"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(PackError, match=r"pose_landmark_full\.onnx is damaged"):
        verify_pack(pack_folder)


needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes")


@needs_pipes
def test_pipe_instead_of_the_description_is_not_waited_for(pack_folder: Path) -> None:
    (pack_folder / PACK_FILE).unlink()
    os.mkfifo(pack_folder / PACK_FILE)
    with pytest.raises(HostError, match=rf"{PACK_FILE} cannot be read .*: not a file"):
        read_pack(pack_folder)


@needs_pipes
def test_pipe_instead_of_a_model_is_not_waited_for(pack_folder: Path) -> None:
    (pack_folder / "pose_detection.onnx").unlink()
    os.mkfifo(pack_folder / "pose_detection.onnx")
    with pytest.raises(HostError, match=r"pose_detection\.onnx cannot be read .*: not a file"):
        verify_pack(pack_folder)


def test_folder_without_pack_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="no model pack at"):
        verify_pack(tmp_path / "nowhere")


def test_packs_are_listed_by_name(pack_folder: Path) -> None:
    shutil.copytree(pack_folder, pack_folder.with_name("another"))
    pack_folder.with_name("no pack").mkdir()
    root = pack_folder.parent
    packs = [read_pack(root / "another"), read_pack(pack_folder)]
    assert installed_packs(root) == (packs, [])


def test_missing_root_has_no_packs(tmp_path: Path) -> None:
    assert installed_packs(tmp_path / "nowhere") == ([], [])


def test_a_damaged_pack_hides_no_other(pack_folder: Path, tmp_path: Path) -> None:
    damaged = pack_folder.with_name("damaged") / PACK_FILE
    damaged.parent.mkdir()
    damaged.write_text("{")
    packs, (error,) = installed_packs(pack_folder.parent)
    assert packs == [read_pack(pack_folder)]
    assert str(damaged) in error.message
    done = Host(tmp_path / "store", pack_folder.parent, tmp_path).run("models", "list")
    assert pack_folder.name in done.out
    assert f"left out: {damaged}" in done.err


def test_parameters_are_weights_and_biases(tmp_path: Path) -> None:
    """A convolution of 8 to 16 channels, quantized: 16 * 8 * 3 * 3 weights and 16 biases."""
    constants: dict[str, NDArray[Any]] = {
        "weights": np.zeros((16, 8, 3, 3), np.int8),
        "bias": np.zeros(16, np.float32),
        "scale": np.ones(16, np.float32),
        "shape": np.array([1, 16], np.int64),
    }
    nodes = [
        helper.make_node("DequantizeLinear", ["weights", "scale"], ["w"], axis=0),
        helper.make_node("Conv", ["x", "w", "bias"], ["c"]),
        helper.make_node("Reshape", ["c", "shape"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "convolution",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8, 3, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 16])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    file = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph), file)
    assert parameter_count(file) == 16 * 8 * 3 * 3 + 16
