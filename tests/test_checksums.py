"""A flipped bit in a Parquet file of the store ends in an error that names the file."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotate.domain.errors import DamagedError
from annotate.domain.poses import Poses
from annotate.domain.tracks import Tracks
from annotate.domain.video import VideoIndex
from annotate.store import Store, open_store
from annotate.store.seals import RowsSeal
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


def made_tracks_file_read_in_part(store: Store) -> Read:
    made_tracks_file(store)
    results = store.results(RECIPE, VIDEO)
    return lambda: Tracks.concat([*results.read_tracks(MERGE, raw=False, world=False)])


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


def test_no_flipped_bit_gives_other_numbers_where_columns_are_left_out(
    folder_store: Store, tmp_path: Path
) -> None:
    """In pages that are read, and in the footer; a bit of a page that is not read does no harm."""
    read = made_tracks_file_read_in_part(folder_store)
    expected = read()
    (path,) = (tmp_path / "store").rglob("*.parquet")
    sound = path.read_bytes()
    footer = len(sound) - 8 - int.from_bytes(sound[-8:-4], "little")
    random = np.random.default_rng(6)
    refused = 0
    for bit in random.integers(8 * footer, 8 * len(sound), size=FLIPS).tolist():
        damaged = bytearray(sound)
        damaged[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(damaged)
        try:
            found = read()
        except DamagedError:
            refused += 1
            continue
        # Without the digests of columns, all columns are read.
        assert_same(smoothed_only(found), smoothed_only(expected))
    assert refused > FLIPS / 2


def smoothed_only(tracks: Poses | Tracks | VideoIndex) -> Tracks:
    assert isinstance(tracks, Tracks)
    none = np.empty((len(tracks), 33, 0), np.float32)
    return replace(tracks, raw=tracks.smoothed, raw_world=none, smoothed_world=none)


def test_a_column_that_is_not_what_its_digest_says_is_damage(
    folder_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is read; the digest of each column is part of the one of all."""
    honest = RowsSeal.add

    def other_scores(self: RowsSeal, columns: dict[str, np.ndarray]) -> None:
        honest(self, {**columns, "smoothed_world": columns["smoothed_world"] + 1})

    results = folder_store.results(RECIPE, VIDEO)
    with monkeypatch.context() as damaged:
        damaged.setattr(RowsSeal, "add", other_scores)
        results.write_tracks(MERGE, [made_tracks()], 33, {"missing": []}, world_axes=3)
    assert len(list(results.read_tracks(MERGE, world=False))) == 1
    with pytest.raises(DamagedError, match="does not match its digest"):
        list(results.read_tracks(MERGE))
