"""The Celery task that reads a video for a submission, which reads them too."""

import logging
from collections.abc import Callable

from annotate.domain.errors import AnnotateError
from annotate.domain.settings import settings_from
from annotate.queue.app import PROBE_TASK
from workers.application import app
from workers.host import bounded, this_limits, this_store
from workers.tasks import ReportingTask
from workers.time_limit import CHUNK_LIMIT_S

logger = logging.getLogger(__name__)


@app.task(name=PROBE_TASK, base=ReportingTask)
def probe_task(listed: str, number: int) -> None:
    """Files the index of a video of a list, unless it is filed.

    What keeps it from that is only logged: the command that submits reads the video itself.
    """
    from annotate.use_cases.read_videos import read_listed

    try:
        with bounded(CHUNK_LIMIT_S):
            read_listed(this_store(), listed, number, settings_from(), _extending())
    except AnnotateError as error:
        logger.warning("a video was not read here: %s", error.message)


def _extending() -> Callable[[str, float], None]:
    """Begins the time of the task anew whenever more of the video is read."""
    last = 0.0

    def extend(_step: str, fraction: float, /) -> None:
        nonlocal last
        if fraction > last:
            last = fraction
            this_limits().extend(CHUNK_LIMIT_S)

    return extend
