"""The rows of csv and Parquet: one for each keypoint of each pose, or for its joint angles."""

from typing import Any

import numpy as np
import pyarrow as pa

from annotate.formats.base import Dataset, DatasetVideo, PoseBlock
from annotate.numeric.angles import ANGLES, joint_angles

_WORLD = ("world_x", "world_y", "world_z")
_POSE = {
    "video": pa.string(),
    "frame": pa.int64(),
    "pts": pa.int64(),
    "time_s": pa.float64(),
    "track_id": pa.int64(),
    "video_track_id": pa.int64(),
    "score": pa.float64(),
    "filled": pa.bool_(),
}
_KEYPOINTS = pa.schema(
    {
        **_POSE,
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


_ANGLES = pa.schema(
    {**_POSE, **{f"{name}_{axes}d": pa.float64() for name in ANGLES for axes in (2, 3)}}
)


def schema_of(dataset: Dataset) -> pa.Schema:
    """The columns of the dataset."""
    return _ANGLES if dataset.angles else _KEYPOINTS


def rows_of(block: PoseBlock, video: DatasetVideo, dataset: Dataset) -> Any:
    """A record batch of the poses."""
    schema, rows = schema_of(dataset), 1 if dataset.angles else int(dataset.known.sum())
    more = _angle_columns(block, dataset) if dataset.angles else _keypoint_columns(block, dataset)
    columns = {**_pose_columns(block, video, rows), **more}
    return pa.record_batch([pa.array(columns[name]) for name in schema.names], schema=schema)


def _pose_columns(block: PoseBlock, video: DatasetVideo, rows: int) -> dict[str, Any]:
    """What is the same in all rows of a pose, so many."""
    values = {
        "frame": video.frames[block.place],
        "pts": video.pts[block.place],
        "time_s": np.round(video.time_s[block.place], 6),
        "track_id": block.track,
        "video_track_id": block.video_track,
        "score": block.score,
        "filled": block.filled,
    }
    repeated = {name: np.repeat(column, rows) for name, column in values.items()}
    return {"video": pa.repeat(video.name, len(block) * rows), **repeated}


def _angle_columns(block: PoseBlock, dataset: Dataset) -> dict[str, Any]:
    """Degrees, null where a keypoint is not labelled or the model gives no metres."""
    found = {}
    for axes, points in ((2, block.xy), (3, block.world)):
        angles = np.full((len(block), len(ANGLES)), np.nan)
        if points.shape[2] == axes:
            angles = np.round(joint_angles(points, block.v > 0, dataset.keypoints.names), 2)
        for name, column in zip(ANGLES, angles.T, strict=True):
            found[f"{name}_{axes}d"] = pa.array(column, from_pandas=True)
    return found


def _keypoint_columns(block: PoseBlock, dataset: Dataset) -> dict[str, Any]:
    """Keypoints that the model lacks have no row."""
    places = np.flatnonzero(dataset.known)
    names = [dataset.keypoints.names[place] for place in places]
    count = len(block) * len(places)
    world = block.world.shape[2]

    def of_keypoint(values: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(values[:, places]).reshape(-1)

    return {
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
