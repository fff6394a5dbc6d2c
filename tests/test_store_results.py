"""Results of a video are read back as they were written, and damage is named."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotate.domain.errors import DamagedError
from annotate.domain.job import Recipe
from annotate.domain.tracks import Tracks
from annotate.domain.video import Chunk
from annotate.domain.work import Failure
from annotate.store import Store, tables
from annotate.store.results import tracks_name
from tests.made_job import CHUNK, RECIPE, VIDEO
from tests.made_poses import FINGERPRINT, assert_same, made_poses


def part_key(recipe: Recipe) -> str:
    return f"results/{recipe.digest}/{FINGERPRINT}/parts/{CHUNK.name}.parquet"


@pytest.mark.parametrize(
    "counts",
    [[1, 0, 3, 2], [0, 0, 0, 0], [0]],
    ids=["several people", "no people", "one empty frame"],
)
@pytest.mark.parametrize("axes", [0, 3], ids=["no world", "world"])
def test_a_part_is_read_back(store: Store, counts: list[int], axes: int) -> None:
    poses, chunk = made_poses(counts, axes=axes), Chunk(0, len(counts))
    results = store.results(RECIPE, VIDEO)
    assert not results.has_part(chunk)
    results.write_part(chunk, poses, {"provider": "cpu"})
    assert results.has_part(chunk)
    assert results.parts() == {chunk.name}
    assert_same(results.read_part(chunk), poses)


def test_the_same_part_written_twice_has_the_same_bytes(store: Store) -> None:
    written = []
    for _ in range(2):
        store.results(RECIPE, VIDEO).write_part(CHUNK, made_poses([1, 2]), {"provider": "cpu"})
        written.append(store.files.read(part_key(RECIPE)))
    once, again = written
    assert once is not None
    assert once == again


def made_tracks(random: np.random.Generator, rows: int, axes: int) -> Tracks:
    """A pose a frame."""
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
        raw_world=np.full((rows, 33, axes), np.nan, np.float32),
        smoothed_world=random.random((rows, 33, axes), np.float32),
    )


@pytest.mark.parametrize("axes", [0, 3], ids=["no world", "world"])
def test_tracks_are_read_back_block_by_block(store: Store, axes: int) -> None:
    random = np.random.default_rng(5)
    blocks = [made_tracks(random, rows, axes) for rows in (3, 5)]
    results = store.results(RECIPE, VIDEO)
    assert not results.has_tracks("m")
    results.write_tracks("m", iter(blocks), 33, {"missing": [[1, 2]]}, axes)
    assert results.has_tracks("m")
    assert results.merges() == [tracks_name("m", [Chunk(1, 2)])]
    for actual, expected in zip(results.read_tracks("m"), blocks, strict=True):
        assert_same(actual, expected)
    results.delete_tracks(*results.merges())
    assert results.merges() == []


def test_landmarks_that_are_not_wanted_are_not_read(store: Store) -> None:
    block = made_tracks(np.random.default_rng(5), 4, 3)
    results = store.results(RECIPE, VIDEO)
    results.write_tracks("m", [replace(block, raw=block.smoothed)], 33, {}, 3)
    (found,) = results.read_tracks("m", raw=False, world=False)
    assert np.isnan(found.raw).all()
    assert found.raw.shape == block.raw.shape
    assert found.raw_world.shape == found.smoothed_world.shape == (4, 33, 0)
    assert np.array_equal(found.smoothed, block.smoothed)
    (found,) = results.read_tracks("m", raw=False)
    assert np.isnan(found.raw).all()
    assert np.array_equal(found.smoothed_world, block.smoothed_world)
    results.delete_tracks("m")


def test_a_file_without_digests_of_its_columns_is_read_whole(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As earlier versions wrote them: the digest of all columns is checked with all of them."""
    block = made_tracks(np.random.default_rng(5), 4, 3)
    results = store.results(RECIPE, VIDEO)
    with monkeypatch.context() as earlier:
        earlier.setattr(tables, "COLUMNS_SEAL", b"unknown")
        results.write_tracks("m", [block], 33, {}, 3)
    (found,) = results.read_tracks("m", raw=False, world=False)
    assert_same(found, block)
    results.delete_tracks("m")


# Run in a process of its own, as others of this one read Parquet too.
READ_ALL = """
import os
from io import BytesIO
import numpy as np
from annotate.store import tables
from tests.made_poses import made_poses
from tests.test_store_results import made_tracks

part, tracks = BytesIO(), BytesIO()
tables.write_part(part, made_poses([1, 2]), {})
tables.write_tracks(tracks, [made_tracks(np.random.default_rng(5), 3, 0)], 33, {})
before = os.listdir("/proc/self/task")
tables.read_part(part)
list(tables.read_tracks(tracks))
tables.read_track_list(tracks)
tables.read_facts(tracks)
assert os.listdir("/proc/self/task") == before
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts the threads in /proc")
def test_reading_starts_no_thread() -> None:
    """One that still holds a file of Python when the interpreter ends aborts the process."""
    subprocess.run([sys.executable, "-c", READ_ALL], cwd=Path(__file__).parents[1], check=True)


def test_failures_are_read_back_and_deleted(store: Store) -> None:
    failure = Failure(CHUNK.name, "damaged at 3.2 s", 1)
    results = store.results(RECIPE, VIDEO)
    results.write_failure(failure)
    assert results.failures() == {CHUNK.name: failure}
    results.delete_failure(CHUNK.name)
    assert results.failures() == {}


def test_a_damaged_part_is_named(store: Store) -> None:
    store.files.write(part_key(RECIPE), b"not parquet")
    with pytest.raises(DamagedError, match=CHUNK.name):
        store.results(RECIPE, VIDEO).read_part(CHUNK)


@pytest.mark.parametrize(
    "data",
    [
        b"[[0, 4], [5, 8]]",
        b"[]",
        b"{}",
        b"[[0, 0]]",
        b"[[0, 5, 9]]",
        b"[[0,",
        b"[3]",
        b"[[null, 5]]",
    ],
    ids=[
        "a gap",
        "no chunk",
        "no list",
        "no frame",
        "three bounds",
        "cut off",
        "no bounds",
        "no start",
    ],
)
def test_a_damaged_list_of_chunks_is_named(store: Store, data: bytes) -> None:
    key = f"results/{RECIPE.digest}/{FINGERPRINT}/chunks.json"
    store.files.write(key, data)
    with pytest.raises(DamagedError, match=key) as error:
        store.results(RECIPE, VIDEO).read_chunks()
    assert "annotate submit" in error.value.hint


def test_a_video_is_never_cut_into_no_chunks(store: Store) -> None:
    results = store.results(RECIPE, VIDEO)
    with pytest.raises(ValueError, match="at least one chunk"):
        results.write_chunks([])
    assert results.read_chunks() is None


@pytest.mark.parametrize("data", [b'{"unit": 1}', b"", b"null", b'{"reason": 5}'])
def test_a_damaged_failure_still_counts_and_is_named(store: Store, data: bytes) -> None:
    key = f"results/{RECIPE.digest}/{FINGERPRINT}/failures/{CHUNK.name}.json"
    store.files.write(key, data)
    (failure,) = store.results(RECIPE, VIDEO).failures().values()
    assert failure.unit == CHUNK.name
    assert key in failure.reason
    assert not failure.lasting


def test_fields_of_another_version_of_a_failure_are_left_out(store: Store) -> None:
    key = f"results/{RECIPE.digest}/{FINGERPRINT}/failures/{CHUNK.name}.json"
    store.files.write(key, b'{"unit": "x", "reason": "damaged", "colour": 1}')
    expected = Failure(CHUNK.name, "damaged", 1)
    assert store.results(RECIPE, VIDEO).failures() == {CHUNK.name: expected}


def test_files_of_another_video_recipe_or_chunk_are_refused(store: Store) -> None:
    other = replace(RECIPE, detect_every=5)
    chunks = [Chunk(0, 4), Chunk(4, 8)]
    for recipe in (RECIPE, other):
        for chunk in chunks:
            store.results(recipe, VIDEO).write_part(chunk, made_poses([1, 0, 2, 1]), {})
        store.results(recipe, VIDEO).write_tracks("m", [], 33, {"missing": []})
    below = f"results/{RECIPE.digest}/{FINGERPRINT}"
    foreign = {
        "recipe": f"results/{other.digest}/{FINGERPRINT}/parts/{chunks[0].name}.parquet",
        "chunk": f"{below}/parts/{chunks[1].name}.parquet",
    }
    results = store.results(RECIPE, VIDEO)
    for what, key in foreign.items():
        data = store.files.read(key)
        assert data is not None
        store.files.write(f"{below}/parts/{chunks[0].name}.parquet", data)
        with pytest.raises(DamagedError, match=f"another {what}"):
            results.read_part(chunks[0])
    data = store.files.read(f"results/{other.digest}/{FINGERPRINT}/tracks/m.parquet")
    assert data is not None
    store.files.write(f"{below}/tracks/m.parquet", data)
    for read in (lambda: [*results.read_tracks("m")], lambda: results.missing_chunks("m")):
        with pytest.raises(DamagedError, match="another recipe"):
            read()
