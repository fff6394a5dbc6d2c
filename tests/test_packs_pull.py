"""Pulling the default pack: from a local wheel, with pip, and with every kind of failure."""

import errno
import os
import signal
import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path

import pytest

from annotate.domain.errors import PackError
from annotate.domain.variant import VARIANTS
from annotate.packs.blazepose import DETECTOR, LANDMARK, NAME
from annotate.packs.installed import installed_packs, verify_pack
from annotate.packs.pull import CHECKING, CONVERTING, DOWNLOADING, pull

WHEEL = "mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl"


def quiet(_phase: str, _fraction: float) -> None:
    """Shows no progress."""


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.*")}


def pack_file(wheel: Path, contents: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in contents.items():
            archive.writestr(path, content)
    return wheel


@pytest.fixture(scope="module")
def models(mediapipe_wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(mediapipe_wheel) as archive:
        return {member.path: archive.read(member.path) for member in (DETECTOR, LANDMARK)}


@pytest.fixture(scope="module")
def wheel(models: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel with only the two models, which reads faster than the real one."""
    metadata = {
        "mediapipe-0.10.21.dist-info/METADATA": b"Metadata-Version: 2.1\nName: mediapipe\n"
        b"Version: 0.10.21\n",
        "mediapipe-0.10.21.dist-info/WHEEL": b"Wheel-Version: 1.0\n",
    }
    return pack_file(tmp_path_factory.mktemp("wheel") / WHEEL, models | metadata)


@pytest.fixture
def no_index(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """pip without configuration, which must not use the network."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "1")
    return monkeypatch


class TestIntactPack:
    def test_pull_makes_an_intact_pack_and_nothing_else(self, wheel: Path, tmp_path: Path) -> None:
        root = tmp_path / "made" / "on the way"
        folder = pull(root, wheel=wheel, progress=quiet)
        assert folder == root / NAME
        assert [entry.name for entry in root.iterdir()] == [NAME]
        assert installed_packs(root)[0] == [verify_pack(folder)]

    def test_progress_names_each_phase_and_ends_at_one(self, wheel: Path, tmp_path: Path) -> None:
        seen: list[tuple[str, float]] = []
        pull(tmp_path, wheel=wheel, progress=lambda *step: seen.append(step))
        assert seen == [
            (CHECKING, 0.0),
            (CHECKING, 1.0),
            (CONVERTING, 0.0),
            (CONVERTING, 1.0),
        ]

    def test_second_pull_does_nothing(self, wheel: Path, tmp_path: Path) -> None:
        folder = pull(tmp_path, wheel=wheel, progress=quiet)
        before = folder.stat().st_ino
        assert pull(tmp_path, wheel=tmp_path / "not needed", progress=quiet) == folder
        assert folder.stat().st_ino == before

    def test_force_makes_the_same_pack_again(self, wheel: Path, tmp_path: Path) -> None:
        folder = pull(tmp_path, wheel=wheel, progress=quiet)
        inode, content = folder.stat().st_ino, content_of(folder)
        pull(tmp_path, wheel=wheel, progress=quiet, force=True)
        assert folder.stat().st_ino != inode
        assert content_of(folder) == content
        assert [entry.name for entry in tmp_path.iterdir()] == [NAME]

    def test_damaged_pack_is_replaced(self, wheel: Path, tmp_path: Path) -> None:
        folder = pull(tmp_path, wheel=wheel, progress=quiet)
        content = content_of(folder)
        (folder / verify_pack(folder).detector.file).write_bytes(b"half a model")
        pull(tmp_path, wheel=wheel, progress=quiet)
        assert content_of(folder) == content


class TestUnusableWheel:
    def test_no_such_file(self, tmp_path: Path) -> None:
        assert_refused(tmp_path, tmp_path / "absent.whl", "absent.whl cannot be read")

    def test_not_a_zip(self, tmp_path: Path) -> None:
        (tmp_path / "text.whl").write_text("not a zip")
        assert_refused(tmp_path, tmp_path / "text.whl", "is not a wheel, or is damaged")

    def test_truncated_download(self, wheel: Path, tmp_path: Path) -> None:
        (tmp_path / "half.whl").write_bytes(wheel.read_bytes()[:1_000_000])
        assert_refused(tmp_path, tmp_path / "half.whl", "is not a wheel, or is damaged")

    def test_flipped_byte(self, wheel: Path, tmp_path: Path) -> None:
        content = bytearray(wheel.read_bytes())
        content[1_000_000] ^= 255
        (tmp_path / "flipped.whl").write_bytes(content)
        assert_refused(tmp_path, tmp_path / "flipped.whl", "is not a wheel, or is damaged")

    def test_model_is_missing(self, models: dict[str, bytes], tmp_path: Path) -> None:
        other = pack_file(tmp_path / "a.whl", {DETECTOR.path: models[DETECTOR.path]})
        assert_refused(tmp_path, other, f"contains no {LANDMARK.path}")

    def test_model_of_another_version(self, models: dict[str, bytes], tmp_path: Path) -> None:
        changed = models | {LANDMARK.path: models[LANDMARK.path] + b"!"}
        other = pack_file(tmp_path / "a.whl", changed)
        assert_refused(tmp_path, other, f"{LANDMARK.path} in .* does not match its digest")


class TestPip:
    def test_pip_uses_the_users_settings(
        self, wheel: Path, tmp_path: Path, no_index: pytest.MonkeyPatch
    ) -> None:
        no_index.setenv("PIP_NO_INDEX", "1")
        no_index.setenv("PIP_FIND_LINKS", str(wheel.parent))
        seen: list[tuple[str, float]] = []
        folder = pull(tmp_path, progress=lambda *step: seen.append(step))
        verify_pack(folder)
        assert seen[0] == (DOWNLOADING, 0.0)
        assert (DOWNLOADING, 1.0) in seen

    def test_index_that_does_not_answer(self, tmp_path: Path, no_index: pytest.MonkeyPatch) -> None:
        no_index.setenv("PIP_INDEX_URL", "http://user-name:secret@127.0.0.1:9/token/simple")
        error = assert_refused(tmp_path, None, "no connection to the package index")
        assert "--from-wheel" in error.hint
        assert not any(word in error.message for word in ("user-name", "secret", "token"))

    def test_index_without_the_wheel(self, tmp_path: Path, no_index: pytest.MonkeyPatch) -> None:
        no_index.setenv("PIP_NO_INDEX", "1")
        assert_refused(tmp_path, None, "No matching distribution found for mediapipe")

    def test_python_without_pip(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        venv.create(tmp_path / "venv", with_pip=False)
        scripts = "Scripts" if os.name == "nt" else "bin"
        monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / scripts / "python"))
        error = assert_refused(tmp_path, None, "pip is not installed")
        assert "ensurepip" in error.hint

    def test_pip_out_of_space(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        message = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left"
        monkeypatch.setattr(sys, "executable", str(fake_pip(tmp_path, f"echo '{message}'; exit 1")))
        assert_refused(tmp_path, None, "no space left")

    def test_fraction_is_the_one_that_pip_reports(
        self, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        copies = (
            f'for option; do case $option in --dest=*) cp "{wheel}" "${{option#*=}}";; esac; done'
        )
        message = (
            "echo Collecting; echo Progress 0 of 0; echo Progress 1 of 4; echo Progress 4 of 4"
        )
        monkeypatch.setattr(sys, "executable", str(fake_pip(tmp_path, f"{message}; {copies}")))
        seen: list[float] = []
        pull(tmp_path, progress=lambda phase, f: seen.append(f) if phase == DOWNLOADING else None)
        assert seen == [0.0, 0.0, 0.25, 1.0, 1.0]

    def test_interrupt_ends_pip(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        script = fake_pip(tmp_path, "echo Progress 1 of 4; exec sleep 600")
        monkeypatch.setattr(sys, "executable", str(script))

        def interrupt(_phase: str, fraction: float) -> None:
            if fraction == 0.25:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            pull(tmp_path, progress=interrupt)
        assert not (tmp_path / NAME).exists()


class TestNothingHalfWritten:
    def test_no_space(self, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write_bytes = Path.write_bytes

        def full(file: Path, content: bytes) -> int:
            if "landmark" not in file.name:
                return write_bytes(file, content)
            write_bytes(file, content[:1000])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))

        monkeypatch.setattr(Path, "write_bytes", full)
        error = assert_refused(tmp_path, wheel, "no space left")
        assert "Free" in error.hint

    def test_root_that_is_a_file(self, wheel: Path, tmp_path: Path) -> None:
        (tmp_path / "root").write_text("")
        with pytest.raises(PackError, match="cannot be written"):
            pull(tmp_path / "root", wheel=wheel, progress=quiet)

    def test_folder_that_cannot_be_renamed(
        self, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_source: Path, _target: Path) -> Path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

        monkeypatch.setattr(Path, "rename", refuse)
        assert_refused(tmp_path, wheel, "cannot be written")

    def test_failed_force_leaves_the_old_pack(self, wheel: Path, tmp_path: Path) -> None:
        folder = pull(tmp_path, wheel=wheel, progress=quiet)
        content = content_of(folder)
        with pytest.raises(PackError):
            pull(tmp_path, wheel=tmp_path / "absent.whl", progress=quiet, force=True)
        assert content_of(folder) == content

    def test_force_keeps_variants_of_the_same_models(self, wheel: Path, tmp_path: Path) -> None:
        folder = pull(tmp_path, wheel=wheel, progress=quiet)
        variant = folder / VARIANTS / "x-elite" / "variant.json"
        variant.parent.mkdir(parents=True)
        variant.write_text("{}")
        job = folder / "hub" / "x-elite.onnx.float" / "jobs.json"
        job.parent.mkdir(parents=True)
        job.write_text("{}")
        pull(tmp_path, wheel=wheel, progress=quiet, force=True)
        assert variant.read_text() == job.read_text() == "{}"

    def test_force_drops_variants_of_other_models(self, wheel: Path, tmp_path: Path) -> None:
        folder = pull(tmp_path, wheel=wheel, progress=quiet)
        (folder / VARIANTS / "x-elite").mkdir(parents=True)
        (folder / "pose_detection.onnx").write_bytes(b"another model")
        pull(tmp_path, wheel=wheel, progress=quiet, force=True)
        assert not (folder / VARIANTS).exists()

    def test_kill_while_writing(self, wheel: Path, tmp_path: Path) -> None:
        code = (
            "import sys, time; from pathlib import Path; from annotate.packs import publish\n"
            "def verify_pack(folder):\n"
            "    if folder.name == 'new': print('written', flush=True); time.sleep(600)\n"
            "    raise publish.PackError('none')\n"
            "publish.verify_pack = verify_pack\n"
            "from annotate.packs.pull import pull\n"
            "pull(Path(sys.argv[1]), wheel=Path(sys.argv[2]), progress=lambda *_: None)\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code, tmp_path, wheel], stdout=subprocess.PIPE
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"written\n"
            child.send_signal(signal.SIGKILL)
        assert installed_packs(tmp_path) == ([], [])
        assert not (tmp_path / NAME).exists()
        (leftover,) = tmp_path.iterdir()
        yesterday = time.time() - 86400
        os.utime(leftover, (yesterday, yesterday))
        pull(tmp_path, wheel=wheel, progress=quiet)
        assert [entry.name for entry in tmp_path.iterdir()] == [NAME]


class TestTwoAtOnce:
    def test_two_processes(self, wheel: Path, tmp_path: Path) -> None:
        code = (
            "import sys; from pathlib import Path; from annotate.packs.pull import pull\n"
            "pull(Path(sys.argv[1]), wheel=Path(sys.argv[2]), progress=lambda *_: None)\n"
        )
        command = [sys.executable, "-c", code, str(tmp_path), str(wheel)]
        children = [subprocess.Popen(command) for _ in range(2)]
        assert [child.wait() for child in children] == [0, 0]
        verify_pack(tmp_path / NAME)
        assert [entry.name for entry in tmp_path.iterdir()] == [NAME]

    @pytest.mark.parametrize("force", [False, True])
    def test_other_pull_ends_while_this_one_converts(
        self, wheel: Path, tmp_path: Path, force: bool
    ) -> None:
        def other(phase: str, fraction: float) -> None:
            if (phase, fraction) == (CONVERTING, 0.0):
                pull(tmp_path, wheel=wheel, progress=quiet, force=force)

        verify_pack(pull(tmp_path, wheel=wheel, progress=other, force=force))
        assert [entry.name for entry in tmp_path.iterdir()] == [NAME]

    def test_other_pull_ends_between_the_two_renames(
        self, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rename = Path.rename

        def rename_after_other_pull(source: Path, target: Path) -> Path:
            if source.name == "new":
                monkeypatch.setattr(Path, "rename", rename)
                pull(tmp_path, wheel=wheel, progress=quiet)
            return rename(source, target)

        monkeypatch.setattr(Path, "rename", rename_after_other_pull)
        verify_pack(pull(tmp_path, wheel=wheel, progress=quiet))
        assert [entry.name for entry in tmp_path.iterdir()] == [NAME]


def assert_refused(tmp_path: Path, wheel: Path | None, message: str) -> PackError:
    """Asserts that a pull fails with `message` and a next step, and leaves nothing."""
    root = tmp_path / "root"
    with pytest.raises(PackError, match=message) as caught:
        pull(root, wheel=wheel, progress=quiet)
    assert caught.value.hint
    assert not root.exists() or not list(root.iterdir())
    return caught.value


def fake_pip(folder: Path, commands: str) -> Path:
    """A program in place of Python that runs pip."""
    script = folder / "python"
    script.write_text(f"#!/bin/sh\n{commands}\n")
    script.chmod(0o755)
    return script
