"""A flipped bit in a Parquet file of the store ends in an error that names the file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from annotate.domain.errors import DamagedError
from annotate.domain.poses import Poses
from annotate.domain.tracks import Tracks
from annotate.domain.video import VideoIndex
from annotate.store import Store, open_store
from tests.made_job import CHUNK, RECIPE, VIDEO
from tests.made_poses import FINGERPRINT, assert_same, made_index, made_poses

# Flipped bits of each kind of file.
FLIPS = 300
MERGE = "0123456789abcdef"

Read = Callable[[], Poses | Tracks | VideoIndex]


@pytest.fixture
def folder_store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


def made_part(store: Store) -> Read:
    results = store.results(RECIPE, VIDEO)
    results.write_part(CHUNK, made_poses([2, 1, 0, 3]), {"provider": "cpu"})
    return lambda: results.read_part(CHUNK)


def made_tracks() -> Tracks:
    random = np.random.default_rng(7)
    return Tracks(
        frame_index=np.arange(6),
        pts=np.arange(6) * 512,
        time_s=np.arange(6) / 30,
        track_id=np.ones(6, np.int64),
        score=random.random(6, np.float32),
        bbox=random.random((6, 4), np.float32),
        filled=np.zeros(6, np.bool_),
        raw=random.random((6, 33, 5), np.float32),
        smoothed=random.random((6, 33, 5), np.float32),
        raw_world=random.random((6, 33, 3), np.float32),
        smoothed_world=random.random((6, 33, 3), np.float32),
    )


def made_tracks_file(store: Store) -> Read:
    results = store.results(RECIPE, VIDEO)
    results.write_tracks(MERGE, [made_tracks()], 33, {"missing": []}, world_axes=3)
    return lambda: Tracks.concat([*results.read_tracks(MERGE)])


def made_index_file(store: Store) -> Read:
    store.write_index(made_index(frames=300))
    return lambda: store.read_index(FINGERPRINT)


@pytest.mark.parametrize("make", [made_part, made_tracks_file, made_index_file])
def test_no_flipped_bit_in_a_page_gives_other_numbers(
    folder_store: Store, tmp_path: Path, make: Callable[[Store], Read]
) -> None:
    read = make(folder_store)
    expected = read()
    (path,) = (tmp_path / "store").rglob("*.parquet")
    sound = path.read_bytes()
    # The footer, whose length is before the last four bytes, holds the facts; pages come first.
    pages = len(sound) - 8 - int.from_bytes(sound[-8:-4], "little")
    random = np.random.default_rng(5)
    refused: list[DamagedError] = []
    for bit in random.integers(8 * pages, size=FLIPS).tolist():
        damaged = bytearray(sound)
        damaged[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(damaged)
        try:
            assert_same(read(), expected)
        except DamagedError as error:
            refused.append(error)
    assert all(path.name in error.message for error in refused)
    assert all("annotate submit" in error.hint for error in refused)
    assert len(refused) > 0.95 * FLIPS
