"""A worker whose chunks are sleeps of a Snapdragon X Elite's times, for `tests.benchmarks.scale`.

    celery -A tests.benchmarks.sleeping worker --pool threads --concurrency 1

All else is the real thing: messages, leases, heartbeats, parts in the store.
"""

import os
import time
from typing import Any

import numpy as np

import annotate.use_cases.merge_video
import annotate.use_cases.run_chunk
import workers.tasks
from annotate.domain.job import Job
from annotate.domain.poses import Poses
from annotate.domain.video import Chunk
from annotate.store import Store

# The detector runs on each frame, the landmark model for one person.
FRAME_S = float(os.environ.get("SLEEPING_FRAME_S", "0.00235"))
LANDMARKS = 33


def nobody(chunk: Chunk) -> Poses:
    """The poses of frames with nobody in them."""
    frames = np.arange(chunk.start, chunk.stop)
    none = np.zeros(0, np.float32)
    return Poses(
        frame_index=frames,
        pts=frames,
        time_s=frames / 30.0,
        offsets=np.zeros(len(frames) + 1, np.int64),
        detection_score=none,
        score=none,
        roi=np.zeros((0, 4), np.float32),
        landmarks=np.zeros((0, LANDMARKS, 5), np.float32),
        appearance=np.zeros((0, 6), np.float32),
    )


def sleep_through(store: Store, job: Job, fingerprint: str, chunk: Chunk, *_: Any) -> None:
    """Stands in for `run_chunk`."""
    time.sleep(FRAME_S * len(chunk))
    store.write_part(job.recipe.digest, fingerprint, chunk, nobody(chunk), {})


def no_merge(*_: Any) -> None:
    """Stands in for `merge_video`: these parts are never merged."""


annotate.use_cases.run_chunk.run_chunk = sleep_through  # type: ignore[assignment]
annotate.use_cases.merge_video.merge_video = no_merge
app = workers.tasks.app
