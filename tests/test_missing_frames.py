"""A dataset never calls a frame empty that was not processed: in every format, and in the API."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotate.api import final_tracks, missing_frames
from annotate.domain.errors import ExitCode
from annotate.domain.options import SubmitOptions
from annotate.domain.video import Chunk
from annotate.domain.work import Failure
from annotate.use_cases.find_videos import FoundVideos
from annotate.use_cases.submit import submit
from annotate.video import probe
from tests.command import Host
from tests.made_dataset import made_dataset, made_video

EXACT = ("--detect-every", "1")
# Frames between two keyframes of the walk, and so of a chunk here.
CHUNK = 30
FRAMES = 240
PARTIAL = ("export", "--partial", "--out")


@pytest.fixture(scope="module")
def lost(
    tmp_path_factory: pytest.TempPathFactory, blazepose_pack: Path, walk: Path, stroll: Path
) -> Host:
    """A host with a job of a video with two failed chunks, a sound one and a text file."""
    home = tmp_path_factory.mktemp("lost")
    host = Host(home / "store", blazepose_pack.parent, home)
    notes = home / "notes.mp4"
    notes.write_text("no video")
    files = [walk, stroll, notes]
    store, settings = host.opened(), host.settings()
    job = submit(
        store, FoundVideos(tuple(files)), SubmitOptions(detect_every=1), settings, workers=1
    )
    chunks = [Chunk(start, start + CHUNK) for start in range(0, FRAMES, CHUNK)]
    results = store.results(job.recipe, job.videos[0])
    results.write_chunks(chunks)
    for chunk in chunks[3:5]:
        results.write_failure(Failure(chunk.name, "its worker died", attempts=3, lasting=True))
    host.run("submit", *files, *EXACT, code=ExitCode.PARTIAL)
    return host


def exported(host: Host, *options: str) -> Any:
    said = host.run(*PARTIAL, "people.json", *options, code=ExitCode.PARTIAL)
    assert "Missing:" in said.err
    return json.loads((host.home / "people.json").read_bytes())


def failed_frames(host: Host) -> set[int]:
    """Frames of the first video whose chunks failed, as the store says."""
    store = host.opened()
    job = store.newest_job()
    failures = store.results(job.recipe, job.videos[0]).failures()
    bounds = [name.split("-") for name in failures]
    frames = {frame for start, stop in bounds for frame in range(int(start), int(stop))}
    assert 0 < len(frames) < FRAMES
    return frames


def test_frames_of_failed_chunks_are_left_out_of_the_dataset(lost: Host) -> None:
    content, failed = exported(lost), failed_frames(lost)
    frames = {(i["video_id"], i["frame_id"]) for i in content["images"]}
    assert frames == {(1, f) for f in range(FRAMES) if f not in failed} | {
        (2, f) for f in range(60)
    }
    assert {a["image_id"] for a in content["annotations"]} <= {i["id"] for i in content["images"]}
    (damaged,) = content["info"]["missing"]
    (text,) = content["info"]["rejected"]
    assert damaged["video"] == "walk.mp4"
    assert damaged["frames"] == len(failed)
    assert {f for start, stop in damaged["ranges"] for f in range(start, stop)} == failed
    assert text["path"].endswith("notes.mp4")
    assert "notes.mp4" in text["reason"]


def test_missing_frames_can_be_kept_with_a_mark(lost: Host) -> None:
    without, content, failed = exported(lost), exported(lost, "--keep-missing"), failed_frames(lost)
    assert len(content["images"]) == FRAMES + 60
    marked = {i["frame_id"] for i in content["images"] if "missing" in i}
    assert marked == failed
    assert all(i["missing"] is True for i in content["images"] if "missing" in i)
    assert without["images"] == [i for i in content["images"] if "missing" not in i]
    assert {k: v for k, v in content.items() if k != "images"} == {
        k: v for k, v in without.items() if k != "images"
    }


def test_results_name_the_images_of_both_datasets(lost: Host) -> None:
    images = {i["id"] for i in exported(lost)["images"]}
    named = [
        {r["image_id"] for r in exported(lost, "--results", *o)} for o in ((), ("--keep-missing",))
    ]
    assert named[0] == named[1] <= images


def test_the_api_tells_missing_frames_from_empty_ones(lost: Host) -> None:
    store = lost.opened()
    job = store.newest_job()
    damaged, sound = job.videos
    missing = missing_frames(job, damaged, store=store)
    assert set(missing.tolist()) == failed_frames(lost)
    assert missing_frames(job, sound, store=store).tolist() == []
    for block in final_tracks(job, damaged, store=store):
        assert not np.isin(block.frame_index, missing).any()


def test_a_video_without_tracks_has_no_image_unless_it_is_marked(
    host: Host, stroll: Path, walk: Path
) -> None:
    host.run("submit", stroll, walk, *EXACT)
    whole = json.loads(host.exported())
    store = host.opened()
    job = store.newest_job()
    results = store.results(job.recipe, job.videos[0])
    results.delete_tracks(job.merge_digest)

    content = exported(host)
    assert [v["name"] for v in content["videos"]] == ["walk.mp4"]
    assert content["images"] == whole["images"][60:]
    assert content["annotations"][0]["image_id"] > 60
    expected = [{"video": "stroll.mp4", "frames": 60, "ranges": [[0, 60]]}]
    assert content["info"]["missing"] == expected
    kept = exported(host, "--keep-missing")
    assert [i["id"] for i in kept["images"]] == [i["id"] for i in whole["images"]]
    assert [i for i in kept["images"] if "missing" in i] == [
        {**image, "missing": True} for image in whole["images"][:60]
    ]
    assert missing_frames(job, job.videos[0], store=store).tolist() == list(range(60))

    index = probe(stroll)
    store.files.delete(f"videos/{index.fingerprint}/index.parquet")
    (unknown,) = exported(host, "--keep-missing")["info"]["missing"]
    assert unknown["video"] == "stroll.mp4"
    assert "has no index" in unknown["reason"]


def test_a_complete_export_says_nothing_of_missing_frames(host: Host, stroll: Path) -> None:
    host.run("submit", stroll, *EXACT)
    whole = host.exported()
    assert b"missing" not in whole
    assert host.exported("kept.json", "--partial", "--keep-missing") == whole
    said = host.run("export", "--out", "a.json", "--keep-missing", code=ExitCode.USAGE)
    assert "--partial" in said.err


def test_ranges_of_missing_frames_are_in_frames_of_the_source() -> None:
    frames = np.arange(0, 50, 5)
    missing = np.isin(frames, [0, 5, 20, 45])
    dataset = made_dataset("coco", made_video(frames=frames))
    video = replace(dataset.videos[0], missing=missing)
    assert video.missing_ranges == [(0, 6), (20, 21), (45, 46)]
    assert dataset.shown(video).sum() == 6
