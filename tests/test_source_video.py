"""Workers find a source video on a named share or in the store, and nowhere else."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from annotate.domain.errors import StoreError, UsageError, VideoError
from annotate.domain.job import HERE, STORED, Job, JobVideo, Recipe
from annotate.domain.limits import Limits
from annotate.domain.settings import Settings, settings_from
from annotate.store import Store, open_store
from annotate.store.source_video import local_source, publish_source
from annotate.video import fingerprint, probe
from tests.made_poses import FINGERPRINT
from tests.servers import S3Server

BROKER = "redis://user:word@127.0.0.1:6379/0"


def silent(_done: int, _total: int) -> None:
    """Progress that is not shown."""


def settings(tmp_path: Path, **more: str) -> Settings:
    environ = {"ANNOTATE_BROKER": BROKER, "ANNOTATE_STORE": str(tmp_path / "store"), **more}
    return settings_from({"ANNOTATE_CACHE": str(tmp_path / "cache"), **environ})


@pytest.fixture
def bucket(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store on a real S3 server."""
    for name, value in s3_server.environ.items():
        monkeypatch.setenv(name, value)
    return open_store(f"s3://{s3_server.new_bucket()}")


def test_a_video_on_a_share_is_found_where_each_host_mounts_it(
    tmp_path: Path, stroll: Path
) -> None:
    share = tmp_path / "mnt" / "share"
    (share / "monday").mkdir(parents=True)
    video = share / "monday" / "a video.mp4"
    video.write_bytes(stroll.read_bytes())
    elsewhere = tmp_path / "srv"
    elsewhere.symlink_to(share)
    here = settings(tmp_path, ANNOTATE_ROOTS=f"other={tmp_path / 'x'}{os.pathsep}media={share}")
    store, index = open_store(here.store), probe(video)
    root, path = publish_source(store, here, video, index, silent)
    assert (root, path) == ("media", "monday/a video.mp4")
    there = settings(tmp_path, ANNOTATE_ROOTS=f"media={elsewhere}")
    entry = JobVideo("a", index.fingerprint, root, path)
    with local_source(store, there, entry, index, silent) as found:
        assert found == elsewhere / "monday" / "a video.mp4"
        assert fingerprint(found) == index.fingerprint
    assert not (tmp_path / "store" / "videos").exists()


def test_a_share_that_this_host_does_not_know_or_see_is_reported(
    tmp_path: Path, stroll: Path
) -> None:
    index = probe(stroll)
    store = open_store(str(tmp_path / "store"))
    entry = JobVideo("a.mp4", index.fingerprint, "media", "a.mp4")
    unknown = local_source(store, settings(tmp_path), entry, index, silent)
    with pytest.raises(StoreError) as error, unknown:
        pass
    assert "ANNOTATE_ROOTS=media=FOLDER" in error.value.hint
    mapped = settings(tmp_path, ANNOTATE_ROOTS=f"media={tmp_path}")
    with pytest.raises(StoreError) as error, local_source(store, mapped, entry, index, silent):
        pass
    assert "mounted" in error.value.hint


def test_a_link_that_leads_out_of_the_share_is_not_followed(tmp_path: Path, stroll: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    (share / "a.mp4").symlink_to(stroll)
    mapped = settings(tmp_path, ANNOTATE_ROOTS=f"media={share}")
    store, index = open_store(mapped.store), probe(stroll)
    entry = JobVideo("a.mp4", index.fingerprint, "media", "a.mp4")
    with (
        pytest.raises(StoreError, match="leads out"),
        local_source(store, mapped, entry, index, silent),
    ):
        pass


def test_a_video_of_one_host_goes_into_a_shared_folder(tmp_path: Path, stroll: Path) -> None:
    here = settings(tmp_path)
    store, index = open_store(here.store), probe(stroll)
    assert publish_source(store, here, stroll, index, silent) == (STORED, "")
    entry = JobVideo("a.mp4", index.fingerprint, STORED, "")
    with local_source(store, here, entry, index, silent) as found:
        assert found.is_relative_to(tmp_path / "store")
        assert probe(found).pts.tolist() == index.pts.tolist()
    assert not (tmp_path / "cache").exists()


def test_without_a_broker_nothing_is_copied(tmp_path: Path, stroll: Path) -> None:
    alone = settings(tmp_path, ANNOTATE_BROKER="")
    store, index = open_store(alone.store), probe(stroll)
    root, path = publish_source(store, alone, stroll, index, silent)
    assert (root, path) == (HERE, str(stroll))
    entry = JobVideo("a.mp4", index.fingerprint, root, path)
    with local_source(store, alone, entry, index, silent) as found:
        assert found == stroll
    others = local_source(store, settings(tmp_path), entry, index, silent)
    with pytest.raises(VideoError, match="that host only"), others:
        pass


def test_an_upload_is_made_once_and_again_if_it_was_interrupted(
    bucket: Store, tmp_path: Path, stroll: Path
) -> None:
    here, index = settings(tmp_path), probe(stroll)
    calls: list[int] = []

    def interrupted(done: int, _total: int) -> None:
        calls.append(done)
        raise KeyboardInterrupt

    def watched(done: int, _total: int) -> None:
        calls.append(done)

    with pytest.raises(KeyboardInterrupt):
        publish_source(bucket, here, stroll, index, interrupted)
    bucket.files.write(f"videos/{index.fingerprint}/original", stroll.read_bytes()[:1000])
    calls.clear()
    for _ in range(2):
        assert publish_source(bucket, here, stroll, index, watched) == (STORED, "")
    assert calls == [stroll.stat().st_size]


def test_a_worker_fetches_a_video_to_its_cache_once(
    bucket: Store, tmp_path: Path, stroll: Path
) -> None:
    here, index = settings(tmp_path), probe(stroll)
    publish_source(bucket, here, stroll, index, silent)
    entry = JobVideo("a.mp4", index.fingerprint, STORED, "")
    for _ in range(2):
        with local_source(bucket, here, entry, index, silent) as found:
            assert found.is_relative_to(tmp_path / "cache")
            assert found.read_bytes() == stroll.read_bytes()
        bucket.files.delete(f"videos/{index.fingerprint}/original")


def test_a_video_that_was_changed_in_the_store_is_refused(
    bucket: Store, tmp_path: Path, stroll: Path
) -> None:
    here, index = settings(tmp_path), probe(stroll)
    bucket.files.write(f"videos/{index.fingerprint}/original", bytes(index.size_bytes))
    entry = JobVideo("a.mp4", index.fingerprint, STORED, "")
    with (
        pytest.raises(StoreError, match="does not match its fingerprint"),
        local_source(bucket, here, entry, index, silent),
    ):
        pass


@pytest.mark.parametrize(
    "path",
    [
        *("../a.mp4", "a/../../b.mp4", "/etc/passwd", "C:/a.mp4", "C:a.mp4", "\\\\host\\share\\a"),
        *("//host/share/a", "a\\..\\b", "", "a//b", ".", "a/./b", "a\0.mp4"),
    ],
)
def test_no_manifest_names_a_path_that_leads_out_of_a_share(path: str) -> None:
    video = JobVideo("a.mp4", FINGERPRINT, "media", "a.mp4")
    job = Job("20260102-030405-abcdef", Recipe("p", "00" * 32), 6.0, (video,))
    assert Job.from_json(job.to_json()) == job
    fields = json.loads(job.to_json())
    fields["videos"][0]["path"] = path
    with pytest.raises(StoreError, match="manifest cannot be read"):
        Job.from_json(json.dumps(fields))


@pytest.mark.parametrize("wrong", ["../../x", "ab", "AB" * 32, "ab" * 32 + "/.."])
def test_a_fingerprint_is_64_hex_digits(wrong: str) -> None:
    with pytest.raises(ValueError, match="not a fingerprint"):
        replace(JobVideo("a.mp4", FINGERPRINT, "media", "a.mp4"), fingerprint=wrong)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ANNOTATE_ROOTS", "media"),
        ("ANNOTATE_ROOTS", "media=relative"),
        ("ANNOTATE_ROOTS", ".store=/mnt"),
        ("ANNOTATE_ROOTS", "Me dia=/mnt"),
        ("ANNOTATE_CACHE_GB", "much"),
        ("ANNOTATE_CACHE_GB", "-1"),
        ("ANNOTATE_CACHE_GB", "nan"),
        ("ANNOTATE_LIMITS", "people=3"),
        ("ANNOTATE_LIMITS", "pixels"),
        ("ANNOTATE_LIMITS", "frames=0.5"),
        ("ANNOTATE_LIMITS", "memory_gb=0"),
        ("ANNOTATE_LIMITS", "decode_s=inf"),
        ("ANNOTATE_PROVIDER", "gpu"),
        ("ANNOTATE_HWACCEL", "cuda"),
        ("ANNOTATE_NPU_PERFORMANCE", "burts"),
    ],
)
def test_an_invalid_setting_is_reported(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=name):
        settings_from({name: value})


def test_settings_reach_child_processes_and_print_no_password(tmp_path: Path) -> None:
    limits = "frames=3, memory_gb=1.5"
    mine = settings(
        tmp_path,
        ANNOTATE_ROOTS=f"media={tmp_path}",
        ANNOTATE_CACHE_GB="1.5",
        ANNOTATE_LIMITS=limits,
    )
    assert settings_from(mine.to_environ()) == mine
    assert mine.limits == Limits(frames=3, memory_gb=1.5)
    assert "word" not in repr(mine)
