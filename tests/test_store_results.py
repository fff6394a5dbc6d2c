"""Results of a video are read back as they were written, and damage is named."""

from dataclasses import replace

import numpy as np
import pytest

from annotate.domain.errors import DamagedError
from annotate.domain.job import Recipe
from annotate.domain.tracks import Tracks
from annotate.domain.work import Failure
from annotate.store import Store
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
    poses = made_poses(counts, axes=axes)
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


@pytest.mark.parametrize("axes", [0, 3], ids=["no world", "world"])
def test_tracks_are_read_back_block_by_block(store: Store, axes: int) -> None:
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
            raw_world=np.full((rows, 33, axes), np.nan, np.float32),
            smoothed_world=random.random((rows, 33, axes), np.float32),
        )

    blocks = [block(3), block(5)]
    results = store.results(RECIPE, VIDEO)
    assert not results.has_tracks("m")
    results.write_tracks("m", iter(blocks), 33, {"missing": [[1, 2]]}, axes)
    assert results.has_tracks("m")
    assert results.merges() == ["m"]
    for actual, expected in zip(results.read_tracks("m"), blocks, strict=True):
        assert_same(actual, expected)
    results.delete_tracks("m")
    assert results.merges() == []


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
