"""Fixtures that many tests share."""

import hashlib
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from annotate.domain.progress import silent
from annotate.evaluate import Evaluation, evaluate_files
from annotate.packs.blazepose import REQUIREMENT
from annotate.packs.catalogue import entry_named
from annotate.packs.pull import pull
from annotate.packs.pull_entry import add_person_detector, pull_entry
from annotate.packs.wheel import download_wheel
from annotate.store import Store, open_store
from annotate.synthetic.film import render_video
from annotate.video.writer import Encoding
from tests.command import Host
from tests.made_evaluation import Content, Evaluate
from tests.made_scenes import walk_scene
from tests.servers import PASSWORD, USER, WARDEN, RedisServer, S3Server


@pytest.fixture(scope="session", autouse=True)
def heeded_signals() -> None:
    """Commands heed the signals that whoever started the tests ignores, as `nohup` does."""
    for number in (signal.SIGHUP, signal.SIGINT):
        if signal.getsignal(number) is signal.SIG_IGN:
            heeded = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, heeded)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real videos and images with MediaPipe's own answers; they are not part of the project."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ANNOTATE_TEST_DATA", default))
    if not (folder / "videos").is_dir():
        pytest.skip(f"no test data: {folder / 'videos'} (set ANNOTATE_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def mediapipe_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that the default pack is made from, downloaded once through pip."""
    return download_wheel(REQUIREMENT, tmp_path_factory.mktemp("wheel"), lambda _fraction: None)


@pytest.fixture(scope="session")
def blazepose_pack(tmp_path_factory: pytest.TempPathFactory, mediapipe_wheel: Path) -> Path:
    """Folder of the default pack, made once."""
    root = tmp_path_factory.mktemp("packs")
    return pull(root, wheel=mediapipe_wheel, progress=lambda _phase, _fraction: None)


@pytest.fixture(scope="session")
def lightning_pack(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    """Folder of MoveNet Lightning with YOLOX-nano, made once."""
    models = shared_data / "models"
    return pull_entry(
        entry_named("movenet-lightning"),
        tmp_path_factory.mktemp("movenet"),
        source=models,
        detector=models / "yolox_nano.onnx",
        progress=silent,
    )


@pytest.fixture(scope="session")
def full_and_yolox_pack(
    tmp_path_factory: pytest.TempPathFactory, shared_data: Path, blazepose_pack: Path
) -> Path:
    """Folder of the default pack with YOLOX-nano beside its own detector, made once."""
    folder = tmp_path_factory.mktemp("with-detector") / blazepose_pack.name
    shutil.copytree(blazepose_pack, folder)
    add_person_detector(folder, shared_data / "models" / "yolox_nano.onnx")
    return folder


@pytest.fixture
def host(tmp_path: Path, blazepose_pack: Path) -> Host:
    """A host with an empty store and the default pack."""
    home = tmp_path / "home"
    home.mkdir()
    return Host(store=tmp_path / "store", packs=blazepose_pack.parent, home=home)


@pytest.fixture(scope="session")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made video of two people who walk past each other: 240 frames, a keyframe a second."""
    path = tmp_path_factory.mktemp("made") / "walk.mp4"
    render_video(walk_scene(), path, Encoding(gop=30))
    return path


@pytest.fixture(scope="session")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, blazepose_pack: Path, walk: Path
) -> bytes:
    """The walk's export by one machine alone, without a queue or any fault."""
    home = tmp_path_factory.mktemp("undisturbed")
    host = Host(home / "store", blazepose_pack.parent, home)
    host.run("submit", walk, "--detect-every", "1")
    return host.exported()


@pytest.fixture(scope="session")
def stroll(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short made video of the same two people: 60 frames, one keyframe."""
    path = tmp_path_factory.mktemp("made") / "stroll.mp4"
    render_video(walk_scene(seconds=2.0), path, Encoding(gop=250))
    return path


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server of the test's own, which it may kill."""
    server = RedisServer(tmp_path / "redis")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def guarded_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server with the ACL file of docker/, its password filled in as start.sh does."""
    digest = hashlib.sha256(PASSWORD.encode()).hexdigest()
    rules = (Path(__file__).parents[1] / "docker" / "redis" / "users.acl").read_text()
    warden = f"user {WARDEN} on >{PASSWORD} -@all +acl|log +hello +auth +client\n"
    acl = tmp_path / "users.acl"
    acl.write_text(rules.replace("PASSWORD_SHA256", digest) + warden)
    server = RedisServer(tmp_path / "redis", ("--aclfile", acl), USER, PASSWORD)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server that stays up; each test makes its own bucket."""
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store, in a folder and on a real S3 server."""
    if request.param == "folder":
        return open_store(str(tmp_path / "store"))
    server = request.getfixturevalue("s3_server")
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    return open_store(f"s3://{server.new_bucket()}/a/prefix")


DRILL = pytest.StashKey[list[tuple[str, float, int, int]]]()


@pytest.fixture
def drill_row(request: pytest.FixtureRequest) -> Callable[[str, float, int, int], None]:
    """Files a row of the drill's table: fault, recovery in seconds, chunks redone, chunks lost."""
    rows = request.config.stash.setdefault(DRILL, [])

    def file(fault: str, recovery_s: float, redone: int, lost: int) -> None:
        rows.append((fault, recovery_s, redone, lost))

    return file


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Prints the drill's table."""
    rows = config.stash.get(DRILL, [])
    if rows:
        terminalreporter.section("fault drill")
        terminalreporter.write_line(f"{'fault':44} {'recovery':>9} {'redone':>7} {'lost':>5}")
    for fault, recovery_s, redone, lost in rows:
        terminalreporter.write_line(f"{fault:44} {recovery_s:7.1f} s {redone:7} {lost:5}")


@pytest.fixture
def evaluated(tmp_path: Path) -> Evaluate:
    """Writes both files and evaluates them."""

    def run(predictions: Any, truth: Content) -> Evaluation:
        (tmp_path / "truth.json").write_text(json.dumps(truth))
        (tmp_path / "predictions.json").write_text(json.dumps(predictions))
        return evaluate_files(tmp_path / "predictions.json", tmp_path / "truth.json")

    return run
