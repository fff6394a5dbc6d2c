"""Indexes, parts and tracks as Parquet files."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from fractions import Fraction
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from annotate.domain.json_text import parsed
from annotate.domain.outline import Outline
from annotate.domain.poses import PartOutline, Poses
from annotate.domain.track_list import TrackList
from annotate.domain.tracks import Tracks
from annotate.domain.video import DAMAGE_REASONS, Crop, VideoIndex
from annotate.store.arrow_arrays import offsets_of, to_arrow, to_numpy, values_of
from annotate.store.seals import (
    COLUMNS_SEAL,
    FACTS_SEAL,
    ROWS_SEAL,
    RowsSeal,
    check_seal,
    columns_of,
    facts_seal,
)

_COLUMNS = 5  # x, y, z, visibility, presence
_COLOURS = 6  # of appearance
_AXES = 3  # of world landmarks
_RAW, _WORLD = ("raw", "raw_world"), ("raw_world", "smoothed_world")
_META = b"annotate"
# Measured floats hardly repeat: a dictionary of them makes files larger and five times as slow.
_WRITE = {
    "compression": "zstd",
    "use_dictionary": False,
    "write_statistics": False,
    # Without it, most flipped bits give other numbers in silence.
    "write_page_checksum": True,
}
# A thread of Arrow that still holds a file of Python when the interpreter ends aborts the process,
# or hangs it (apache/arrow#34314, #50482): none is started.
_OPEN = {"page_checksum_verification": True, "pre_buffer": False}
_READ = {"use_threads": False}


def write_index(file: BinaryIO, index: VideoIndex) -> None:
    """A row a frame: pts and whether it is a keyframe; the rest in the schema's metadata."""
    keyframe = np.zeros(len(index), np.bool_)
    keyframe[index.keyframes] = True
    facts = {
        "fingerprint": index.fingerprint,
        "size_bytes": index.size_bytes,
        "codec": index.codec,
        "width": index.width,
        "height": index.height,
        "rotation": index.rotation,
        "mirrored": index.mirrored,
        "pixel_aspect": str(index.pixel_aspect),
        "hdr": index.hdr,
        "interlaced": index.interlaced,
        "crop": list(index.crop),
        "container_start_s": index.container_start_s,
        "time_base": str(index.time_base),
        "declared_frames": index.declared_frames,
        "missing_s": index.missing_s,
        "undecodable": index.undecodable,
        "interpolated": index.interpolated,
        "assumed_fps": index.assumed_fps,
        "stream": index.stream,
        "video_streams": list(index.video_streams),
        "image_gaps": index.image_gaps,
        "reader": index.reader,
        "lost": index.lost.tolist(),
    }
    rows = {"pts": index.pts, "keyframe": keyframe}
    table = pa.table({name: to_arrow(values) for name, values in rows.items()})
    pq.write_table(_sealed(table, facts, rows), file, **_WRITE)


def read_index(file: BinaryIO) -> VideoIndex:
    """Inverse of `write_index`."""
    parquet = _opened(file)
    table, facts = parquet.read(**_READ), _facts(parquet)
    rows = {name: to_numpy(table[name]) for name in ("pts", "keyframe")}
    _check_rows(parquet, rows)
    facts["time_base"] = Fraction(facts["time_base"])
    facts["pixel_aspect"] = Fraction(facts.get("pixel_aspect", "1"))
    facts["crop"] = Crop(*facts.get("crop", ()))
    facts["video_streams"] = tuple(facts.get("video_streams", ()))
    facts["lost"] = np.array(facts.get("lost", ()), np.int64)
    known = {field.name for field in fields(VideoIndex)}  # another version may have more
    return VideoIndex(
        **{name: value for name, value in facts.items() if name in known},
        pts=rows["pts"],
        keyframes=np.flatnonzero(rows["keyframe"]),
    )


def write_part(file: BinaryIO, poses: Poses, facts: dict[str, Any]) -> None:
    """A row a frame, frames without people included; the poses are a list of structs."""
    landmarks = poses.landmarks.shape[1]
    columns = {
        "detection_score": to_arrow(poses.detection_score),
        "score": to_arrow(poses.score),
        "roi": _fixed(poses.roi),
        "landmarks": _fixed(poses.landmarks),
        "appearance": _fixed(poses.appearance),
    }
    if poses.world.shape[2]:
        columns["world"] = _fixed(poses.world)
    people = pa.StructArray.from_arrays([*columns.values()], names=[*columns])
    table = pa.table(
        {
            "frame_index": to_arrow(poses.frame_index),
            "pts": to_arrow(poses.pts),
            "time_s": to_arrow(poses.time_s),
            "poses": pa.ListArray.from_arrays(to_arrow(poses.offsets.astype(np.int32)), people),
        }
    )
    if poses.damage.any():
        reasons = [DAMAGE_REASONS[code - 1] if code else None for code in poses.damage.tolist()]
        table = table.append_column("damage", pa.array(reasons, pa.string()))
    facts = {**facts, "landmarks": landmarks}
    pq.write_table(_sealed(table, facts, columns_of(poses)), file, **_WRITE)


def read_part(file: BinaryIO) -> tuple[Poses, dict[str, Any]]:
    """The poses that `write_part` wrote, and the facts."""
    parquet = _opened(file)
    table, facts = parquet.read(**_READ).combine_chunks(), _facts(parquet)
    count = facts["landmarks"]
    lists = table["poses"].combine_chunks()
    people = values_of(lists)
    named = people.type.get_field_index("world") >= 0
    poses = Poses(
        frame_index=to_numpy(table["frame_index"]),
        pts=to_numpy(table["pts"]),
        time_s=to_numpy(table["time_s"]),
        offsets=offsets_of(lists),
        detection_score=to_numpy(people.field("detection_score")),
        score=to_numpy(people.field("score")),
        roi=to_numpy(values_of(people.field("roi"))).reshape(-1, 4),
        landmarks=to_numpy(values_of(people.field("landmarks"))).reshape(-1, count, _COLUMNS),
        world=_world(people.field("world") if named else None, len(people), count),
        appearance=to_numpy(values_of(people.field("appearance"))).reshape(-1, _COLOURS),
        damage=_damage(table),
    )
    _check_rows(parquet, columns_of(poses))
    return poses, facts


def read_part_outline(file: BinaryIO) -> PartOutline:
    """What a part says beside its poses."""
    parquet = _opened(file)
    provider = str(_facts(parquet).get("provider", "unknown"))
    if "damage" not in parquet.schema_arrow.names:
        return PartOutline(np.zeros(0, np.int64), np.zeros(0, np.int64), provider)
    table = parquet.read(columns=["frame_index", "damage"], **_READ)
    damage = _damage(table).astype(np.int64)
    return PartOutline(to_numpy(table["frame_index"]), damage, provider)


def _damage(table: Any) -> NDArray[np.int8]:
    """(F,) int8 as in `Poses`; parts without damage have no such column."""
    if "damage" not in table.column_names:
        return np.zeros(len(table), np.int8)
    codes: dict[str | None, int] = {None: 0}
    codes.update((reason, code) for code, reason in enumerate(DAMAGE_REASONS, start=1))
    return np.array([codes[reason] for reason in table["damage"].to_pylist()], np.int8)


def write_tracks(
    file: BinaryIO,
    blocks: Iterable[Tracks],
    landmarks: int,
    facts: dict[str, Any],
    world_axes: int = 0,
) -> None:
    """A row a pose; the blocks are written as they come, a row group each."""
    world = pa.list_(pa.float32(), landmarks * world_axes)
    schema = pa.schema(
        {
            "frame_index": pa.int64(),
            "pts": pa.int64(),
            "time_s": pa.float64(),
            "track_id": pa.int64(),
            "score": pa.float32(),
            "bbox": pa.list_(pa.float32(), 4),
            "filled": pa.bool_(),
            "raw": pa.list_(pa.float32(), landmarks * _COLUMNS),
            "smoothed": pa.list_(pa.float32(), landmarks * _COLUMNS),
            **({"raw_world": world, "smoothed_world": world} if world_axes else {}),
        },
        metadata=_metadata({**facts, "landmarks": landmarks}),
    )
    seal = RowsSeal()
    with pq.ParquetWriter(file, schema, **_WRITE) as writer:
        for block in blocks:
            sealed = columns_of(block)
            if not world_axes:
                del sealed["raw_world"], sealed["smoothed_world"]  # the file has none
            seal.add(sealed)
            columns = [
                to_arrow(values) if values.ndim == 1 else _fixed(values)
                for values in map(sealed.__getitem__, schema.names)
            ]
            writer.write_batch(pa.record_batch(columns, schema=schema))
        writer.add_key_value_metadata({ROWS_SEAL: seal.value, COLUMNS_SEAL: seal.columns})


def read_tracks(file: BinaryIO, *, raw: bool = True, world: bool = True) -> Iterator[Tracks]:
    """The blocks of a tracks file, one at a time; whether they are all that were written is known
    after the last one.

    Args:
        raw: read the raw landmarks; without it they are all NaN, as if every pose was filled.
        world: read the world landmarks; without it the tracks have none. A file that an earlier
            version wrote is read whole: its columns have no digests of their own.
    """
    parquet = _opened(file)
    metadata, count, seal = parquet.metadata.metadata, _facts(parquet)["landmarks"], RowsSeal()
    names, whole = parquet.schema_arrow.names, COLUMNS_SEAL not in metadata
    if not whole:
        left_out = {*(() if raw else _RAW), *(() if world else _WORLD)}
        names = [name for name in names if name not in left_out]
    for group in range(parquet.num_row_groups):
        block = _tracks(parquet.read_row_group(group, columns=names, **_READ), count)
        seal.add({name: getattr(block, name) for name in names})
        yield block
    if whole:
        check_seal(metadata, ROWS_SEAL, seal.value)
    else:
        seal.check_columns(metadata)


class BlockReader:
    """Reads any block of a tracks file; what the file says of them all is read once."""

    def __init__(self, file: BinaryIO) -> None:
        self._parquet = _opened(file)
        self._landmarks = _facts(self._parquet)["landmarks"]

    @property
    def sizes(self) -> list[int]:
        """The number of poses of each block."""
        metadata = self._parquet.metadata
        return [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]

    def read(self, number: int) -> Tracks:
        """One block; its pages are checked, but not that they are all that belong."""
        return _tracks(self._parquet.read_row_group(number, **_READ), self._landmarks)


def _tracks(table: Any, landmarks: int) -> Tracks:
    columns = {name: table[name].combine_chunks() for name in table.column_names}
    rows = len(table)
    smoothed = to_numpy(values_of(columns["smoothed"])).reshape(rows, landmarks, _COLUMNS)
    smoothed_world = _world(columns.get("smoothed_world"), rows, landmarks)
    return Tracks(
        **{
            name: to_numpy(columns[name])
            for name in ("frame_index", "pts", "time_s", "track_id", "score", "filled")
        },
        bbox=to_numpy(values_of(columns["bbox"])).reshape(-1, 4),
        raw=_raw(columns.get("raw"), smoothed),
        smoothed=smoothed,
        raw_world=_raw(columns.get("raw_world"), smoothed_world),
        smoothed_world=smoothed_world,
    )


def _raw(lists: Any, smoothed: NDArray[np.float32]) -> NDArray[np.float32]:
    """Raw landmarks of the shape of the smoothed ones, NaN without a column of them."""
    if lists is None:
        return np.broadcast_to(np.float32(np.nan), smoothed.shape)
    return to_numpy(values_of(lists)).reshape(smoothed.shape)


def read_track_list(file: BinaryIO) -> TrackList:
    """The tracks of a tracks file, without reading their poses: 28 bytes a pose."""
    names = ["track_id", "frame_index", "time_s", "score"]
    table = _opened(file).read(columns=names, **_READ).combine_chunks()
    return TrackList.of(**{name: to_numpy(table[name]) for name in names})


def read_outline(file: BinaryIO) -> tuple[Outline, int]:
    """The poses of a tracks file without their landmarks, 45 bytes a pose; and how many axes their
    world landmarks have.
    """
    parquet = _opened(file)
    axes = _AXES if "raw_world" in parquet.schema_arrow.names else 0
    names = [field.name for field in fields(Outline)]
    table = parquet.read(columns=names, **_READ)
    columns = {name: table[name].combine_chunks() for name in names}
    bbox = to_numpy(values_of(columns.pop("bbox"))).reshape(-1, 4)
    plain = {name: to_numpy(column) for name, column in columns.items()}
    return Outline(**plain, bbox=bbox), axes


def read_facts(file: BinaryIO) -> dict[str, Any]:
    """The facts that were given when the file was written."""
    return _facts(_opened(file))


def _fixed(values: NDArray[np.float32]) -> Any:
    """(n, ...) array as n fixed-size lists."""
    size = int(np.prod(values.shape[1:]))
    return pa.FixedSizeListArray.from_arrays(to_arrow(values.reshape(-1)), size)


def _world(lists: Any, rows: int, landmarks: int) -> NDArray[np.float32]:
    """(rows, landmarks, D) world landmarks; without a column of them D is 0."""
    if lists is None:
        return np.zeros((rows, landmarks, 0), np.float32)
    return to_numpy(values_of(lists)).reshape(rows, landmarks, _AXES)


def _metadata(facts: dict[str, Any]) -> dict[bytes, bytes]:
    text = json.dumps(facts, sort_keys=True).encode()
    return {_META: text, FACTS_SEAL: facts_seal(text)}


def _sealed(table: Any, facts: dict[str, Any], rows: Mapping[str, NDArray[Any]]) -> Any:
    seal = RowsSeal()
    seal.add(rows)
    return table.replace_schema_metadata({**_metadata(facts), ROWS_SEAL: seal.value})


def _opened(file: BinaryIO) -> Any:
    return pq.ParquetFile(file, **_OPEN)


def _facts(parquet: Any) -> dict[str, Any]:
    metadata = parquet.metadata.metadata
    check_seal(metadata, FACTS_SEAL, facts_seal(metadata[_META]))
    facts: dict[str, Any] = parsed(metadata[_META])
    return facts


def _check_rows(parquet: Any, rows: Mapping[str, NDArray[Any]]) -> None:
    seal = RowsSeal()
    seal.add(rows)
    check_seal(parquet.metadata.metadata, ROWS_SEAL, seal.value)
