"""Workers of a queue read videos for a submission, which goes on whatever becomes of them."""

import json
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from annotate.domain.options import SubmitOptions
from annotate.domain.progress import silent
from annotate.domain.settings import Settings, settings_from
from annotate.queue.board import open_board
from annotate.queue.messages import Queue, probe_list
from annotate.store import Store, known_files, open_store
from annotate.store.bucket_videos import BucketVideo, version_of
from annotate.store.known_files import state_of
from annotate.store.reading_lists import ReadingList, delete_list, read_list, write_list
from annotate.store.s3 import S3Files
from annotate.store.source_video import share_version
from annotate.use_cases import read_videos as module
from annotate.use_cases.find_videos import find_videos
from annotate.use_cases.read_videos import ReadVideo, read_listed, read_videos
from annotate.use_cases.shared_reading import WINDOW, shared_reading
from annotate.video import probe
from tests.command import Host
from tests.fleet import kill, make_hosts, working
from tests.made_videos import Layout
from tests.servers import RedisServer, S3Server, wait_until

CLIPS = 12
OPTIONS = SubmitOptions()


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of videos, each with other bytes."""
    folder = tmp_path_factory.mktemp("clips")
    for number in range(CLIPS):
        Layout(".mp4", codec="mpeg4", frames=10 + number).make(folder / f"{number:02}.mp4")
    return folder


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of this test have only just been made."""
    monkeypatch.setattr(known_files, "SETTLED_S", -30.0)


@pytest.fixture
def hosts(tmp_path: Path, clips: Path, guarded_redis: RedisServer) -> list[Host]:
    """A laptop and two workers that see the same share."""
    packs = tmp_path / "packs"
    made = make_hosts(tmp_path, packs, str(tmp_path / "store"), guarded_redis.url)
    old = clips.stat().st_mtime - 100
    for clip in clips.iterdir():
        os.utime(clip, (old, old))
    return [on_share(host, clips) for host in made]


def on_share(host: Host, folder: Path) -> Host:
    return replace(host, more={**host.more, "ANNOTATE_ROOTS": f"media={folder}"})


def filed(store: Store, settings: Settings, clips: Path) -> list[Path]:
    """The clips on the share whose fingerprint some host has filed."""
    return [
        clip
        for clip in sorted(clips.iterdir())
        if (version := share_version(settings, clip, state_of(clip)))
        and store.source_fingerprint(version)
    ]


def check_indexes(store: Store, clips: Path) -> None:
    for clip in clips.iterdir():
        alone = probe(clip)
        index = store.read_index(alone.fingerprint)
        assert (index.pts.tolist(), index.size_bytes) == (alone.pts.tolist(), alone.size_bytes)


def test_workers_read_what_is_on_a_share_and_a_killed_one_loses_nothing(
    hosts: list[Host], clips: Path, guarded_redis: RedisServer
) -> None:
    laptop, north, south = hosts
    store, settings = laptop.opened(), laptop.settings()
    videos = find_videos([clips]).videos
    store.id()
    # A worker's clock tells that the files are old only after some seconds.
    wait_until(lambda: not any(is_young(clip) for clip in clips.iterdir()), "the clock")
    with (
        working(north, south) as (first, _),
        shared_reading(store, videos, OPTIONS, settings, 0) as send_more,
    ):
        send_more(lambda number: number < 2)
        wait_until(lambda: len(filed(store, settings, clips)) >= 3, "a worker")
        kill(first)
        wait_until(lambda: len(filed(store, settings, clips)) >= CLIPS - 3, "the other worker")
    assert filed(store, settings, clips)[0].name >= "02.mp4", "those at the front are read already"
    assert not list(store.files.walk("reading")), "messages that are left do nothing"
    read = read_videos(store, videos, OPTIONS, settings, silent)
    assert all(isinstance(one, ReadVideo) for one in read)
    check_indexes(store, clips)
    assert guarded_redis.refused() == []


def is_young(clip: Path) -> bool:
    return time.time() - clip.stat().st_ctime <= 4


def test_what_workers_have_read_is_not_read_again(
    hosts: list[Host], clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, north, _ = hosts
    store, videos = laptop.opened(), find_videos([clips]).videos
    listed = ReadingList(
        tuple(("media", clip.name) for clip in sorted(clips.iterdir())), None, None
    )
    name = write_list(store, listed)
    for number in range(CLIPS):
        read_listed(store, name, number, north.settings(), silent)
    monkeypatch.setattr(module, "probe", None)
    for _ in range(2):  # the second time it is known on the laptop too
        assert len(read_videos(store, videos, OPTIONS, laptop.settings(), silent)) == CLIPS
        delete_list(store, name)
        shutil.rmtree(Path(str(store.files)) / "sources", ignore_errors=True)


def test_a_file_that_changed_since_a_worker_read_it_is_read_again(
    hosts: list[Host], tmp_path: Path, clips: Path
) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    path = Path(shutil.copy(clips / "00.mp4", folder))
    laptop, north, _ = (on_share(host, folder) for host in hosts)
    store = laptop.opened()
    name = write_list(store, ReadingList((("media", "00.mp4"),), None, None))
    read_listed(store, name, 0, north.settings(), silent)
    times = path.stat()
    path.write_bytes((clips / "03.mp4").read_bytes())
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    (read,) = read_videos(store, [path], OPTIONS, laptop.settings(), silent)
    assert isinstance(read, ReadVideo)
    assert len(read.index) == 13


def test_objects_of_a_bucket_are_read_by_workers(
    hosts: list[Host], clips: Path, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3_server.environ.items():
        monkeypatch.setenv(name, value)
    bucket = s3_server.new_bucket()
    for clip in clips.iterdir():
        S3Files(f"s3://{bucket}").write(clip.name, clip.read_bytes())
    laptop, north, _ = hosts
    store, settings = laptop.opened(), laptop.settings()
    videos = find_videos([f"s3://{bucket}"]).videos
    store.id()

    def missing() -> int:
        return sum(
            store.source_fingerprint(version_of(video)) is None
            for video in videos
            if isinstance(video, BucketVideo)
        )

    with working(north), shared_reading(store, videos, OPTIONS, settings, 0) as send_more:
        send_more(lambda _number: False)
        wait_until(lambda: not missing(), "a worker")
    monkeypatch.setattr(module, "probe", None)
    assert len(read_videos(store, videos, OPTIONS, settings, silent)) == CLIPS
    assert not (laptop.home / "cache" / "videos").exists(), "no byte came to the laptop"
    check_indexes(store, clips)


def test_a_submission_needs_no_worker_and_says_nothing_of_it(
    hosts: list[Host], clips: Path
) -> None:
    said = hosts[0].run("probe", clips, "--json")
    assert len(json.loads(said.out)["videos"]) == CLIPS
    assert said.err.count("Reading") <= 1


@pytest.fixture
def alone(tmp_path: Path, redis_server: RedisServer) -> tuple[Store, Settings]:
    environ = {
        "ANNOTATE_BROKER": redis_server.url,
        "ANNOTATE_CACHE": str(tmp_path / "cache"),
        "ANNOTATE_ROOTS": f"media={tmp_path}",
    }
    settings = settings_from(environ, store=str(tmp_path / "store"))
    return open_store(settings.store), settings


def test_few_messages_wait_at_a_time_and_the_last_videos_come_first(
    alone: tuple[Store, Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, settings = alone
    monkeypatch.setattr("annotate.use_cases.shared_reading.LOOK_S", 0.0)
    videos = [tmp_path / f"{number}.mp4" for number in range(WINDOW + 20)]
    sent: list[int] = []
    whole = Queue.send_probe

    def send(queue: Queue, listed: str, number: int) -> None:
        sent.append(number)
        whole(queue, listed, number)

    monkeypatch.setattr(Queue, "send_probe", send)
    board = open_board(settings.broker, store.id())
    with shared_reading(store, videos, OPTIONS, settings, 5) as send_more:
        for _ in range(2):
            send_more(lambda number: number == 10)
        assert board.waiting([probe_list()]) == [WINDOW]
        for _ in range(9):
            board.client.rpop(f"{board.prefix}{probe_list()}")
        for _ in range(2):
            send_more(lambda number: number == 10)
        assert board.waiting([probe_list()]) == [WINDOW]
    # Five are read at once by the command itself.
    assert sent == list(range(WINDOW + 14, 5, -1))


def test_nothing_is_shared_without_a_queue_or_when_all_is_to_be_read_anew(
    alone: tuple[Store, Settings], tmp_path: Path
) -> None:
    store, settings = alone
    videos = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    here = settings_from({}, store=settings.store)
    elsewhere = settings_from({"ANNOTATE_BROKER": settings.broker}, store=settings.store)
    for options, where in (
        (SubmitOptions(rehash=True), settings),
        (OPTIONS, here),
        (OPTIONS, elsewhere),
    ):
        with shared_reading(store, videos, options, where, 0):
            assert not list(store.files.walk("reading"))
    with shared_reading(store, videos, OPTIONS, settings, 0):
        assert len(list(store.files.walk("reading"))) == 1


def test_a_queue_that_is_away_only_costs_its_help(
    alone: tuple[Store, Settings], clips: Path, redis_server: RedisServer
) -> None:
    store, settings = alone
    store.id()
    redis_server.kill()
    assert len(read_videos(store, sorted(clips.iterdir()), OPTIONS, settings, silent)) == CLIPS


def test_a_message_of_no_list_does_nothing(alone: tuple[Store, Settings], tmp_path: Path) -> None:
    store, settings = alone
    name = write_list(store, ReadingList((("media", "a.mp4"),), None, 12.5))
    assert read_list(store, name) == ReadingList((("media", "a.mp4"),), None, 12.5)
    for listed, number in (("../../jobs/x", 0), ("00" * 32, 0), (name, 1), (name, -1)):
        read_listed(store, listed, number, settings, silent)
    # Whoever writes to the store may not make workers read another file.
    store.files.write(f"reading/{name}.json", b'{"places": [["media", "b.mp4"]]}')
    assert read_list(store, name) is None
    assert not (tmp_path / "store" / "videos").exists()
