"""Neurodata Without Borders: a video's tracks as pose estimations of the extension ndx-pose."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from annotate.extras import library
from annotate.formats.base import Dataset, DatasetVideo, FileFormat, PoseBlock

_MODULE, _TRACK = "behavior", "track_{}"


class Nwb(FileFormat):
    """One video, the session: a `PoseEstimation` for each track, in the module `behavior`, with a
    row for each frame of the dataset until its last pose: movement takes rows for evenly spaced.
    Keypoints that are not labelled are NaN; the confidence is the visibility. The session starts
    on the day of the job's submission: videos rarely say when.
    """

    name = "nwb"
    suffix = ".nwb"
    one_video = True

    def write_file(self, dataset: Dataset, path: Path) -> None:
        """Writes the file: first all but the coordinates, which follow block by block.

        Raises:
            UsageError: pynwb or ndx-pose is not installed.
        """
        nwb, pose = library("pynwb", "formats"), library("ndx_pose", "formats")
        (video,) = dataset.videos
        file = _session(nwb, dataset, video)
        camera = file.create_device(name="camera", description="that recorded the video")
        film = _film(video)
        file.add_acquisition(film)
        skeleton = pose.Skeleton(
            name="person",
            nodes=[*dataset.keypoints.names],
            edges=np.array(dataset.keypoints.edges, np.uint8),
        )
        module = file.create_processing_module(_MODULE, "tracked keypoints of people")
        module.add(pose.Skeletons(skeletons=[skeleton]))
        for track, rows in _rows_of_tracks(video).items():
            module.add(
                pose.PoseEstimation(
                    name=_TRACK.format(track),
                    pose_estimation_series=[*_empty_series(dataset, video, rows)],
                    description="x to the right and y down, in pixels of the displayed frame",
                    source_video=film,
                    device=camera,
                    scorer=dataset.provenance.pack_name,
                    source_software="annotate",
                    source_software_version=dataset.provenance.program.rpartition(" ")[2],
                    skeleton=skeleton,
                )
            )
        # A path would be warned about: it does not end in `.nwb` until the file is whole.
        with (
            library("h5py", "formats").File(path, "w") as raw,
            nwb.NWBHDF5IO(file=raw, mode="w") as out,
        ):
            out.write(file)
            for block in video.poses():
                _fill(raw[f"processing/{_MODULE}"], block, dataset.keypoints.names)


NWB = Nwb()


def _session(nwb: Any, dataset: Dataset, video: DatasetVideo) -> Any:
    day = dataset.provenance.submitted or "1970-01-01"
    return nwb.NWBFile(
        session_description=f"People in {video.name}",
        identifier=video.origin.fingerprint,
        session_start_time=datetime.fromisoformat(day).replace(tzinfo=UTC),
    )


def _film(video: DatasetVideo) -> Any:
    """The video as a file beside this one."""
    return library("pynwb.image", "formats").ImageSeries(
        name="video",
        description="rate: the mean number of frames a second; poses have times of their own",
        external_file=[video.name],
        starting_frame=[0],
        format="external",
        dimension=[video.width, video.height],
        rate=float(video.fps) or 1.0,
        num_samples=int(video.frames[-1]) + 1 if len(video.frames) else 0,
    )


def _rows_of_tracks(video: DatasetVideo) -> dict[int, int]:
    """The number of frames of the dataset up to the last pose of each track, by ids in order."""
    rows: dict[int, int] = {}
    for block in video.poses():
        rows |= zip(block.video_track.tolist(), (block.place + 1).tolist(), strict=True)
    return dict(sorted(rows.items()))


def _empty_series(dataset: Dataset, video: DatasetVideo, rows: int) -> Iterator[Any]:
    """A series a keypoint, without values yet; all have the times of the first one."""
    pose, empty = library("ndx_pose", "formats"), library("pynwb", "formats").H5DataIO
    times: Any = video.time_s[:rows]
    for name in dataset.keypoints.names:
        made = pose.PoseEstimationSeries(
            name=name,
            description=f"the person's {name.replace('_', ' ')}",
            data=empty(shape=(rows, 2), dtype=np.float32, fillvalue=np.nan),
            unit="pixels",
            reference_frame="(0, 0) is the top left corner of the displayed frame",
            timestamps=times,
            confidence=empty(shape=(rows,), dtype=np.float32, fillvalue=np.nan),
            confidence_definition="visibility, as the model gives it",
        )
        times = made
        yield made


def _fill(tracks: Any, block: PoseBlock, names: Sequence[str]) -> None:
    """Writes the poses of a block into the series of their tracks: x and y, NaN where unlabelled,
    and the visibility.
    """
    for track in np.unique(block.video_track).tolist():
        rows = block.video_track == track
        place = block.place[rows]
        first, stop = int(place[0]), int(place[-1]) + 1
        values = np.full((stop - first, len(names), 3), np.nan, np.float32)
        xy = np.where(block.v[rows, :, None] > 0, block.xy[rows], np.nan)
        values[place - first] = np.dstack([xy, block.visibility[rows]])
        for column, name in enumerate(names):
            series = tracks[_TRACK.format(track)][name]
            series["data"][first:stop] = values[:, column, :2]
            series["confidence"][first:stop] = values[:, column, 2]
