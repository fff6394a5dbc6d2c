"""All parts of one video to its tracks file."""

from collections.abc import Iterator

from annotate.domain.errors import StoreError
from annotate.domain.job import Job
from annotate.domain.poses import Poses
from annotate.domain.skeleton import SKELETONS
from annotate.merge import MergeSettings, merge
from annotate.store import Store


def is_ready(store: Store, job: Job, fingerprint: str) -> bool:
    """Whether all chunks of a video are done or given up, and its tracks do not stand."""
    recipe = job.recipe.digest
    if store.has_tracks(recipe, fingerprint, job.merge_digest):
        return False
    settled = store.parts(recipe, fingerprint) | set(store.failures(recipe, fingerprint))
    chunks = store.read_chunks(recipe, fingerprint) or ()
    return all(chunk.name in settled for chunk in chunks)


def merge_video(store: Store, job: Job, fingerprint: str) -> None:
    """Makes the tracks of a video, unless they stand or a chunk is neither done nor given up.

    The frames of chunks that were given up are listed in the file as missing.
    """
    recipe, digest = job.recipe.digest, job.merge_digest
    chunks = store.read_chunks(recipe, fingerprint) or ()
    index = store.read_index(fingerprint)
    if index is None:
        raise StoreError(
            f"the store has no index of video {fingerprint[:12]}", "Submit the video again."
        )
    if not is_ready(store, job, fingerprint):
        return
    done = store.parts(recipe, fingerprint)

    def parts() -> Iterator[Poses]:
        for chunk in chunks:
            if chunk.name in done:
                yield store.read_part(recipe, fingerprint, chunk)

    settings = MergeSettings(smooth_hz=job.smooth_hz)
    skeleton = SKELETONS[store.read_pack(job.recipe.pack).skeleton]
    missing = [[chunk.start, chunk.stop] for chunk in chunks if chunk.name not in done]
    blocks = merge(parts(), settings, skeleton, (index.width, index.height))
    store.write_tracks(
        recipe, fingerprint, digest, blocks, len(skeleton.landmarks), {"missing": missing}
    )
