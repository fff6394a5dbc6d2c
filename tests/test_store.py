"""The store gives back what was filed, and shows no half-written object."""

import errno
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from annotate.domain import Chunk, Tracks
from annotate.errors import StoreError, UsageError
from annotate.job import Failure, Heartbeat, Job, JobVideo, Recipe, Rejected
from annotate.store import Files, Store
from tests.made_poses import FINGERPRINT, made_index, made_poses

RECIPE = Recipe("blazepose-full", "00" * 32)
JOB = Job(
    id="20260102-030405-abcdef",
    recipe=RECIPE,
    smooth_hz=6.0,
    videos=(JobVideo("walk.mp4", FINGERPRINT, "videos/walk.mp4"),),
    rejected=(Rejected("videos/notes.txt", "no video"),),
)
CHUNK = Chunk(0, 4)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(Files(tmp_path))


def assert_same(actual: object, expected: object) -> None:
    for field in fields(expected):  # type: ignore[arg-type]  # a dataclass
        a, b = getattr(actual, field.name), getattr(expected, field.name)
        if isinstance(b, np.ndarray):
            assert a.dtype == b.dtype, field.name
            np.testing.assert_array_equal(a, b, err_msg=field.name)
        else:
            assert a == b, field.name


def test_a_manifest_comes_back_and_its_digest_tells_of_any_change(store: Store):
    store.write_job(JOB)
    assert store.read_job(JOB.id) == JOB
    assert store.newest_job() == JOB
    assert replace(JOB, smooth_hz=4.0).digest != JOB.digest
    assert replace(JOB, id="other").content_digest == JOB.content_digest


def test_an_unknown_job_is_named_with_those_there_are(store: Store):
    store.write_job(JOB)
    with pytest.raises(UsageError) as error:
        store.read_job("20260102-000000-000000")
    assert JOB.id in error.value.hint


def test_an_empty_store_says_how_to_begin(store: Store):
    with pytest.raises(UsageError) as error:
        store.newest_job()
    assert "annotate submit" in error.value.hint


def test_a_damaged_manifest_is_an_error_not_a_traceback(store: Store):
    store.files.write(f"jobs/{JOB.id}.json", b'{"id": 1}')
    with pytest.raises(StoreError):
        store.read_job(JOB.id)


def test_an_index_comes_back(store: Store):
    index = made_index()
    assert store.read_index(FINGERPRINT) is None
    store.write_index(index)
    back = store.read_index(FINGERPRINT)
    assert_same(back, index)


@pytest.mark.parametrize(
    "counts",
    [[1, 0, 3, 2], [0, 0, 0, 0], [0]],
    ids=["several people", "nobody", "one empty frame"],
)
def test_a_part_comes_back(store: Store, counts: list[int]):
    poses = made_poses(counts)
    store.write_part(RECIPE.digest, FINGERPRINT, CHUNK, poses, {"provider": "cpu"})
    assert store.has_part(RECIPE.digest, FINGERPRINT, CHUNK)
    assert store.parts(RECIPE.digest, FINGERPRINT) == {CHUNK.name}
    assert_same(store.read_part(RECIPE.digest, FINGERPRINT, CHUNK), poses)


def test_the_same_part_written_twice_has_the_same_bytes(store: Store, tmp_path: Path):
    for name in ("once", "again"):
        store.write_part(name, FINGERPRINT, CHUNK, made_poses([1, 2]), {"provider": "cpu"})
    once, again = (next((tmp_path / "results" / n).rglob("*.parquet")) for n in ("once", "again"))
    assert once.read_bytes() == again.read_bytes()


def test_tracks_come_back_block_by_block(store: Store):
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
    store.write_tracks(RECIPE.digest, FINGERPRINT, "m", iter(blocks), 33, {"missing": [[1, 2]]})
    assert store.tracks_facts(RECIPE.digest, FINGERPRINT, "m")["missing"] == [[1, 2]]
    for actual, expected in zip(
        store.read_tracks(RECIPE.digest, FINGERPRINT, "m"), blocks, strict=True
    ):
        assert_same(actual, expected)


def test_failures_and_heartbeats_come_back_and_go(store: Store):
    failure = Failure(CHUNK.name, "damaged at 3.2 s", 1)
    store.write_failure(RECIPE.digest, FINGERPRINT, failure)
    assert store.failures(RECIPE.digest, FINGERPRINT) == {CHUNK.name: failure}
    store.delete_failure(RECIPE.digest, FINGERPRINT, CHUNK.name)
    assert store.failures(RECIPE.digest, FINGERPRINT) == {}
    beat = Heartbeat("host-1", JOB.id, "walk.mp4", FINGERPRINT, CHUNK, 2, 9.5, "cpu", 1, 2.0, "0")
    store.write_heartbeat(beat)
    assert store.heartbeats() == [beat]
    store.delete_heartbeat("host-1")
    assert store.heartbeats() == []


def test_a_writer_that_fails_leaves_nothing_behind(store: Store, tmp_path: Path):
    def broken() -> None:
        with store.files.writer("parts/x.parquet") as file:
            file.write(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StoreError) as error:
        broken()
    assert "disk is full" in error.value.hint
    assert list((tmp_path / "parts").iterdir()) == []


def test_a_file_that_a_killed_writer_left_is_not_listed(store: Store, tmp_path: Path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "x.parquet.tmp-0123").write_bytes(b"half")
    assert store.files.names("parts") == []


def test_a_damaged_part_is_named(store: Store):
    store.write_part(RECIPE.digest, FINGERPRINT, CHUNK, made_poses([1]), {})
    key = f"results/{RECIPE.digest}/{FINGERPRINT}/parts/{CHUNK.name}.parquet"
    store.files.write(key, b"not parquet")
    with pytest.raises(StoreError, match=CHUNK.name):
        store.read_part(RECIPE.digest, FINGERPRINT, CHUNK)


def test_a_pack_is_copied_whole_and_once(store: Store, tmp_path: Path):
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "pack.json").write_text("{}")
    store.add_pack(pack, "d1")
    (pack / "pack.json").write_text("changed")
    store.add_pack(pack, "d1")
    assert (store.pack_folder("d1") / "pack.json").read_text() == "{}"
