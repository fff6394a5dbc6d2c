"""Which poses of a video an export takes: between the final tracks and the formats."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.domain.export_options import ExportOptions
from annotate.domain.merge_settings import MergeSettings
from annotate.domain.track_list import TrackList
from annotate.domain.tracks import Tracks
from annotate.merge.pose_table import boxes


def chosen_tracks(tracks: TrackList, options: ExportOptions) -> TrackList:
    """The tracks of a video that the options name and that are long enough."""
    kept = tracks.end_s - tracks.start_s >= options.min_seconds
    if options.tracks is not None:
        kept &= np.isin(tracks.track_id, options.tracks)
    return tracks.take(kept)


def chosen_poses(
    blocks: Iterable[Tracks], tracks: TrackList, options: ExportOptions, size: tuple[int, int]
) -> Iterator[Tracks]:
    """The poses of a video that the options take, block by block.

    Args:
        blocks: of the video, ordered by frame, then track; a frame is not cut by two blocks.
        tracks: those of `chosen_tracks`.
        size: width and height of the picture in pixels.
    """
    rank = _ranks(tracks)
    for block in blocks:
        rows = np.isin(block.track_id, tracks.track_id) & (block.score >= options.min_score)
        if options.every > 1:
            rows &= block.frame_index % options.every == 0
        if options.raw:
            rows &= ~block.filled
        if options.max_people is not None:
            rows[rows] &= _first_of_each_frame(
                block.frame_index[rows], rank.of(block.track_id[rows]), options.max_people
            )
        taken = block if rows.all() else block.take(rows)
        yield _as_the_model_gave_them(taken, size) if options.raw else taken


@dataclass(frozen=True, eq=False)
class _Ranks:
    """Places of tracks in the order of their sums of scores: 0 is the largest."""

    track_id: IntArray
    rank: IntArray

    def of(self, track_id: IntArray) -> IntArray:
        """(n,) int64 ranks of tracks that are all known."""
        return self.rank[np.searchsorted(self.track_id, track_id)]


def _ranks(tracks: TrackList) -> _Ranks:
    rank = np.empty(len(tracks), np.int64)
    # Of equal sums, the lower id comes first.
    rank[np.argsort(-tracks.score_sum, kind="stable")] = np.arange(len(tracks))
    return _Ranks(tracks.track_id, rank)


def _first_of_each_frame(frame: IntArray, rank: IntArray, most: int) -> NDArray[np.bool_]:
    """(n,) bool: the rows with the `most` smallest ranks of each frame."""
    order = np.lexsort((rank, frame))
    first = np.searchsorted(frame, frame)  # of each row's frame; frames do not decrease
    kept = np.empty(len(frame), np.bool_)
    kept[order] = np.arange(len(frame)) - first[order] < most
    return kept


def _as_the_model_gave_them(block: Tracks, size: tuple[int, int]) -> Tracks:
    """The raw landmarks in place of the smoothed ones, and their boxes as the merge makes boxes."""
    corners = boxes(block.raw, MergeSettings().pose).reshape(-1, 2, 2)
    corners = corners.clip(0, np.array(size, np.float32))
    bbox = np.hstack([corners[:, 0], corners[:, 1] - corners[:, 0]])
    return replace(block, smoothed=block.raw, smoothed_world=block.raw_world, bbox=bbox)
