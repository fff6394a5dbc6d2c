"""One chunk: decode, both models, part."""

from collections.abc import Callable, Iterator

from annotate.domain.errors import StoreError
from annotate.domain.job import Job
from annotate.domain.settings import Settings
from annotate.domain.video import Chunk, Frame
from annotate.inference import CPU
from annotate.numeric.selection import ALL_FRAMES, asked_frames
from annotate.pipeline import PoseEstimator
from annotate.pipeline.prefetch import prefetch
from annotate.queue.heartbeats import Beats, ChunkHeartbeats
from annotate.store import Store
from annotate.store.source_video import opened_original
from annotate.video import decode, hardware_device


def run_chunk(
    store: Store,
    job: Job,
    fingerprint: str,
    chunk: Chunk,
    settings: Settings,
    estimator: Callable[[], PoseEstimator],
    beats: Beats,
) -> None:
    """Makes the part of a chunk, unless it stands.

    Args:
        settings: of this host.
        estimator: loads the models, or gives the loaded ones.
        beats: where heartbeats go.

    Raises:
        VideoError: the video cannot be read, or is not the one that was submitted.
        StoreError: the store cannot be read or written.
        CancelledJobError: nobody wants it any more.
    """
    recipe = job.recipe.digest
    if store.has_part(recipe, fingerprint, chunk):
        return
    index = store.read_index(fingerprint)
    if index is None:
        raise StoreError(
            f"the store has no index of video {fingerprint[:12]}", "Submit the video again."
        )
    asked = (
        None if job.recipe.selection == ALL_FRAMES else asked_frames(index, job.recipe.selection)
    )
    pipeline = estimator()
    video = job.video(fingerprint)
    heart = ChunkHeartbeats(store, beats, job, fingerprint, chunk, pipeline)
    try:
        with opened_original(store, settings, video, index, heart.fetching) as path:
            device = hardware_device(path) if settings.hwaccel == "auto" else None
            frames = heart.count(decode(path, index, chunk, asked=asked, device=device))
            poses = pipeline.run(_ahead(frames, pipeline.provider), index, first=chunk.start)
        facts = {
            "recipe": recipe,
            "fingerprint": fingerprint,
            "provider": pipeline.provider,
            "placement": pipeline.placement,
        }
        store.write_part(recipe, fingerprint, chunk, poses, facts)
    finally:
        heart.stop()


def _ahead(frames: Iterator[Frame], provider: str) -> Iterator[Frame]:
    """Decodes ahead where an accelerator would wait for it. On the CPU there is a process for each
    core, and a second thread costs 10% of core time: the pictures go from one cache to another.
    """
    return frames if provider == CPU else prefetch(frames)
