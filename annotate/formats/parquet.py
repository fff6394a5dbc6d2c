"""A table as Parquet files, one for each video: as csv has them."""

from pathlib import Path
from urllib.parse import quote

import pyarrow.parquet as pq

from annotate.domain.keypoint_sets import BLAZEPOSE33, sets_from
from annotate.formats.base import Dataset, FolderFormat
from annotate.formats.table import rows_of, schema_of

# Bytes of the longest name of a file.
_LONGEST = 255


class Parquet(FolderFormat):
    """Files `video=NAME/poses.parquet`: readers take the column `video` from the folder's name,
    as Hive partitions; characters that are no letters or digits are `%` and two hex digits. The
    video's clock is in the metadata of the file.
    """

    name = "parquet"
    has_angles = True
    has_world = True
    keypoint_sets = sets_from(BLAZEPOSE33)

    def write_folder(self, dataset: Dataset, folder: Path) -> None:
        """Writes a file for each video, each as a stream."""
        schema = schema_of(dataset)
        schema = schema.remove(schema.get_field_index("video"))
        for video in dataset.videos:
            part = folder / _partition(video.name)
            part.mkdir()
            clock = {name: str(value) for name, value in video.origin.clock.items()}
            columns = schema.with_metadata(clock)
            with pq.ParquetWriter(part / "poses.parquet", columns, compression="zstd") as writer:
                for block in video.poses():
                    rows = rows_of(block, video, dataset)
                    selected = rows.select(columns.names)
                    writer.write_batch(selected.replace_schema_metadata(clock))


def _partition(name: str) -> str:
    """Name of the folder of a video.

    >>> _partition("a b/ü.mp4")
    'video=a%20b%2F%C3%BC.mp4'
    """
    quoted = f"video={quote(name, safe='')}"
    if len(quoted) <= _LONGEST:
        return quoted
    # Readers take other letters than those of ASCII as they are; quoted they are three times as
    # long.
    return "video=" + "".join(one if ord(one) > 127 else quote(one, safe="") for one in name)


PARQUET = Parquet()
