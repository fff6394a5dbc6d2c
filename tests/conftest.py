"""Fixtures that many tests share."""

import faulthandler
import hashlib
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import portalocker
import pytest

from annotate.domain.progress import silent
from annotate.evaluate import Evaluation, evaluate_files
from annotate.packs.blazepose import REQUIREMENT
from annotate.packs.pull import pull
from annotate.packs.wheel import download_wheel
from annotate.store import Store, open_store
from annotate.synthetic.film import render_video
from annotate.synthetic.scene import Scene
from annotate.video.writer import Encoding
from tests.command import Host
from tests.made_evaluation import Content, Evaluate
from tests.made_markers import write_film
from tests.made_packs import fill_heatmap, fill_lightning, fill_simcc, fill_with
from tests.made_scenes import walk_scene
from tests.review_browser import chromium
from tests.scheduling import is_real_time, make_ordinary
from tests.servers import PASSWORD, USER, WARDEN, RedisServer, S3Server

# An example may take long on a machine that does other things.
hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy")
# Tests that use ONNX Runtime themselves send nothing either.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# More would need more memory than many machines have: a process of the tests takes 1 GB.
MOST_PROCESSES = 8
# The longest that a process waits for what another one makes, in seconds.
ONCE_S = 500.0
# A test that goes on so long after its limit does not hear signals, in seconds.
DEAF_S = 60.0
# Makes a folder's content, once for all processes of the tests.
Once = Callable[[str, Callable[[Path], object]], Path]


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Processes for the tests: three for two cores, and none for a few files, which end sooner so.

    Much of the time they wait: for commands of one process, for servers, for a page.

    Drills measure times and print tables, so they run one after the other too.
    """
    folders = all((config.invocation_params.dir / name).is_dir() for name in config.args)
    if not folders or "not drill" not in config.option.markexpr:
        return 0
    affine = getattr(os, "sched_getaffinity", None)
    cores = len(affine(0)) if affine else os.cpu_count() or 1
    return min(cores + cores // 2, MOST_PROCESSES) if cores > 1 else 0


STDERR = pytest.StashKey[int]()
DRILL = pytest.StashKey[list[tuple[str, float, int, int]]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Ends the process of a test that hangs in a library, where no signal of its limit is heard.

    The stacks of all threads are printed.
    """
    mark = item.get_closest_marker("timeout")
    limit_s = float(mark.args[0] if mark else item.config.getini("timeout"))
    stderr = item.config.stash[STDERR]
    faulthandler.dump_traceback_later(limit_s + DEAF_S, exit=True, file=stderr)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


class Failures:
    """Prints each failure when it happens: a run that is cut off says what failed until then."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Prints a failed report; pytest's own hook."""
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and terminal:
            terminal.write_line(f"\nFAILED {report.nodeid} ({report.when})\n{report.longreprtext}")


def pytest_configure(config: pytest.Config) -> None:
    """Failures are printed by the process that prints, not by those that run the tests."""
    config.stash[STDERR] = os.dup(2)  # before it is captured
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Failures(config))


@pytest.fixture(autouse=True)
def ordinary_priority() -> Iterator[None]:
    """No test leaves this process with a real-time priority; see tests/scheduling.py."""
    yield
    was_real_time = is_real_time()
    make_ordinary()
    assert not was_real_time, "wrap what opens SVT-AV1 in `kept_ordinary`"


@pytest.fixture(scope="session", autouse=True)
def temporary_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What processes leave in the folder of temporary files, the killed ones too, is removed."""
    tmp_path_factory.getbasetemp()
    # The path is short: sockets lie in it, and the name of a socket has at most 107 bytes.
    with (
        tempfile.TemporaryDirectory(prefix="a-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", None)
        yield


@pytest.fixture
def outlasting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary files of a pool of processes in this one, which removes them when it ends."""
    monkeypatch.setattr(tempfile, "tempdir", str(Path(tempfile.gettempdir()).parent))


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Once:
    """Makes a folder once, whichever process of the tests needs it first."""
    base = tmp_path_factory.getbasetemp()
    root = base.parent if hasattr(request.config, "workerinput") else base

    def folder(name: str, fill: Callable[[Path], object]) -> Path:
        made, unfinished = root / name, root / f"{name}.unfinished"
        with portalocker.Lock(root / f"{name}.lock", timeout=ONCE_S):
            if not made.exists():
                shutil.rmtree(unfinished, ignore_errors=True)
                unfinished.mkdir()
                fill(unfinished)
                unfinished.rename(made)
        return made

    return folder


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


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium. Not for longer than a file: it keeps an event loop in this thread."""
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="session")
def mediapipe_wheel(once: Once) -> Path:
    """The wheel that the default pack is made from, downloaded once through pip."""
    folder = once("wheel", lambda made: download_wheel(REQUIREMENT, made, lambda _fraction: None))
    return _only(folder)


@pytest.fixture(scope="session")
def blazepose_pack(once: Once, mediapipe_wheel: Path) -> Path:
    """Folder of the default pack, made once."""
    return _only(once("packs", lambda root: pull(root, wheel=mediapipe_wheel, progress=silent)))


@pytest.fixture(scope="session")
def lightning_pack(once: Once, shared_data: Path) -> Path:
    """Folder of MoveNet Lightning with YOLOX-nano, made once."""
    return _only(once("movenet", lambda root: fill_lightning(root, shared_data / "models")))


@pytest.fixture(scope="session")
def full_and_yolox_pack(once: Once, shared_data: Path, blazepose_pack: Path) -> Path:
    """Folder of the default pack with YOLOX-nano beside its own detector, made once."""
    yolox = shared_data / "models" / "yolox_nano.onnx"
    return _only(once("with-detector", lambda root: fill_with(root, blazepose_pack, yolox)))


@pytest.fixture(scope="session")
def simcc_pack(once: Once) -> Path:
    """Folder of a made RTMPose with a made RTMDet, as OpenMMLab publishes them, made once."""
    return _only(once("simcc", fill_simcc))


@pytest.fixture(scope="session")
def heatmap_pack(once: Once) -> Path:
    """Folder of a made HRNetPose with a made YOLOX, as AI Hub publishes them, made once."""
    return _only(once("heatmap", fill_heatmap))


@pytest.fixture(scope="session")
def markers(once: Once) -> Path:
    """A made video of two people of markers, 60 frames."""
    return once("markers", lambda folder: write_film(folder / "markers.mp4")) / "markers.mp4"


def _only(folder: Path) -> Path:
    # Commands leave notes beside the pack, as hidden files.
    (path,) = (one for one in folder.iterdir() if not one.name.startswith("."))
    return path


@pytest.fixture
def host(tmp_path: Path, blazepose_pack: Path) -> Host:
    """A host with an empty store and the default pack."""
    home = tmp_path / "home"
    home.mkdir()
    return Host(store=tmp_path / "store", packs=blazepose_pack.parent, home=home)


@pytest.fixture(scope="session")
def walk(once: Once) -> Path:
    """A made video of two people who walk past each other: 240 frames, a keyframe a second."""
    return _film(once, walk_scene(), "walk", gop=30)


@pytest.fixture(scope="session")
def undisturbed(once: Once, blazepose_pack: Path, walk: Path) -> bytes:
    """The walk's export by one machine alone, without a queue or any fault."""

    def fill(home: Path) -> None:
        host = Host(home / "store", blazepose_pack.parent, home)
        host.run("submit", walk, "--detect-every", "1")
        host.exported()

    return (once("undisturbed", fill) / "people.json").read_bytes()


@pytest.fixture(scope="session")
def stroll(once: Once) -> Path:
    """A short made video of the same two people: 60 frames, one keyframe."""
    return _film(once, walk_scene(seconds=2.0), "stroll", gop=250)


def _film(once: Once, scene: Scene, name: str, gop: int) -> Path:
    """The scene as a video, made once."""
    file = f"{name}.mp4"
    return once(name, lambda folder: render_video(scene, folder / file, Encoding(gop=gop))) / file


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
