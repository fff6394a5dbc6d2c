"""Makes the part of one chunk: decodes its frames and runs both models on them."""

from collections.abc import Callable, Iterator

from annotate.domain.settings import Settings
from annotate.domain.video import Frame
from annotate.domain.work import WorkUnit
from annotate.inference import CPU
from annotate.numeric.selection import ALL_FRAMES, selected_frames
from annotate.pipeline import PoseEstimator
from annotate.pipeline.prefetch import prefetch
from annotate.queue.heartbeats import Beats, ChunkHeartbeats
from annotate.store import Store
from annotate.store.source_video import local_source
from annotate.video import decode, hardware_device


def run_chunk(
    store: Store,
    unit: WorkUnit,
    settings: Settings,
    estimator: Callable[[], PoseEstimator],
    beats: Beats,
) -> None:
    """Makes the part of a chunk, unless it is in the store.

    Args:
        settings: of this host.
        estimator: loads the models, or returns the loaded ones.
        beats: where heartbeats are written.

    Raises:
        VideoError: the video cannot be read, or is not the one that was submitted.
        StoreError: the store cannot be read or written.
        CancelledJobError: the job was cancelled.
    """
    job, video, chunk = unit.job, unit.video, unit.require_chunk()
    results = store.results(job.recipe, video)
    if results.has_part(chunk):
        return
    selection = job.recipe.selection
    index = store.read_index(video.fingerprint, selection)
    asked = None if selection == ALL_FRAMES else selected_frames(index, selection)
    pipeline = estimator()
    heart = ChunkHeartbeats(store, beats, unit, pipeline)
    try:
        with local_source(store, settings, video, index, heart.fetching) as path:
            device = hardware_device(path, index.stream) if settings.hwaccel == "auto" else None
            frames = heart.count(decode(path, index, chunk, asked=asked, device=device))
            poses = pipeline.run(_ahead(frames, pipeline.provider), index, first=chunk.start)
        facts = {
            "recipe": job.recipe.digest,
            "fingerprint": video.fingerprint,
            "provider": pipeline.provider,
            "placement": pipeline.placement,
        }
        results.write_part(chunk, poses, facts)
    finally:
        heart.stop()


def _ahead(frames: Iterator[Frame], provider: str) -> Iterator[Frame]:
    """Decodes ahead where an accelerator would wait for frames. On the CPU there is one process a
    core, and a second thread costs 10% of core time: pictures move from one cache to another.
    """
    return frames if provider == CPU else prefetch(frames)
