"""Videos in a bucket: found, read and annotated where they lie, on a real S3 server."""

import codecs
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from annotate.cli.options import with_list
from annotate.domain.errors import ExitCode, StoreError, UsageError
from annotate.domain.job import BUCKET, Rejected
from annotate.domain.options import SubmitOptions
from annotate.domain.progress import silent
from annotate.domain.settings import Settings, settings_from
from annotate.store import open_store
from annotate.store.bucket_videos import BucketVideo, fetched, version_of
from annotate.store.s3 import S3Files
from annotate.use_cases.find_videos import find_videos
from annotate.use_cases.read_videos import ReadVideo, read_videos
from annotate.use_cases.watch import Arrivals
from annotate.video import probe
from tests.command import Host
from tests.made_videos import Layout
from tests.servers import S3Server

Put = Callable[[str, bytes], None]


@pytest.fixture
def bucket(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an empty bucket, whose server this process knows."""
    for name, value in s3_server.environ.items():
        monkeypatch.setenv(name, value)
    return s3_server.new_bucket()


@pytest.fixture
def put(bucket: str) -> Put:
    """Writes an object."""
    files = S3Files(f"s3://{bucket}")
    return lambda key, data: files.write(key, data)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_from({"ANNOTATE_CACHE": str(tmp_path / "cache")}, store=str(tmp_path / "store"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "clip.ts"
    Layout(".ts", codec="mpeg2video", frames=10).make(path)
    return path


def names(url: str) -> tuple[list[str], list[str]]:
    found = find_videos([url])
    return [str(one) for one in found.videos], [one.path for one in found.left_out]


@pytest.mark.parametrize("address", ["", "/a.mp4"])
def test_an_object_that_is_overwritten_is_a_new_arrival(
    address: str, bucket: str, put: Put, clip: Path
) -> None:
    arrivals, url = Arrivals(10.0), f"s3://{bucket}{address}"
    put("a.mp4", clip.read_bytes())
    (before,) = arrivals.complete(find_videos([url]).videos, 0.0)
    assert list(arrivals.complete(find_videos([url]).videos, 1.0)) == [before]
    changed = bytearray(clip.read_bytes())
    changed[-1] ^= 1
    old = find_videos([url]).videos[0]
    assert isinstance(old, BucketVideo)
    while True:  # the server's clock has to tick
        put("a.mp4", bytes(changed))
        (new,) = find_videos([url]).videos
        assert isinstance(new, BucketVideo)
        if new.state != old.state:
            break
    (after,) = arrivals.complete(find_videos([url]).videos, 2.0)
    assert after != before


def test_the_videos_below_an_address_are_found(bucket: str, put: Put, clip: Path) -> None:
    for key in ("films/a.mp4", "films/monday/no ending", "films/code.ts", "other/b.mp4"):
        put(key, clip.read_bytes() if key != "films/code.ts" else b"const a = 1;\n")
    put("films/.hidden/c.mp4", b"x")
    put("films/d.mp4.part", clip.read_bytes())
    top = f"s3://{bucket}"
    found, left_out = names(f"{top}/films")
    assert found == [f"{top}/films/a.mp4", f"{top}/films/monday/no ending"]
    assert left_out == [f"{top}/films/code.ts", f"{top}/films/d.mp4.part"]
    assert len(names(top)[0]) == 3
    assert names(f"{top}/other/b.mp4")[0] == [f"{top}/other/b.mp4"]
    with pytest.raises(UsageError, match="no video at"):
        find_videos([f"{top}/nothing"])


@pytest.mark.parametrize("address", ["frames", "frames/%02d.png", "frames/01.png"])
def test_images_in_a_bucket_are_refused_with_a_way_out(address: str, bucket: str, put: Put) -> None:
    for name in ("01.png", "02.png"):
        put(f"frames/{name}", b"\x89PNG")
    with pytest.raises(UsageError, match="names images") as caught:
        find_videos([f"s3://{bucket}/{address}"])
    assert f"aws s3 cp --recursive s3://{bucket}/frames FOLDER" in caught.value.hint


def test_images_beside_videos_in_a_bucket_are_named(bucket: str, put: Put, clip: Path) -> None:
    put("a.ts", clip.read_bytes())
    put("cover.png", b"\x89PNG")
    found = find_videos([f"s3://{bucket}"])
    assert [str(one) for one in found.videos] == [f"s3://{bucket}/a.ts"]
    assert [one.reason for one in found.left_out] == ["an image in a bucket"]


def test_the_store_in_the_same_bucket_is_not_searched(bucket: str, put: Put, clip: Path) -> None:
    put("a.mp4", clip.read_bytes())
    put("store/videos/x/original", clip.read_bytes())
    store = open_store(f"s3://{bucket}/store")
    assert len(find_videos([f"s3://{bucket}"], store=store).videos) == 1


def test_a_video_is_read_once_and_known_to_all_hosts(
    bucket: str, put: Put, clip: Path, settings: Settings, tmp_path: Path
) -> None:
    put("a.ts", clip.read_bytes())
    put("notes.mp4", b"text")
    store = open_store(settings.store)
    found = find_videos([f"s3://{bucket}"])
    for _ in range(2):
        video, notes = read_videos(store, found.videos, SubmitOptions(), settings, silent)
        assert isinstance(video, ReadVideo)
        # The identity is that of the bytes, wherever they lie.
        assert video.index.fingerprint == probe(clip).fingerprint
        assert isinstance(notes, Rejected)
        assert notes.reason.startswith(f"s3://{bucket}/notes.mp4 is not a video file")
    # Another host needs no byte of it.
    elsewhere = settings_from({"ANNOTATE_CACHE": str(tmp_path / "b")}, store=settings.store)
    read_videos(store, found.videos[:1], SubmitOptions(), elsewhere, silent)
    assert not (tmp_path / "b").exists()


def test_another_version_of_an_object_is_another_video(
    bucket: str, put: Put, clip: Path, settings: Settings
) -> None:
    video = BucketVideo(bucket, "a.ts")
    put("a.ts", clip.read_bytes())
    before = version_of(video)
    data = bytearray(clip.read_bytes())
    data[-1] ^= 1
    put("a.ts", bytes(data))
    assert version_of(video) != before
    with fetched(video, settings, lambda _done, _total: None) as path:
        assert path.read_bytes() == data
    with pytest.raises(StoreError, match="does not exist"):
        version_of(BucketVideo(bucket, "gone.ts"))


def test_a_bucket_is_annotated_where_it_lies(
    host: Host, s3_server: S3Server, bucket: str, put: Put, stroll: Path
) -> None:
    put("in/stroll.mp4", stroll.read_bytes())
    away = Host(host.store, host.packs, host.home, s3_server.environ)
    said = away.run("submit", f"s3://{bucket}/in")
    assert "1 of 1 videos done, 60 frames" in said.out
    (video,) = away.opened().newest_job().videos
    assert (video.name, video.root, video.path) == ("stroll.mp4", BUCKET, f"{bucket}/in/stroll.mp4")
    # Not copied: neither into the store nor into the bucket; the cache of this host has it once.
    assert not list(Path(host.store).rglob("original"))
    assert [one.key for one in S3Files(f"s3://{bucket}").walk("")] == ["in/stroll.mp4"]
    copies = [p for p in (host.home / "cache" / "videos").iterdir() if p.suffix != ".lock"]
    assert len(copies) == 1
    in_bucket = json.loads(away.exported("bucket.json"))
    assert "1 of 1 videos done, 60 frames" in host.run("submit", stroll).out
    as_file = json.loads(host.exported("file.json"))
    for rows in ("images", "annotations"):
        assert in_bucket[rows] == as_file[rows]
    (probed,) = json.loads(away.run("probe", f"s3://{bucket}/in", "--json").out)["videos"]
    assert (probed["path"], probed["frames"]) == (f"s3://{bucket}/in/stroll.mp4", 60)


def test_an_object_that_changed_is_not_annotated_as_the_old_one(
    host: Host, s3_server: S3Server, bucket: str, put: Put, stroll: Path, clip: Path
) -> None:
    put("a.mp4", stroll.read_bytes())
    away = Host(host.store, host.packs, host.home, s3_server.environ)
    away.run("submit", f"s3://{bucket}/a.mp4")
    put("a.mp4", clip.read_bytes())
    for part in Path(host.store).rglob("results"):
        shutil.rmtree(part)
    assert "10 frames" in away.run("submit", f"s3://{bucket}/a.mp4").out


@pytest.mark.parametrize("between", [b"\n", b"\r\n", b"\0"], ids=["lines", "Windows", "-print0"])
def test_a_list_on_standard_input(host: Host, clip: Path, between: bytes) -> None:
    paths = [os.fsencode(host.home / name) for name in ("a b.ts", os.fsdecode(b"\xe9.ts"))]
    for path in paths:
        shutil.copy(clip, os.fsdecode(path))
    process = subprocess.run(
        [sys.executable, "-m", "annotate", "probe", "-", "--json"],
        input=between.join(paths) + between,
        env=host.environ(),
        capture_output=True,
        timeout=120,
    )
    assert process.returncode == 0, process.stderr
    found = [Path(one["path"]).name for one in json.loads(process.stdout)["videos"]]
    assert found == ["a b.ts", "%E9.ts"]


def test_what_has_gone_from_a_list_does_not_stop_the_others(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list begins with the mark that Windows writes."""
    gone, empty = tmp_path / "gone.ts", tmp_path / "empty"
    empty.mkdir()
    listed = codecs.BOM_UTF8 + f"{clip}\n{gone}\n{empty}\n".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(listed)))
    named = with_list(["-"])
    found = find_videos(named)
    assert found.videos == (clip,)
    reasons = [(one.reason, one.notable) for one in found.left_out]
    assert reasons == [
        (f"no such file: {gone}", True),
        (f"no video in the folder {empty}", True),
    ]
    with pytest.raises(UsageError, match="nothing of the list"):
        find_videos(named[1:])
    with pytest.raises(UsageError, match="no such file"):
        find_videos([clip, gone])


def test_an_empty_list_is_an_error(host: Host) -> None:
    said = host.run("submit", "-", code=ExitCode.USAGE, stdin=subprocess.DEVNULL)
    assert "standard input is empty" in said.err
