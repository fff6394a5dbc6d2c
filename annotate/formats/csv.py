"""A table as comma-separated values: a row for each keypoint of each pose, or its angles."""

from typing import BinaryIO

from pyarrow import csv

from annotate.domain.keypoint_sets import BLAZEPOSE33, sets_from
from annotate.formats.base import Dataset, StreamFormat
from annotate.formats.table import rows_of, schema_of


class Csv(StreamFormat):
    """The columns of `schema_of`, with a head; texts are quoted."""

    name = "csv"
    suffix = ".csv"
    signatures = (b'"video","frame","pts",',)
    has_angles = True
    has_world = True
    keypoint_sets = sets_from(BLAZEPOSE33)

    def write(self, dataset: Dataset, out: BinaryIO) -> None:
        """Writes the file as a stream."""
        with csv.CSVWriter(out, schema_of(dataset)) as writer:
            for video in dataset.videos:
                for block in video.poses():
                    writer.write_batch(rows_of(block, video, dataset))


CSV = Csv()
