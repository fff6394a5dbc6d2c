"""The tracks of one video as a table: a row for each pose, columns with the names of landmarks."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from annotate.domain.tracks import Tracks

_BOX = ("box_x", "box_y", "box_width", "box_height")
_PIXELS = ("x", "y", "z", "visibility", "presence")
_METRES = ("world_x", "world_y", "world_z")


def track_table(
    blocks: Iterable[Tracks], landmarks: Sequence[str], *, axes: int, raw: bool
) -> pa.Table:
    """All rows of the blocks.

    Args:
        blocks: as `final_tracks` gives them.
        landmarks: L names, in the model's order.
        axes: D of the tracks: 3, or 0 where the model gives no world landmarks.
        raw: the model's own landmarks rather than the smoothed ones; NaN where a pose was filled.

    Returns:
        Columns `frame`, `pts`, `time_s`, `track_id`, `score`, `filled`, `box_x`, `box_y`,
        `box_width`, `box_height`; and for each landmark, e.g. `nose`, columns `nose_x`, `nose_y`,
        `nose_z` in pixels, `nose_visibility`, `nose_presence`, and with D = 3 `nose_world_x`,
        `nose_world_y`, `nose_world_z` in metres.
    """
    world = _METRES if axes else ()
    schema = pa.schema(
        {
            "frame": pa.int64(),
            "pts": pa.int64(),
            "time_s": pa.float64(),
            "track_id": pa.int64(),
            "score": pa.float32(),
            "filled": pa.bool_(),
            **dict.fromkeys(_BOX, pa.float32()),
            **{f"{name}_{one}": pa.float32() for name in landmarks for one in (*_PIXELS, *world)},
        }
    )
    batches = [pa.record_batch([*_columns(block, raw=raw)], schema=schema) for block in blocks]
    return pa.Table.from_batches(batches, schema)


def _columns(block: Tracks, *, raw: bool) -> Iterator[Any]:
    yield from (block.frame_index, block.pts, block.time_s, block.track_id)
    yield from (block.score, block.filled)
    pixels, metres = (block.raw, block.raw_world) if raw else (block.smoothed, block.smoothed_world)
    yield from np.ascontiguousarray(block.bbox.T)
    values = np.concatenate([pixels, metres], axis=2)
    yield from np.ascontiguousarray(values.transpose(1, 2, 0)).reshape(-1, len(block))
