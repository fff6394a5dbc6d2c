"""The log of a worker: a line a chunk."""

import logging

from annotate.domain.names import printable
from annotate.domain.work import WorkUnit
from annotate.queue.metrics import ChunkFigures

logger = logging.getLogger(__name__)
# Celery logs warnings only.
logger.setLevel(logging.INFO)


def log_chunk(unit: WorkUnit, figures: ChunkFigures, seconds: float) -> None:
    """Logs that a chunk is done."""
    job, video, chunk = unit.job.id, printable(unit.video.name), unit.name
    fields = {
        "job": job,
        "video": video,
        "chunk": chunk,
        "frames": figures.frames,
        "poses": figures.poses,
        "seconds": round(seconds, 3),
        "provider": figures.provider,
    }
    logger.info(
        "chunk %s of %s (job %s): %d frames, %d poses, %.1f s on %s",
        *(chunk, video, job, figures.frames, figures.poses, seconds, figures.provider),
        extra={"fields": fields},
    )
