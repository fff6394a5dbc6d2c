"""Seconds, memory and sizes of the report of a job of many short videos.

    python -m tests.benchmarks.report_scale [--videos 1000]

The videos are made clips with made tracks of four people, so nothing but the report counts. It is
written by a separate process. Packs are from ANNOTATE_PACKS.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from annotate.domain.job import Job
from annotate.domain.options import SubmitOptions
from annotate.domain.settings import Settings, settings_from
from annotate.domain.tracks import Tracks
from annotate.store import Store, open_store
from annotate.use_cases.find_videos import FoundVideos
from annotate.use_cases.report import report
from annotate.use_cases.submit import submit
from tests.benchmarks.export_scale import RSS_UNIT, made_tracks
from tests.benchmarks.many_clips import make_clips
from tests.made_videos import Layout

FRAMES, LANDMARKS, PEOPLE = 90, 33, 4


def make(folder: Path, count: int) -> None:
    """Submits clips to a new store, and files tracks in the place of work on them."""
    clip = Layout(".mp4", size=(320, 240), frames=FRAMES).make(folder / "clip.mp4").path
    clips = make_clips(folder / "clips", clip, count)
    settings, store = opened(folder)
    job = submit(store, FoundVideos(tuple(clips)), SubmitOptions(), settings, workers=1)
    for video in job.videos:
        results, blocks = (
            store.results(job.recipe, video),
            map(at_rest, made_tracks(FRAMES, PEOPLE)),
        )
        results.write_tracks(job.merge_digest, blocks, LANDMARKS, {"missing": []}, world_axes=3)


def at_rest(tracks: Tracks) -> Tracks:
    """The same people without motion, of whom nothing is suspicious."""
    rows = len(tracks.frame_index) // PEOPLE
    still = np.tile(tracks.smoothed[:PEOPLE], (rows, 1, 1))
    still[:, :, 3:] = 1
    world = still[:, :, :3]
    return replace(tracks, raw=still, smoothed=still, raw_world=world, smoothed_world=world)


def opened(folder: Path) -> tuple[Settings, Store]:
    """The store in a folder."""
    settings = settings_from(store=str(folder / "store"))
    return settings, open_store(settings.store)


def measure(folder: Path) -> None:
    """Writes the report, and prints what it took."""
    settings, store = opened(folder)
    job: Job = store.newest_job()
    began = time.process_time()
    first = report(store, settings, job, folder / "report")
    took_s = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT
    sizes = [page.stat().st_size for page in first.parent.glob("video-*.html")]
    print(f"{len(job.videos)} videos: {took_s:.0f} core-s, peak {peak / 1e6:.0f} MB")
    print(f"first page {first.stat().st_size / 1e3:.0f} kB")
    print(f"{len(sizes)} pages of at most {max(sizes) / 1e3:.0f} kB")


def main() -> None:
    """Makes the job, and the report in another process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=1000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        make(Path(name), asked.videos)
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(Path(name),))
        process.start()
        process.join()
        raise SystemExit(process.exitcode)


if __name__ == "__main__":
    main()
