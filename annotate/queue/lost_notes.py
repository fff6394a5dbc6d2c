"""Has chunks done again whose notes of frames are damaged."""

from annotate.queue.job_status import JobStatus
from annotate.store import Store


def set_notes_aside(store: Store, status: JobStatus) -> bool:
    """Sets damaged notes aside, and the parts of their chunks, which are then done again, and
    noted; whether there were any.

    Raises:
        StoreError: the store cannot be read or written.
    """
    found = False
    for video in status.videos:
        results = store.results(status.job.recipe, video.video)
        chunks = {chunk.name: chunk for chunk in video.chunks or ()}
        for note in video.unreadable:
            found = True
            # First: without the note and with its part, the chunk would look sound.
            part = results.part_key(chunks[note.chunk])
            if store.files.exists(part):
                store.files.set_aside(part)
            store.files.set_aside(note.key)
    return found
