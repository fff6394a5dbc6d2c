"""A worker whose chunks are sleeps of a Snapdragon X Elite's times, for `tests.benchmarks.scale`.

    celery -A tests.benchmarks.sleeping worker --pool threads --concurrency 1

All else is the real thing: messages, leases, heartbeats, parts in the store.
"""

import os
import time

import numpy as np

import annotate.use_cases.merge_video
import annotate.use_cases.run_chunk
import workers.application
import workers.tasks
from annotate.domain.poses import Poses
from annotate.domain.video import Chunk
from annotate.domain.work import WorkUnit
from annotate.store import Store

# The detector runs on each frame, the landmark model for one person.
FRAME_S = float(os.environ.get("SLEEPING_FRAME_S", "0.00235"))
LANDMARKS = 33


def empty_frames(chunk: Chunk) -> Poses:
    """The poses of frames without people."""
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
        world=np.zeros((0, LANDMARKS, 0), np.float32),
        appearance=np.zeros((0, 6), np.float32),
    )


def sleep_through(store: Store, unit: WorkUnit, *_: object) -> None:
    """Replaces `run_chunk`."""
    chunk = unit.require_chunk()
    time.sleep(FRAME_S * len(chunk))
    store.results(unit.job.recipe, unit.video).write_part(chunk, empty_frames(chunk), {})


def no_merge(store: Store, unit: WorkUnit) -> bool:
    """Replaces `merge_video`: these parts are never merged."""
    del store, unit
    return False


annotate.use_cases.run_chunk.run_chunk = sleep_through  # type: ignore[assignment]
annotate.use_cases.merge_video.merge_video = no_merge
app = workers.application.app
