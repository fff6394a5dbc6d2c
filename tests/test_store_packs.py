"""Packs are copied into a store and back, with their compiled variants."""

import shutil
from pathlib import Path

import pytest

from annotate.domain.errors import PackError
from annotate.domain.pack import read_pack
from annotate.store import Store


@pytest.fixture
def pack(tmp_path: Path, blazepose_pack: Path) -> Path:
    """A pack with a compiled variant, whose files are never read here."""
    folder = tmp_path / "pack"
    shutil.copytree(blazepose_pack, folder, ignore=shutil.ignore_patterns("variants"))
    add_variant(folder, "x-elite", b"compiled")
    return folder


def add_variant(pack: Path, soc: str, data: bytes) -> None:
    folder = pack / "variants" / soc
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.bin").write_bytes(data)
    (folder / "variant.json").write_bytes(b"of " + data)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_pack_is_read_back_with_its_variants(store: Store, pack: Path, tmp_path: Path) -> None:
    digest = read_pack(pack).digest
    store.add_pack(pack, digest)
    assert store.read_pack(digest) == read_pack(pack)
    assert contents(store.pack_folder(digest, tmp_path / "copies")) == contents(pack)


def test_variants_compiled_later_are_added_to_a_pack_in_the_store(
    store: Store, pack: Path, tmp_path: Path
) -> None:
    digest = read_pack(pack).digest
    for soc, data in (("x-elite", b"compiled"), ("qcs8550", b"later"), ("x-elite", b"again")):
        add_variant(pack, soc, data)
        store.add_pack(pack, digest)
        assert contents(store.pack_folder(digest, tmp_path / "copies")) == contents(pack)


def test_a_variant_without_description_is_not_copied(
    store: Store, pack: Path, tmp_path: Path
) -> None:
    digest = read_pack(pack).digest
    (pack / "variants" / "x-elite" / "variant.json").unlink()
    store.add_pack(pack, digest)
    assert "variants/x-elite/model.bin" not in contents(store.pack_folder(digest, tmp_path))


def test_a_pack_that_was_changed_is_refused(store: Store, pack: Path, tmp_path: Path) -> None:
    digest = read_pack(pack).digest
    store.add_pack(pack, digest)
    description = (pack / "pack.json").read_bytes()
    changed = description.replace(b'"min_score": 0.5', b'"min_score": 0.1')
    assert changed != description
    store.files.write(f"packs/{digest}/pack.json", changed)
    with pytest.raises(PackError, match="does not match its digest"):
        store.pack_folder(digest, tmp_path / "copies")
    with pytest.raises(PackError, match="has no"):
        store.pack_folder("none", tmp_path / "copies")
