"""Trouble of the host is waited for, and is never a failure of the video."""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from annotate.domain.errors import ChangedError, DamagedError, HostError, StoreError, VideoError
from annotate.domain.options import SubmitOptions
from annotate.domain.work import Failure, Heartbeat, WorkUnit
from annotate.pipeline import PoseEstimator
from annotate.queue import patience
from annotate.queue.failures import DeathCause, record_dead_worker
from annotate.queue.heartbeats import Beats
from annotate.queue.job_status import job_status
from annotate.queue.patience import with_patience
from annotate.store import Store
from annotate.store.known_files import KnownFiles, state_of
from annotate.use_cases import run_chunk
from annotate.use_cases.find_videos import FoundVideos
from annotate.use_cases.submit import submit
from annotate.video.file import Packets, VideoFile
from tests.command import Host
from workers.host import estimator_of

EXACT = ("--detect-every", "1")


@pytest.fixture
def video(tmp_path: Path, stroll: Path) -> Path:
    """A copy of the stroll in a folder of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    path = folder / "stroll.mp4"
    path.write_bytes(stroll.read_bytes())
    return path


@pytest.fixture
def unit(host: Host, video: Path) -> WorkUnit:
    """The first chunk of a job of that video, the only one."""
    job = submit(
        host.opened(),
        FoundVideos((video,)),
        SubmitOptions(detect_every=1),
        host.settings(),
        workers=1,
    )
    (unit,) = job_status(host.opened(), job).pending()
    return unit


def run(
    host: Host,
    unit: WorkUnit,
    estimator: Callable[[], PoseEstimator] | None = None,
    beats: Beats | None = None,
) -> None:
    store = host.opened()
    run_chunk.run_chunk(
        store,
        unit,
        host.settings(),
        estimator or (lambda: estimator_of(store, unit.job.recipe)),
        beats or store,
    )


@dataclass
class Written:
    """Keeps the heartbeats; afterwards writing one fails.

    Attributes:
        end: ends the trouble that a heartbeat says its process waits for.
    """

    end: Callable[[], object]
    beats: list[Heartbeat] = field(default_factory=list)

    def now(self) -> float:
        return 0.0

    def write_heartbeat(self, beat: Heartbeat) -> None:
        self.beats.append(beat)
        if beat.waiting and len(self.waits) == 1:
            self.end()
        raise RuntimeError("no heartbeat can be written")

    @property
    def waits(self) -> list[str]:
        return [beat.waiting for beat in self.beats if beat.waiting]

    def delete_heartbeat(self, worker: str) -> None:
        raise RuntimeError(f"the heartbeat of {worker} cannot be deleted")


def part(store: Store, unit: WorkUnit) -> bool:
    return store.results(unit.job.recipe, unit.video).has_part(unit.require_chunk())


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """No patience."""
    monkeypatch.setattr(patience, "PATIENCE_S", 0.0)
    monkeypatch.setattr(patience, "SHORT_PATIENCE_S", 0.0)


def trouble(number: int) -> StoreError:
    error = StoreError("trouble")
    error.__cause__ = OSError(number, os.strerror(number))
    return error


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EIO, errno.ESTALE, errno.EMFILE])
def test_trouble_that_ends_is_waited_for(
    host: Host, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    errors: Iterator[StoreError] = iter([trouble(number), trouble(number)])
    waits: list[int] = []

    def action() -> str:
        if error := next(errors, None):
            raise error
        return "done"

    assert with_patience(action, host.settings(), lambda _: waits.append(1)) == "done"
    assert len(waits) == 2
    assert caplog.messages == []


def test_what_is_waited_for_is_said_once(
    host: Host, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "SAID_PAUSE_S", 0.0)
    errors: Iterator[StoreError] = iter([trouble(errno.ENOENT) for _ in range(3)])

    def action() -> None:
        if error := next(errors, None):
            raise error

    with_patience(action, host.settings())
    said, over = caplog.messages
    assert "waiting, up to 120 s: trouble" in said
    assert "the work goes on" in over


@pytest.mark.parametrize(
    "error",
    [DamagedError("x"), StoreError("no such share"), VideoError("damaged"), HostError("x")],
    ids=lambda error: type(error).__name__,
)
def test_what_does_not_end_by_itself_is_not_waited_for(host: Host, error: Exception) -> None:
    def action() -> None:
        raise error

    with pytest.raises(type(error)):
        with_patience(action, host.settings(), lambda _: pytest.fail("waited"))


def test_patience_ends(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "SHORT_PATIENCE_S", 0.2)
    waits: list[int] = []

    def action() -> None:
        raise trouble(errno.ENOSPC)

    with pytest.raises(StoreError):
        with_patience(action, host.settings(), lambda _: waits.append(1))
    assert waits, "it waited a little, and did not wait for two minutes"


def test_a_video_that_is_away_for_a_moment_is_waited_for(
    host: Host, unit: WorkUnit, video: Path
) -> None:
    away = video.parent.with_name("away")
    video.parent.rename(away)
    written = Written(lambda: away.rename(video.parent))
    run(host, unit, beats=written)
    assert part(host.opened(), unit), "a heartbeat that fails stops no chunk"
    assert str(video) in written.waits[0]
    assert written.beats[-1].waiting == ""


@pytest.mark.usefixtures("short")
def test_a_video_that_stays_away_names_file_and_host(
    host: Host, unit: WorkUnit, video: Path
) -> None:
    video.unlink()
    with pytest.raises(HostError, match="No such file") as error:
        run(host, unit)
    assert str(video) in error.value.message
    assert os.uname().nodename in error.value.message
    assert "same command" in error.value.hint


@pytest.mark.parametrize("when", ["before", "during"])
def test_a_video_that_is_changed_in_place_is_not_filed(
    host: Host, unit: WorkUnit, video: Path, when: str
) -> None:
    before = video.stat()

    def change() -> None:
        with video.open("r+b") as file:
            file.seek(before.st_size // 2)
            byte = file.read(1)[0]
            file.seek(before.st_size // 2)
            file.write(bytes([byte ^ 1]))
        os.utime(video, ns=(before.st_atime_ns, before.st_mtime_ns))

    def loaded() -> PoseEstimator:
        estimator = estimator_of(host.opened(), unit.job.recipe)
        poses = estimator.run

        def run_and_change(*arguments: object, **named: object) -> object:
            found = poses(*arguments, **named)  # type: ignore[arg-type]
            change()
            return found

        if when == "during":
            monkeypatch.setattr(estimator, "run", run_and_change)
        return estimator

    with pytest.MonkeyPatch.context() as monkeypatch:
        if when == "before":
            change()
        with pytest.raises(ChangedError, match="does not hold the bytes"):
            run(host, unit, loaded)
    assert not part(host.opened(), unit)


def test_an_error_of_the_disk_that_looks_like_damage_is_none(
    host: Host, unit: WorkUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    packets, cut = VideoFile.packets, [True]

    def cut_once(self: VideoFile) -> Packets:
        found = packets(self)
        if cut:
            cut.clear()
            return iter([next(found), next(found)])
        return found

    monkeypatch.setattr(VideoFile, "packets", cut_once)
    run(host, unit)
    assert part(host.opened(), unit)


def test_models_that_cannot_be_loaded_are_no_failure(host: Host, unit: WorkUnit) -> None:
    def broken() -> PoseEstimator:
        raise RuntimeError("no such operator")

    with pytest.raises(HostError, match="no such operator"):
        run(host, unit, broken)


def test_the_same_submit_tries_again_what_may_be_gone(
    host: Host, unit: WorkUnit, video: Path
) -> None:
    store, results = host.opened(), host.opened().results(unit.job.recipe, unit.video)
    record_dead_worker(store, unit, DeathCause("signal 9"))
    said = host.run("submit", video, *EXACT)
    assert "1 of 1 videos done" in said.out

    lasting = Failure(unit.name, "damaged", 1, lasting=True)
    store.files.delete(
        f"results/{unit.job.recipe.digest}/{unit.video.fingerprint}/parts/{unit.name}.parquet"
    )
    results.write_failure(lasting)
    host.run("submit", video, *EXACT, code=3)
    assert results.failures() == {unit.name: lasting}
    host.run("retry")
    assert results.failures() == {}


def test_a_known_file_is_not_read_again_until_it_is_touched(tmp_path: Path, video: Path) -> None:
    known, reads = KnownFiles(tmp_path / "cache"), list[int]()

    def progress(done: int, _total: int) -> None:
        reads.append(done)

    first = known.fingerprint(video, progress)
    assert known.fingerprint(video, progress) == first
    assert len(reads) == 2, "it was written just now: a change would not show"
    # Its inode was changed just now too, which only the clock can heal.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("annotate.store.known_files.SETTLED_S", -1.0)
        known.fingerprint(video, progress)
        reads.clear()
        assert known.fingerprint(video, progress) == first
        assert reads == []
        os.utime(video)
        known.fingerprint(video, progress)
        assert reads
        (tmp_path / "cache" / "known-files.sqlite").write_bytes(b"damaged")
        assert known.fingerprint(video, progress) == first
    assert state_of(video).size == video.stat().st_size
