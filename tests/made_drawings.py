"""Videos with the tracks of a made person, and what comes of them in drawings."""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from annotate.domain.job import Job, JobVideo
from annotate.domain.options import SubmitOptions
from annotate.domain.settings import Settings, settings_from
from annotate.domain.tracks import Tracks
from annotate.domain.video import Chunk
from annotate.store import Store, open_store
from annotate.use_cases.draw import Drawing
from annotate.use_cases.find_videos import FoundVideos
from annotate.use_cases.submit import submit
from annotate.video import decode, probe

# The person who is drawn stands here, far from the squares that number the frames.
CENTRE, HEIGHT = np.array([200, 150]), 120


@dataclass(frozen=True)
class Annotated:
    """A video with the tracks of one made person, in a store."""

    path: Path
    store: Store
    settings: Settings
    job: Job

    @property
    def video(self) -> JobVideo:
        return self.job.videos[0]

    def drawing(self) -> Drawing:
        return Drawing(self.store, self.settings, self.job, self.video)


def annotated(
    path: Path, pack: Path, present: range, options: SubmitOptions | None = None, block: int = 100
) -> Annotated:
    """The video at `path`, with person 1 in the frames `present`; every fourth pose is filled."""
    settings = settings_from(
        {"ANNOTATE_PACKS": str(pack.parent), "ANNOTATE_CACHE": str(path.parent / "cache")},
        store=str(path.parent / "store"),
    )
    store = open_store(settings.store)
    job = submit(store, FoundVideos((path,)), options or SubmitOptions(), settings, workers=1)
    index, results = probe(path), store.results(job.recipe, job.videos[0])
    blocks = (
        tracks_in(index.time_s, np.arange(start, min(start + block, present.stop)))
        for start in range(present.start, present.stop, block)
    )
    results.write_tracks(job.merge_digest, blocks, 33, {"missing": []}, world_axes=3)
    return Annotated(path, store, settings, job)


def tracks_in(time_s: NDArray[np.float64], frames: NDArray[np.int64]) -> Tracks:
    count = len(frames)
    body = np.random.default_rng(1).uniform(-0.5, 0.5, (33, 2)) * [HEIGHT / 3, HEIGHT]
    landmarks = np.ones((count, 33, 5), np.float32)
    landmarks[:, :, :2] = CENTRE + body
    landmarks[:, :11, :2] = CENTRE - [0, HEIGHT / 2] + body[:11] / 10
    return Tracks(
        frame_index=frames,
        pts=frames,
        time_s=time_s[frames],
        track_id=np.ones(count, np.int64),
        score=np.full(count, 0.9, np.float32),
        bbox=np.tile(np.array([170, 80, 60, 140], np.float32), (count, 1)),
        filled=frames % 4 == 0,
        raw=landmarks,
        smoothed=landmarks,
        raw_world=landmarks[:, :, :3],
        smoothed_world=landmarks[:, :, :3],
    )


def frames_of(path: Path) -> list[NDArray[np.uint8]]:
    index = probe(path)
    return [frame.rgb for frame in decode(path, index, Chunk(0, len(index)))]


def sound_of(path: Path) -> list[tuple[float, bytes]]:
    """Seconds and bytes of each packet of sound, as PyAV reads them."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        start_s = (container.start_time or 0) / 1e6
        return [
            (float(packet.pts * packet.time_base) - start_s, bytes(packet))
            for packet in container.demux(stream)
            if packet.size and packet.pts is not None and packet.time_base
        ]
