"""The rows of csv and Parquet: one for each keypoint of each pose."""

from typing import Any

import numpy as np
import pyarrow as pa

from annotate.formats.base import Dataset, DatasetVideo, PoseBlock

_WORLD = ("world_x", "world_y", "world_z")
SCHEMA = pa.schema(
    {
        "video": pa.string(),
        "frame": pa.int64(),
        "pts": pa.int64(),
        "time_s": pa.float64(),
        "track_id": pa.int64(),
        "video_track_id": pa.int64(),
        "score": pa.float64(),
        "filled": pa.bool_(),
        "keypoint": pa.string(),
        "x": pa.float64(),
        "y": pa.float64(),
        "z": pa.float64(),
        **dict.fromkeys(_WORLD, pa.float64()),
        "visibility": pa.float64(),
        "presence": pa.float64(),
        "v": pa.int64(),
    }
)


def rows_of(block: PoseBlock, video: DatasetVideo, dataset: Dataset) -> Any:
    """A record batch of the poses; keypoints that the model lacks have no row."""
    places = np.flatnonzero(dataset.known)
    names = [dataset.keypoints.names[place] for place in places]

    def of_pose(values: np.ndarray) -> np.ndarray:
        return np.repeat(values, len(places))

    def of_keypoint(values: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(values[:, places]).reshape(-1)

    count = len(block) * len(places)
    world = block.world.shape[2]
    columns = {
        "video": pa.repeat(video.name, count),
        "frame": of_pose(video.frames[block.place]),
        "pts": of_pose(video.pts[block.place]),
        "time_s": of_pose(np.round(video.time_s[block.place], 6)),
        "track_id": of_pose(block.track),
        "video_track_id": of_pose(block.video_track),
        "score": of_pose(block.score),
        "filled": of_pose(block.filled),
        "keypoint": pa.array(names, pa.string()).take(
            pa.array(np.tile(np.arange(len(places)), len(block)))
        ),
        "x": of_keypoint(block.xy[:, :, 0]),
        "y": of_keypoint(block.xy[:, :, 1]),
        "z": of_keypoint(np.round(block.z.astype(np.float64), 2)),
        **{
            name: of_keypoint(block.world[:, :, axis]) if world else pa.nulls(count, pa.float64())
            for axis, name in enumerate(_WORLD)
        },
        "visibility": of_keypoint(block.visibility),
        "presence": of_keypoint(block.presence),
        "v": of_keypoint(block.v),
    }
    return pa.record_batch([pa.array(columns[name]) for name in SCHEMA.names], schema=SCHEMA)
