"""Videos are read several at a time, filed one by one, and not again while they stay the same."""

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from annotate.domain.errors import StoreError
from annotate.domain.job import Rejected
from annotate.domain.options import SubmitOptions
from annotate.domain.progress import silent
from annotate.domain.settings import Settings, settings_from
from annotate.domain.video import VideoIndex
from annotate.store import Store, known_files, open_store
from annotate.use_cases import read_videos as module
from annotate.use_cases.read_videos import ReadVideo, read_videos
from annotate.video import probe
from tests.made_videos import Layout

# Seconds that a thread waits for another one.
PATIENCE_S = 30.0


@pytest.fixture
def videos(tmp_path: Path) -> list[Path]:
    """Three videos of different lengths."""
    paths = [tmp_path / f"{frames}.mp4" for frames in (5, 6, 7)]
    for path in paths:
        Layout(".mp4", codec="mpeg4", frames=int(path.stem)).make(path)
    return paths


class Reading:
    """Reads videos on one host and counts which of them are really read."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store: Store = open_store(str(folder / "store"))
        self.settings: Settings = settings_from({"ANNOTATE_CACHE": str(folder / "cache")})
        self.read: list[str] = []
        self.before: Callable[[Path], object] = lambda _path: None
        monkeypatch.setattr(module, "probe", self._probe)
        # Files of this test have only just been made.
        monkeypatch.setattr(known_files, "SETTLED_S", -PATIENCE_S)

    def _probe(self, path: Path, *arguments: Any, **options: Any) -> VideoIndex:
        self.before(path)
        self.read.append(path.name)
        return probe(path, *arguments, **options)

    def __call__(self, videos: list[Path], *, rehash: bool = False) -> list[int]:
        """Numbers of frames; -1 for a video that is rejected. `read` then holds what was read."""
        self.read.clear()
        options = SubmitOptions(rehash=rehash)
        found = read_videos(self.store, videos, options, self.settings, silent)
        return [len(one.index) if isinstance(one, ReadVideo) else -1 for one in found]


@pytest.fixture
def reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reading:
    return Reading(tmp_path, monkeypatch)


def test_unchanged_videos_are_not_read_again(reading: Reading, videos: list[Path]) -> None:
    assert reading(videos) == [5, 6, 7]
    assert len(reading.read) == 3
    assert reading(videos) == [5, 6, 7]
    assert reading.read == []
    assert reading(videos, rehash=True) == [5, 6, 7]
    assert len(reading.read) == 3


def test_a_changed_video_is_read_again_even_with_its_old_times(
    reading: Reading, videos: list[Path]
) -> None:
    reading(videos)
    changed = videos[1]
    before = changed.stat()
    with changed.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"?")
    os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))
    reading(videos)
    assert reading.read == [changed.name]


def test_a_video_that_has_just_changed_is_not_remembered(
    reading: Reading, videos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within the grain of the file system's times, a second change would not show."""
    monkeypatch.setattr(known_files, "SETTLED_S", PATIENCE_S)
    reading(videos)
    reading(videos)
    assert len(reading.read) == 3


def test_another_version_and_another_store_read_again(
    reading: Reading, videos: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reading(videos)
    store, reading.store = reading.store, open_store(str(tmp_path / "other"))
    reading(videos)
    assert len(reading.read) == 3
    reading.store = store
    monkeypatch.setattr(module, "reader_version", lambda: "another")
    reading(videos)
    assert len(reading.read) == 3


def test_the_way_of_reading_is_part_of_what_is_known(reading: Reading, videos: list[Path]) -> None:
    reading(videos)
    options = SubmitOptions(assume_fps=10)
    read_videos(reading.store, videos, options, reading.settings, silent)
    assert sorted(reading.read) == sorted([*(path.name for path in videos)] * 2)


def test_a_submission_that_was_interrupted_goes_on(
    reading: Reading, videos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)

    def interrupt(path: Path) -> None:
        if path == videos[2]:
            raise KeyboardInterrupt

    reading.before = interrupt
    with pytest.raises(KeyboardInterrupt):
        reading(videos)
    reading.before = lambda _path: None
    assert reading(videos) == [5, 6, 7]
    assert reading.read == [videos[2].name]


def test_several_videos_are_read_at_a_time(
    reading: Reading, videos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    together = threading.Barrier(3)
    reading.before = lambda _path: together.wait(PATIENCE_S)
    assert reading(videos) == [5, 6, 7]


def test_an_error_of_the_host_ends_it_and_one_of_a_video_does_not(
    reading: Reading, videos: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "notes.mp4").write_text("text")
    assert reading([*videos, tmp_path / "notes.mp4"]) == [5, 6, 7, -1]

    def full(_path: Path) -> None:
        raise StoreError("cannot write")

    reading.before = full
    with pytest.raises(StoreError):
        reading(videos, rehash=True)


def test_a_damaged_memory_is_made_anew_and_one_that_cannot_be_written_is_done_without(
    reading: Reading, videos: list[Path], tmp_path: Path
) -> None:
    reading(videos)
    for file in reading.settings.cache.iterdir():
        file.write_bytes(b"no database" * 1000)
    for expected in (3, 0):
        assert reading(videos) == [5, 6, 7]
        assert len(reading.read) == expected
    (tmp_path / "file").write_text("in the way")
    reading.settings = replace(reading.settings, cache=tmp_path / "file" / "cache")
    assert reading(videos) == [5, 6, 7]


def test_a_rejected_video_is_named(reading: Reading, tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("text")
    (one,) = read_videos(
        reading.store, [tmp_path / "notes.mp4"], SubmitOptions(), reading.settings, silent
    )
    assert isinstance(one, Rejected)
    assert one.path == str(tmp_path / "notes.mp4")
    assert one.hint
