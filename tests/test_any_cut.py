"""The same video as 1, 7 and 100 chunks, through the models: the same tracks file, ids included."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from annotate.domain.options import People, SubmitOptions
from annotate.domain.pack import read_pack
from annotate.domain.pipeline_settings import PipelineSettings
from annotate.domain.settings import settings_from
from annotate.domain.video import Chunk
from annotate.domain.work import WorkUnit
from annotate.inference import Models, load_models
from annotate.numeric.chunking import restart_every
from annotate.pipeline import PoseEstimator
from annotate.store import open_store
from annotate.use_cases.find_videos import FoundVideos
from annotate.use_cases.merge_video import merge_video
from annotate.use_cases.run_chunk import run_chunk
from annotate.use_cases.submit import submit


def cut(frames: int, count: int, align: int) -> list[Chunk]:
    """So many chunks, each of which starts at a multiple of `align`."""
    edges = np.linspace(0, frames / align, count + 1)
    return [Chunk(a, b) for a, b in pairwise((np.rint(edges) * align).astype(int).tolist())]


@dataclass(frozen=True)
class Case:
    """A made video, settings of the pipeline, numbers of chunks to compare with one, and the
    fixture of a pack.
    """

    video: str
    every: int
    remembered: int
    counts: tuple[int, ...]
    pack: str = "blazepose_pack"
    people: People = "near"
    rotations: int = 1


def tracks_of(
    video: Path, pack: Path, models: Models, folder: Path, case: Case, count: int
) -> tuple[bytes, int]:
    """The tracks file of the video, cut into so many chunks, and how many people are in it."""
    every, remembered = case.every, case.remembered
    settings = settings_from({"ANNOTATE_PACKS": str(pack.parent)}, store=str(folder))
    store = open_store(settings.store)
    options = SubmitOptions(
        people=case.people, detect_every=every, rotations=case.rotations, pack=pack.name
    )
    job = submit(store, FoundVideos((video,)), options, settings, workers=1)
    (video_of_job,) = job.videos
    results = store.results(job.recipe, video_of_job)
    index = store.read_index(video_of_job.fingerprint)
    chunks = cut(len(index), count, restart_every(every, remembered))
    results.write_chunks(chunks)
    estimator = PoseEstimator(
        models,
        people=case.people,
        detect_every=every,
        rotations=case.rotations,
        settings=PipelineSettings(remembered_frames=remembered),
    )
    for chunk in chunks:
        unit = WorkUnit(job, video_of_job, chunk)
        run_chunk(store, unit, settings, lambda: estimator, store)
    assert merge_video(store, WorkUnit(job, video_of_job, None))
    assert not merge_video(store, WorkUnit(job, video_of_job, None)), "the tracks are there"
    (file,) = folder.glob("results/*/*/tracks/*.parquet")
    blocks = list(results.read_tracks(job.merge_digest))
    return file.read_bytes(), len(np.unique(np.concatenate([b.track_id for b in blocks])))


@pytest.mark.parametrize(
    "case",
    [
        # With the real memory of 300 frames, 100 chunks would take 1000 s of video.
        pytest.param(Case("walk", 2, 2, (100,)), id="people carried to the next frame"),
        pytest.param(Case("stroll", 1, 300, (7, 60)), id="the detector on every frame"),
        pytest.param(Case("stroll", 5, 15, (4,)), id="people carried on"),
        pytest.param(Case("stroll", 5, 15, (4,), "lightning_pack"), id="person boxes, MoveNet"),
        pytest.param(
            Case("stroll", 5, 15, (4,), "lightning_pack", rotations=4), id="pictures turned"
        ),
        pytest.param(
            Case("stroll", 5, 15, (4,), "full_and_yolox_pack", "all"),
            id="faces and person boxes, BlazePose",
        ),
        pytest.param(Case("markers", 5, 15, (4,), "simcc_pack"), id="final boxes, SimCC"),
        pytest.param(Case("markers", 5, 15, (4,), "heatmap_pack"), id="final boxes, heat maps"),
    ],
)
def test_however_many_chunks_give_the_same_tracks_file(
    case: Case,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    path: Path = request.getfixturevalue(case.video)
    pack: Path = request.getfixturevalue(case.pack)
    models = load_models(read_pack(pack), pack)
    whole, people = tracks_of(path, pack, models, tmp_path / "1", case, 1)
    assert people >= 2
    for count in case.counts:
        folder = tmp_path / str(count)
        assert tracks_of(path, pack, models, folder, case, count) == (whole, people)
