"""All parts of one video to tracks: one sequential pass, whose memory does not grow with it.

Nothing depends on where parts begin.
"""

from collections.abc import Iterable, Iterator

from annotate.domain.merge_settings import MergeSettings
from annotate.domain.poses import Poses
from annotate.domain.skeleton import Skeleton
from annotate.domain.tracks import Tracks
from annotate.merge.blocks import blocks
from annotate.merge.finishing import Finisher
from annotate.merge.linking import Linker
from annotate.merge.pose_table import pose_table
from annotate.merge.tracker import Tracker
from annotate.merge.window import windows


def merge(
    parts: Iterable[Poses], settings: MergeSettings, skeleton: Skeleton, size: tuple[int, int]
) -> Iterator[Tracks]:
    """The tracks of a video, block by block, ordered by frame and track id.

    Args:
        parts: in order; frames of chunks that failed are missing.
        settings: thresholds.
        skeleton: of the landmarks.
        size: width and height of the displayed frame in pixels, where boxes end.
    """
    tracker, linker = Tracker(settings), Linker(settings)
    finisher = Finisher(settings, skeleton, size)
    # Step 1: blocks that begin at fixed frames; Step 2: tracks, each without a gap.
    tables = (
        tracker.follow(pose_table(block, settings.pose, skeleton))
        for block in blocks(parts, settings.block_frames)
    )
    for window in windows(tables, settings):
        # Step 3: link tracks over gaps, drop short ones, number them.
        ids = linker.ids(window)
        # Step 4: correct left and right, reject poses of other people, smooth, fill gaps.
        tracks = finisher.tracks(window, ids)
        if tracks is not None:
            yield tracks
