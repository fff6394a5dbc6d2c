"""The store returns what was written, and never shows a half-written object."""

import errno
import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from annotate.domain.errors import DamagedError, ManifestError, PackError, StoreError, UsageError
from annotate.domain.job import Job, JobVideo, Recipe, Rejected
from annotate.domain.pack import read_pack
from annotate.domain.tracks import Tracks
from annotate.domain.video import Chunk
from annotate.domain.work import Failure, Heartbeat
from annotate.store import LocalFiles, Store, open_store
from annotate.use_cases.clean import garbage, remove
from tests.made_poses import FINGERPRINT, made_index, made_poses

RECIPE = Recipe("blazepose-full", "00" * 32)
JOB = Job(
    id="20260102-030405-abcdef",
    recipe=RECIPE,
    smooth_hz=6.0,
    videos=(JobVideo("walk.mp4", FINGERPRINT, "media", "videos/walk.mp4"),),
    rejected=(Rejected("videos/notes.txt", "no video"),),
)
VIDEO = JOB.videos[0]
CHUNK = Chunk(0, 4)


def part_key(recipe: Recipe) -> str:
    return f"results/{recipe.digest}/{FINGERPRINT}/parts/{CHUNK.name}.parquet"


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store, in a folder and on a real S3 server."""
    if request.param == "folder":
        return open_store(str(tmp_path / "store"))
    server = request.getfixturevalue("s3_server")
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    return open_store(f"s3://{server.new_bucket()}/a/prefix")


def assert_same(actual: object, expected: object) -> None:
    for field in fields(expected):  # type: ignore[arg-type]  # a dataclass
        a, b = getattr(actual, field.name), getattr(expected, field.name)
        if isinstance(b, np.ndarray):
            assert a.dtype == b.dtype, field.name
            np.testing.assert_array_equal(a, b, err_msg=field.name)
        else:
            assert a == b, field.name


def test_a_manifest_is_read_back_and_its_digest_changes_with_any_field(store: Store) -> None:
    store.write_job(JOB)
    assert store.read_job(JOB.id) == JOB
    assert store.newest_job() == JOB
    assert replace(JOB, smooth_hz=4.0).digest != JOB.digest
    assert replace(JOB, id="other").content_digest == JOB.content_digest


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


@pytest.mark.parametrize(
    "counts",
    [[1, 0, 3, 2], [0, 0, 0, 0], [0]],
    ids=["several people", "no people", "one empty frame"],
)
def test_a_part_is_read_back(store: Store, counts: list[int]) -> None:
    poses = made_poses(counts)
    results = store.results(RECIPE, VIDEO)
    assert not results.has_part(CHUNK)
    results.write_part(CHUNK, poses, {"provider": "cpu"})
    assert results.has_part(CHUNK)
    assert results.parts() == {CHUNK.name}
    assert_same(results.read_part(CHUNK), poses)


def test_the_same_part_written_twice_has_the_same_bytes(store: Store) -> None:
    recipes = [RECIPE, replace(RECIPE, detect_every=5)]
    for recipe in recipes:
        store.results(recipe, VIDEO).write_part(CHUNK, made_poses([1, 2]), {"provider": "cpu"})
    once, again = (store.files.read(part_key(recipe)) for recipe in recipes)
    assert once is not None
    assert once == again


def test_tracks_are_read_back_block_by_block(store: Store) -> None:
    random = np.random.default_rng(5)

    def block(rows: int) -> Tracks:
        return Tracks(
            frame_index=np.arange(rows, dtype=np.int64),
            pts=np.arange(rows, dtype=np.int64),
            time_s=np.arange(rows) / 30,
            track_id=np.ones(rows, np.int64),
            score=random.random(rows, np.float32),
            bbox=random.random((rows, 4), np.float32),
            filled=np.arange(rows) % 2 == 0,
            raw=np.full((rows, 33, 5), np.nan, np.float32),
            smoothed=random.random((rows, 33, 5), np.float32),
        )

    blocks = [block(3), block(5)]
    results = store.results(RECIPE, VIDEO)
    assert not results.has_tracks("m")
    results.write_tracks("m", iter(blocks), 33, {"missing": [[1, 2]]})
    assert results.has_tracks("m")
    assert results.merges() == ["m"]
    for actual, expected in zip(results.read_tracks("m"), blocks, strict=True):
        assert_same(actual, expected)
    results.delete_tracks("m")
    assert results.merges() == []


def test_failures_and_heartbeats_are_read_back_and_deleted(store: Store) -> None:
    failure = Failure(CHUNK.name, "damaged at 3.2 s", 1)
    results = store.results(RECIPE, VIDEO)
    results.write_failure(failure)
    assert results.failures() == {CHUNK.name: failure}
    results.delete_failure(CHUNK.name)
    assert results.failures() == {}
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


def test_a_damaged_part_is_named(store: Store) -> None:
    store.files.write(part_key(RECIPE), b"not parquet")
    with pytest.raises(DamagedError, match=CHUNK.name):
        store.results(RECIPE, VIDEO).read_part(CHUNK)


@pytest.mark.parametrize(
    "data",
    [b"[]", b"{}", b"[[0, 0]]", b"[[0, 5, 9]]", b"[[0,", b"[3]", b"[[null, 5]]"],
    ids=["no chunk", "no list", "no frame", "three bounds", "cut off", "no bounds", "no start"],
)
def test_a_damaged_list_of_chunks_is_named(store: Store, data: bytes) -> None:
    key = f"results/{RECIPE.digest}/{FINGERPRINT}/chunks.json"
    store.files.write(key, data)
    with pytest.raises(DamagedError, match=key) as error:
        store.results(RECIPE, VIDEO).read_chunks()
    assert "Delete that file" in error.value.hint


def test_a_video_is_never_cut_into_no_chunks(store: Store) -> None:
    results = store.results(RECIPE, VIDEO)
    with pytest.raises(ValueError, match="at least one chunk"):
        results.write_chunks([])
    assert results.read_chunks() is None


def test_a_damaged_failure_is_named(store: Store) -> None:
    key = f"results/{RECIPE.digest}/{FINGERPRINT}/failures/{CHUNK.name}.json"
    store.files.write(key, b'{"unit": 1}')
    with pytest.raises(DamagedError, match=CHUNK.name):
        store.results(RECIPE, VIDEO).failures()


def test_a_heartbeat_of_another_version_is_skipped(store: Store) -> None:
    store.files.write("heartbeats/host-1.json", b'{"worker": "host-1", "mood": "fine"}')
    store.files.write("heartbeats/host-2.json", b"{")
    assert store.heartbeats() == []


@pytest.fixture
def pack(tmp_path: Path, blazepose_pack: Path) -> Path:
    """A pack with a compiled variant, whose files are never read here."""
    folder = tmp_path / "pack"
    shutil.copytree(blazepose_pack, folder, ignore=shutil.ignore_patterns("variants"))
    add_variant(folder, "x-elite", b"compiled")
    return folder


def add_variant(pack: Path, soc: str, data: bytes) -> None:
    folder = pack / "variants" / soc
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.bin").write_bytes(data)
    (folder / "variant.json").write_bytes(b"of " + data)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_pack_is_read_back_with_its_variants(store: Store, pack: Path, tmp_path: Path) -> None:
    digest = read_pack(pack).digest
    store.add_pack(pack, digest)
    assert store.read_pack(digest) == read_pack(pack)
    assert contents(store.pack_folder(digest, tmp_path / "copies")) == contents(pack)


def test_variants_compiled_later_are_added_to_a_pack_in_the_store(
    store: Store, pack: Path, tmp_path: Path
) -> None:
    digest = read_pack(pack).digest
    for soc, data in (("x-elite", b"compiled"), ("qcs8550", b"later"), ("x-elite", b"again")):
        add_variant(pack, soc, data)
        store.add_pack(pack, digest)
        assert contents(store.pack_folder(digest, tmp_path / "copies")) == contents(pack)


def test_a_variant_without_description_is_not_copied(
    store: Store, pack: Path, tmp_path: Path
) -> None:
    digest = read_pack(pack).digest
    (pack / "variants" / "x-elite" / "variant.json").unlink()
    store.add_pack(pack, digest)
    assert "variants/x-elite/model.bin" not in contents(store.pack_folder(digest, tmp_path))


def test_a_pack_that_was_changed_is_refused(store: Store, pack: Path, tmp_path: Path) -> None:
    digest = read_pack(pack).digest
    store.add_pack(pack, digest)
    description = (pack / "pack.json").read_bytes()
    changed = description.replace(b'"min_score": 0.5', b'"min_score": 0.1')
    assert changed != description
    store.files.write(f"packs/{digest}/pack.json", changed)
    with pytest.raises(PackError, match="does not match its digest"):
        store.pack_folder(digest, tmp_path / "copies")
    with pytest.raises(PackError, match="has no"):
        store.pack_folder("none", tmp_path / "copies")


def test_what_no_job_needs_is_found_and_deleted(store: Store) -> None:
    other = replace(JOB, id="20260103-000000-000000", recipe=replace(RECIPE, detect_every=5))
    for job in (JOB, other):
        store.write_job(job)
        store.write_index(made_index())
        store.results(job.recipe, VIDEO).write_chunks([CHUNK])
    submitting = replace(RECIPE, people="all")
    store.results(submitting, VIDEO).write_chunks([CHUNK])
    assert garbage(store) == [], "young objects may belong to a job that is being submitted"

    found = garbage(store, [other.id])
    assert [(one.kind, len(one.entries)) for one in found] == [("jobs", 1), ("results", 1)]
    remove(store, found)
    assert store.job_ids() == [JOB.id]
    assert store.results(JOB.recipe, VIDEO).read_chunks() == (CHUNK,)
    assert store.results(other.recipe, VIDEO).read_chunks() is None
    assert store.results(submitting, VIDEO).read_chunks() == (CHUNK,), "it is young"
    assert len(store.read_index(FINGERPRINT)) == 10
    assert garbage(store, [JOB.id])[0].kind == "jobs"


def test_what_a_killed_writer_left_is_found_a_day_later(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.write_job(JOB)
    left = tmp_path / "jobs" / f"x.json.tmp-{'0' * 32}"
    left.write_bytes(b"half")
    assert garbage(store) == []
    yesterday = time.time() - 2 * 86400
    os.utime(left, (yesterday, yesterday))
    (found,) = garbage(store)
    assert (found.kind, found.size) == ("leftovers", 4)
    remove(store, [found])
    assert not left.exists()
    assert store.job_ids() == [JOB.id]
