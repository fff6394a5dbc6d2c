"""Listing packs and verifying their files."""

import shutil
from pathlib import Path

import pytest

from annotate.domain.errors import PackError
from annotate.domain.pack import PACK_FILE, read_pack
from annotate.packs.installed import installed_packs, verify_pack


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


def test_folder_without_pack_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="no model pack at"):
        verify_pack(tmp_path / "nowhere")


def test_packs_are_listed_by_name(pack_folder: Path) -> None:
    shutil.copytree(pack_folder, pack_folder.with_name("another"))
    pack_folder.with_name("no pack").mkdir()
    root = pack_folder.parent
    assert installed_packs(root) == [read_pack(root / "another"), read_pack(pack_folder)]


def test_missing_root_has_no_packs(tmp_path: Path) -> None:
    assert installed_packs(tmp_path / "nowhere") == []


def test_damaged_description_is_an_error(pack_folder: Path) -> None:
    (pack_folder / PACK_FILE).write_text("{")
    with pytest.raises(PackError, match=PACK_FILE):
        installed_packs(pack_folder.parent)
