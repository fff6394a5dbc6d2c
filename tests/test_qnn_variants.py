"""Context binaries: compiled for any SoC, checked before they are loaded, cached on a host."""

import json
import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from annotate.domain.errors import PackError, ProviderError
from annotate.domain.pack import Pack, read_pack
from annotate.domain.soc import Soc, find_soc
from annotate.domain.variant import (
    VARIANT_FILE,
    VARIANTS,
    check_variant,
    read_variant,
    variant_folder,
)
from annotate.host import emulates_npu
from annotate.inference import QnnSettings, compiled, load_models
from annotate.inference.compiled import Compiled, compile_variant, compiled_models
from annotate.inference.qnn import PROVIDER, open_session, sdk_version
from annotate.packs.installed import verify_pack

pytestmark = pytest.mark.skipif(not emulates_npu(), reason="the HTP emulator is for x86-64 Linux")

X_ELITE, X2_ELITE = find_soc("x-elite"), find_soc("x2-elite")
SOCS = (X_ELITE, X2_ELITE, find_soc("qcs8550"), find_soc("iq-9075"))


@pytest.fixture(scope="module")
def compiled_pack(blazepose_pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the default pack with a variant for each SoC of the usual hosts."""
    folder = tmp_path_factory.mktemp("packs") / "blazepose-full"
    shutil.copytree(blazepose_pack, folder)
    pack = read_pack(folder)
    for soc in SOCS:
        done = compile_variant(pack, folder, soc)
        assert [one.model for one in done] == [pack.detector.file, pack.landmark.file]
        assert all(one.size_bytes > 1_000_000 and one.compile_s > 0 for one in done)
    return folder


@pytest.fixture
def copied(compiled_pack: Path, tmp_path: Path) -> Path:
    """A copy of `compiled_pack` for a test to damage."""
    return shutil.copytree(compiled_pack, tmp_path / "pack")


def describe(folder: Path, **changes: object) -> None:
    """Changes the description of a variant."""
    file = folder / VARIANT_FILE
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


# Compiling


@pytest.mark.parametrize("soc", SOCS, ids=lambda soc: soc.name)
def test_a_variant_is_compiled_for_its_soc(compiled_pack: Path, soc: Soc) -> None:
    folder = variant_folder(compiled_pack, soc)
    variant = read_variant(folder)
    assert (variant.soc, variant.soc_model, variant.sdk) == (
        soc.name,
        soc.soc_model,
        sdk_version(),
    )
    for name in variant.sources:
        model = onnx.load(folder / name)
        properties = {entry.key: entry.value for entry in model.metadata_props}
        facts = properties[f"ep_compatibility_info.{PROVIDER}"].split(":")
        assert facts[2] == variant.sdk
        assert facts[5] == str(soc.soc_model)
    present = {file.name for file in folder.iterdir()} - {VARIANT_FILE}
    assert set(variant.files) == present
    assert len(present) == 4


def test_variants_do_not_change_the_pack(compiled_pack: Path, blazepose_pack: Path) -> None:
    assert verify_pack(compiled_pack).digest == read_pack(blazepose_pack).digest
    assert [folder.name for folder in sorted((compiled_pack / VARIANTS).iterdir())] == sorted(
        soc.name for soc in SOCS
    )


@pytest.mark.parametrize("soc", SOCS, ids=lambda soc: soc.name)
def test_the_variant_of_a_hosts_own_soc_runs(compiled_pack: Path, soc: Soc, tmp_path: Path) -> None:
    pack = read_pack(compiled_pack)
    settings = QnnSettings(soc=soc, cache=tmp_path)
    models = load_models(pack, compiled_pack, provider="qnn", qnn=settings)
    assert models.placement == {"detector": {PROVIDER: 1}, "landmark": {PROVIDER: 1}}
    assert not list(tmp_path.iterdir()), "nothing is compiled where the pack has a variant"


def test_a_failed_compilation_keeps_the_old_variant(copied: Path) -> None:
    (copied / "pose_landmark_full.onnx").write_bytes(b"no model")
    before = read_variant(variant_folder(copied, X_ELITE))
    with pytest.raises(ProviderError, match=r"pose_landmark_full\.onnx cannot be compiled"):
        compile_variant(read_pack(copied), copied, X_ELITE)
    assert read_variant(variant_folder(copied, X_ELITE)) == before
    assert len(list((copied / VARIANTS).iterdir())) == len(SOCS)


def test_leftovers_of_a_killed_compilation_are_removed(copied: Path) -> None:
    left = copied / VARIANTS / ".compiling-killed"
    left.mkdir()
    yesterday = time.time() - 86400
    os.utime(left, (yesterday, yesterday))
    living = copied / VARIANTS / ".compiling-living"
    living.mkdir()
    compile_variant(read_pack(copied), copied, X_ELITE)
    assert not left.exists()
    assert living.exists()


def test_compiling_replaces_a_damaged_variant(copied: Path) -> None:
    folder = variant_folder(copied, X_ELITE)
    cut(folder / "pose_detection_qnn.bin")
    pack = read_pack(copied)
    compile_variant(pack, copied, X_ELITE)
    check_variant(folder, pack, X_ELITE, sdk_version())


# Variants that cannot run


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)


def swap_soc(folder: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(folder.with_name(X2_ELITE.name), folder)


@pytest.mark.parametrize(
    ("damage", "message", "hint"),
    [
        (swap_soc, "compiled for the SoC x2-elite, and this host is x-elite", "--soc x-el"),
        (
            lambda folder: describe(folder, sdk="2.100.0"),
            r"compiled by QAIRT 2\.100\.0, which is newer than this host's",
            "--upgrade onnxruntime-qnn",
        ),
        (
            lambda folder: describe(folder, sources={"pose_detection.onnx": "0" * 64}),
            "compiled from other models",
            "--soc x-elite",
        ),
        (
            lambda folder: cut(folder / "pose_detection_qnn.bin"),
            r"pose_detection_qnn\.bin is truncated: it has \d+ of \d+ bytes",
            "--soc x-elite",
        ),
        (
            lambda folder: flip(folder / "pose_landmark_full_qnn.bin"),
            r"pose_landmark_full_qnn\.bin is damaged",
            "--soc x-elite",
        ),
        (
            lambda folder: (folder / "pose_landmark_full.onnx").unlink(),
            r"pose_landmark_full\.onnx cannot be read",
            "--soc x-elite",
        ),
        (
            lambda folder: (folder / VARIANT_FILE).write_text("{"),
            "is not a compiled variant",
            "--soc x-elite",
        ),
        (
            lambda folder: describe(folder, sdk="newest"),
            "not a version of the QAIRT SDK",
            "compile",
        ),
    ],
    ids=[
        "another SoC",
        "a newer SDK",
        "other models",
        "a truncated binary",
        "a damaged binary",
        "a missing file",
        "a damaged description",
        "an SDK without a version",
    ],
)
def test_a_host_compiles_its_own_where_a_variant_cannot_run_and_says_so(
    copied: Path,
    tmp_path: Path,
    damage: Callable[[Path], None],
    message: str,
    hint: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    damage(variant_folder(copied, X_ELITE))
    pack = read_pack(copied)
    own = compiled_models(pack, copied, X_ELITE, tmp_path)
    assert own.is_relative_to(tmp_path)
    (said,) = caplog.messages
    assert re.search(message, said)
    assert "this host compiles its own." in said
    assert hint in said
    check_variant(own, pack, X_ELITE, sdk_version())


def test_a_variant_of_an_older_sdk_is_accepted(copied: Path) -> None:
    folder = variant_folder(copied, X_ELITE)
    describe(folder, sdk="2.9.0")
    check_variant(folder, read_pack(copied), X_ELITE, "2.10.0")


# The host's cache


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the models that are compiled, in order."""
    names: list[str] = []
    compile_model = compiled._compile_model

    def counting(source: Path, soc: Soc, out: Path) -> None:
        names.append(source.name)
        compile_model(source, soc, out)

    monkeypatch.setattr(compiled, "_compile_model", counting)
    return names


def test_a_host_compiles_once_and_again_if_its_cache_is_damaged(
    blazepose_pack: Path, tmp_path: Path, counted: list[str]
) -> None:
    pack = read_pack(blazepose_pack)
    first = compiled_models(pack, blazepose_pack, X_ELITE, tmp_path)
    assert compiled_models(pack, blazepose_pack, X_ELITE, tmp_path) == first
    assert counted == [pack.detector.file, pack.landmark.file]
    cut(first / "pose_detection_qnn.bin")
    assert compiled_models(pack, blazepose_pack, X_ELITE, tmp_path) == first
    assert len(counted) == 4
    open_session(first / pack.detector.file, X_ELITE, {})
    assert [one.name for one in first.parent.iterdir()] == [first.name]


def test_if_two_processes_compile_at_once_the_first_result_is_kept(
    blazepose_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = read_pack(blazepose_pack)
    compile_all, inodes = compiled._compile, []

    def overtaken(pack: Pack, folder: Path, soc: Soc, out: Path) -> list[Compiled]:
        monkeypatch.setattr(compiled, "_compile", compile_all)
        done = compile_all(pack, folder, soc, out)
        other = compiled_models(pack, folder, soc, tmp_path)
        inodes.append((other / VARIANT_FILE).stat().st_ino)
        return done

    monkeypatch.setattr(compiled, "_compile", overtaken)
    folder = compiled_models(pack, blazepose_pack, X_ELITE, tmp_path)
    assert inodes == [(folder / VARIANT_FILE).stat().st_ino]


def test_a_cache_that_cannot_be_written_is_named(blazepose_pack: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, not a folder")
    with pytest.raises(PackError, match=r"cannot be written to .*cache"):
        compiled_models(read_pack(blazepose_pack), blazepose_pack, X_ELITE, tmp_path / "cache")
