"""The same video as 1, 7 and 100 chunks, through the models: the same tracks file, ids included."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from annotate import chunking
from annotate.domain import Chunk
from annotate.inference import Models, load_models
from annotate.pack import read_pack
from annotate.pipeline import PoseEstimator
from annotate.settings import settings_from
from annotate.store import open_store
from annotate.use_cases.merge import merge_video
from annotate.use_cases.run_chunk import run_chunk
from annotate.use_cases.submit import submit

FRAMES = 240  # of the video


@pytest.fixture(scope="module")
def models(blazepose_pack: Path) -> Models:
    return load_models(read_pack(blazepose_pack), blazepose_pack)


def cut(count: int, align: int) -> list[Chunk]:
    """So many chunks, each of which starts at a multiple of `align`."""
    edges = np.linspace(0, FRAMES / align, count + 1)
    return [Chunk(a, b) for a, b in pairwise((np.rint(edges) * align).astype(int).tolist())]


def tracks_of(
    video: Path, pack: Path, models: Models, folder: Path, every: int, count: int
) -> tuple[bytes, int]:
    """The tracks file of the video, cut into so many chunks, and how many people are in it."""
    settings = settings_from({}, store=str(folder))
    store = open_store(settings.store)
    job = submit(
        store,
        [video],
        pack,
        people="near",
        detect_every=every,
        smooth_hz=6.0,
        workers=1,
        settings=settings,
        progress=lambda *_: None,
    )
    recipe, fingerprint = job.recipe.digest, job.videos[0].fingerprint
    chunks = cut(count, chunking.restart_every(every))
    store.write_chunks(recipe, fingerprint, chunks)
    estimator = PoseEstimator(models, detect_every=every)
    for chunk in chunks:
        run_chunk(store, job, fingerprint, chunk, settings, lambda: estimator, store)
    merge_video(store, job, fingerprint)
    (file,) = folder.glob("results/*/*/tracks/*.parquet")
    blocks = list(store.read_tracks(recipe, fingerprint, job.merge_digest))
    return file.read_bytes(), len(np.unique(np.concatenate([b.track_id for b in blocks])))


@pytest.mark.parametrize(
    ("every", "remembered"),
    [(1, 300), (2, 2)],
    ids=["detector on every frame", "people carried to the next frame"],
)
def test_1_and_7_and_100_chunks_give_the_same_tracks_file(
    every: int,
    remembered: int,
    walk: Path,
    blazepose_pack: Path,
    models: Models,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    # With the real memory of 300 frames, 100 chunks would take 1000 s of video.
    monkeypatch.setattr(chunking, "REMEMBERED_FRAMES", remembered)
    whole, people = tracks_of(walk, blazepose_pack, models, tmp_path / "1", every, 1)
    assert people >= 2
    for count in (7, 100):
        folder = tmp_path / str(count)
        assert tracks_of(walk, blazepose_pack, models, folder, every, count) == (whole, people)


def test_chunks_of_a_longer_memory_give_the_same_tracks_file(
    walk: Path,
    blazepose_pack: Path,
    models: Models,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(chunking, "REMEMBERED_FRAMES", 30)
    whole = tracks_of(walk, blazepose_pack, models, tmp_path / "1", 5, 1)
    assert tracks_of(walk, blazepose_pack, models, tmp_path / "8", 5, 8) == whole
