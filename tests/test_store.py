"""The store returns what was written, and never shows a half-written object."""

import errno
import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from annotate.domain.errors import DamagedError, ManifestError, StoreError, UsageError
from annotate.domain.work import Heartbeat
from annotate.store import LocalFiles, Store, open_store
from tests.made_job import CHUNK, JOB
from tests.made_poses import FINGERPRINT, assert_same, made_index


def test_a_manifest_is_read_back_and_its_digest_changes_with_any_field(store: Store) -> None:
    store.write_job(JOB)
    assert store.read_job(JOB.id) == JOB
    assert store.newest_job() == JOB
    assert replace(JOB, smooth_hz=4.0).digest != JOB.digest
    assert replace(JOB, id="other").content_digest == JOB.content_digest


def test_the_newest_job_is_the_one_that_was_submitted_last(store: Store) -> None:
    """Whatever the clock of its host says; jobs of earlier versions have no number."""
    old = replace(JOB, id="20250101-000000-aaaaaa")
    store.files.write(f"jobs/{old.id}.json", old.to_json().encode())
    future, wrong, right = "20370101-000000-bbbbbb", "19700101-000000-cccccc", JOB.id
    for job_id in (future, wrong, right):
        store.write_job(replace(JOB, id=job_id))
        assert store.newest_job().id == job_id
    assert store.job_ids() == [old.id, future, wrong, right]


def test_files_of_other_programs_do_not_make_an_old_job_the_newest(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    first, last = JOB.id, "20250101-000000-cccccc"  # its host's clock is behind
    store.write_job(JOB)
    for name in (".DS_Store", f"._000000001-{first}", "Thumbs.db", "zz-notes", "000000009"):
        (tmp_path / "order" / name).write_bytes(b"x")
    (tmp_path / "jobs" / f"._{first}.json").write_bytes(b"x")
    store.write_job(replace(JOB, id=last))
    assert store.job_ids() == [first, last]


def test_a_manifest_under_the_name_of_another_job_is_refused(store: Store) -> None:
    other = "20250101-000000-cccccc"
    store.files.write(f"jobs/{other}.json", JOB.to_json().encode())
    with pytest.raises(ManifestError, match=f"{other}.json .* job {JOB.id}"):
        store.read_job(other)


def test_for_an_unknown_job_the_newest_jobs_are_listed(store: Store) -> None:
    store.write_job(JOB)
    with pytest.raises(UsageError) as error:
        store.read_job("20260102-000000-000000")
    assert JOB.id in error.value.hint


def test_an_empty_store_says_how_to_start(store: Store) -> None:
    with pytest.raises(UsageError) as error:
        store.newest_job()
    assert "annotate submit" in error.value.hint


def test_a_damaged_manifest_is_an_error_not_a_traceback(store: Store) -> None:
    store.files.write(f"jobs/{JOB.id}.json", b'{"id": 1}')
    with pytest.raises(StoreError):
        store.read_job(JOB.id)


def test_a_manifest_without_videos_is_refused(store: Store) -> None:
    fields = {**json.loads(JOB.to_json()), "videos": []}
    store.files.write(f"jobs/{JOB.id}.json", json.dumps(fields).encode())
    with pytest.raises(ManifestError, match="at least one video"):
        store.read_job(JOB.id)


def test_an_index_is_read_back(store: Store) -> None:
    index = made_index()
    with pytest.raises(StoreError, match="no index of video abababababab"):
        store.read_index(FINGERPRINT)
    store.write_index(index)
    back = store.read_index(FINGERPRINT)
    assert_same(back, index)


def test_heartbeats_are_read_back_and_deleted(store: Store) -> None:
    beat = Heartbeat("host-1", JOB.id, "walk.mp4", FINGERPRINT, CHUNK, 2, 9.5, "cpu", 1, 2.0, "0")
    store.write_heartbeat(beat)
    assert store.heartbeats() == [beat]
    store.delete_heartbeat("host-1")
    assert store.heartbeats() == []


def test_a_writer_that_fails_leaves_nothing_behind(store: Store) -> None:
    store.files.write("parts/y.parquet", b"whole")

    def broken() -> None:
        with store.files.writer("parts/x.parquet") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert store.files.names("parts") == ["y.parquet"]
    assert store.files.read("parts/x.parquet") is None


def test_a_full_disk_is_reported(tmp_path: Path) -> None:
    def broken() -> None:
        with LocalFiles(tmp_path).writer("parts/x.parquet") as file:
            file.write(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StoreError) as error:
        broken()
    assert "disk is full" in error.value.hint
    assert list((tmp_path / "parts").iterdir()) == []


def test_a_file_that_a_killed_writer_left_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "x.parquet.tmp-0123").write_bytes(b"half")
    assert LocalFiles(tmp_path).names("parts") == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_what_is_no_file_is_damaged(tmp_path: Path) -> None:
    """A submission then sets it aside, and makes the file again."""
    files = LocalFiles(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "nothing").symlink_to("away")
    (tmp_path / "loop").symlink_to("loop")
    for key in ("folder", "nothing", "loop"):
        assert files.size(key) is None
        with pytest.raises(DamagedError, match=key), files.reader(key):
            pass
        files.set_aside(key)
        assert files.names("damaged") == [key]
        assert files.read(key) is None
        (tmp_path / "damaged" / key).rename(tmp_path / f"was-{key}")


def test_objects_are_listed_by_folder_and_deleted_twice(store: Store) -> None:
    for key in ("a/2", "a/1", "a/b/3", "ab"):
        store.files.write(key, key.encode())
    assert store.files.names("a") == ["1", "2", "b"]
    assert store.files.names("none") == []
    assert store.files.size("a/b/3") == 5
    assert store.files.size("a/b") is None
    for _ in range(2):
        store.files.delete("a/1")
    assert not store.files.exists("a/1")
    assert store.files.names("a") == ["2", "b"]


@pytest.mark.parametrize("key", ["../x", "a/../../x", "/etc/x", "a//b", "C:/x", "..\\x", "a\0b"])
def test_no_key_leads_out_of_the_store(store: Store, key: str) -> None:
    with pytest.raises(StoreError, match="not a valid key"):
        store.files.read(key)
    with pytest.raises(StoreError, match="not a valid key"):
        store.files.write(key, b"")


def test_more_objects_than_a_server_lists_at_once(store: Store) -> None:
    names = [f"{number:04d}" for number in range(1005)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda name: store.files.write(f"many/{name}", b"", durable=False), names))
    assert store.files.names("many") == names


def test_a_heartbeat_of_another_version_is_skipped(store: Store) -> None:
    store.files.write("heartbeats/host-1.json", b'{"worker": "host-1", "mood": "fine"}')
    store.files.write("heartbeats/host-2.json", b"{")
    assert store.heartbeats() == []


def test_in_a_store_of_a_group_new_folders_belong_to_the_group(tmp_path: Path) -> None:
    root = tmp_path / "store"
    root.mkdir()
    root.chmod(0o2770)
    LocalFiles(root).write("jobs/deep/a.json", b"x")
    for folder in (root / "jobs", root / "jobs" / "deep"):
        assert folder.stat().st_mode & 0o2070 == 0o2070
    alone = tmp_path / "alone"
    alone.mkdir(mode=0o755)
    LocalFiles(alone).write("jobs/a.json", b"x")
    assert not (alone / "jobs").stat().st_mode & 0o020


def test_a_store_that_goes_away_does_not_look_empty(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path / "store")
    files.write("jobs/a.json", b"x")
    assert files.names("jobs") == ["a.json"]
    (tmp_path / "store").rename(tmp_path / "away")
    uses: list[Callable[[], object]] = [
        lambda: files.names("jobs"),
        lambda: files.read("jobs/a.json"),
        lambda: files.size("jobs/a.json"),
        lambda: files.write("jobs/b.json", b"x"),
    ]
    for use in uses:
        with pytest.raises(StoreError, match="No such file"):
            use()
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(("folder", "key"), [("jobs", "jobs/x.json"), ("a/b", "a/b/c/d")])
def test_what_is_in_the_place_of_a_folder_is_named(tmp_path: Path, folder: str, key: str) -> None:
    files = open_store(str(tmp_path)).files
    (tmp_path / folder).parent.mkdir(exist_ok=True)
    (tmp_path / folder).write_bytes(b"")
    verbs: list[Callable[[], object]] = [
        lambda: files.read(key),
        lambda: files.size(key),
        lambda: files.write(key, b""),
        lambda: files.delete(key),
        lambda: files.names(folder),
    ]
    for verb in verbs:
        with pytest.raises(DamagedError, match=f"^{folder} in .* is not a folder") as error:
            verb()
        assert error.value.hint.startswith(f"Move {tmp_path / folder} away")
