"""Parts that were made for one execution provider serve a job that may mix them."""

from collections.abc import Iterable
from dataclasses import replace

from annotate.domain.errors import DamagedError
from annotate.domain.job import Recipe
from annotate.domain.runs_on import PLACES
from annotate.domain.video import Chunk, VideoIndex
from annotate.store import Store
from annotate.store.frame_notes import FrameNotes
from annotate.store.results import VideoResults


def take_over(store: Store, recipe: Recipe, videos: Iterable[VideoIndex]) -> None:
    """Copies the parts of the same recipe for any one thing that models run on; what the mixture
    has stays. A video that it does not have yet is cut as where most is done.

    Args:
        recipe: of the mixture.

    Raises:
        StoreError: the store cannot be read or written.
    """
    there = set(store.files.names("results"))
    others = [replace(recipe, runs_on=place) for place in PLACES]
    others = [one for one in others if one.digest in there]
    for video in videos if others else ():
        mixture = store.results(recipe, video)
        found = [store.results(one, video) for one in others]
        found.sort(key=lambda one: -len(one.parts()))
        for one in found:
            _take_from(one, mixture)


def _take_from(other: VideoResults, mixture: VideoResults) -> None:
    try:
        chunks = mixture.read_chunks() or other.read_chunks() or ()
    except DamagedError:  # planning sets it aside
        return
    done = other.parts() - mixture.parts()
    wanted = [chunk for chunk in chunks if chunk.name in done]
    if not wanted:
        return
    mixture.write_chunks(chunks)
    notes = other.frame_notes()
    unreadable = {note.chunk for note in notes.unreadable}
    for chunk in wanted:
        if chunk.name not in unreadable:
            _copy(chunk, other, notes, mixture)


def _copy(chunk: Chunk, other: VideoResults, notes: FrameNotes, mixture: VideoResults) -> None:
    try:
        poses = other.read_part(chunk)
        provider = other.part_outline(chunk).provider
    except DamagedError:  # it is made anew
        return
    # First: once the part is there, the chunk is done.
    if chunk.name in notes.damaged:
        mixture.write_damage(chunk, notes.damaged[chunk.name])
    if chunk.name in notes.fitted:
        mixture.write_notes(chunk, notes.fitted[chunk.name], "fitted")
    if chunk.name in notes.crowded:
        mixture.write_notes(chunk, notes.crowded[chunk.name], "crowded")
    mixture.write_part(chunk, poses, {"provider": provider})
