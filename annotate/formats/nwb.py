"""Neurodata Without Borders: a video's tracks as pose estimations of the extension ndx-pose."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotate.extras import library
from annotate.formats.base import Dataset, DatasetVideo, FileFormat, PoseBlock
from annotate.formats.by_track import poses_by_track


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
        """Writes the file; the library holds all coordinates of the video in memory.

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
        module = file.create_processing_module("behavior", "tracked keypoints of people")
        module.add(pose.Skeletons(skeletons=[skeleton]))
        for track, blocks in poses_by_track(video):
            module.add(
                pose.PoseEstimation(
                    name=f"track_{track}",
                    pose_estimation_series=[*_series(pose, dataset, video, blocks)],
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


def _series(
    pose: Any, dataset: Dataset, video: DatasetVideo, blocks: Iterable[PoseBlock]
) -> Iterator[Any]:
    """A series a keypoint; all have the times of the first one."""
    # Of the blocks, only what is written is kept: x, y and confidence.
    kept = [(block.place, _values(block)) for block in blocks]
    rows, keypoints = int(kept[-1][0][-1]) + 1, len(dataset.keypoints.names)
    values = np.full((rows, keypoints, 3), np.nan, np.float32)
    for places, found in kept:
        values[places] = found
    xy, confidence = values[:, :, :2], values[:, :, 2]
    times: Any = video.time_s[:rows]
    for place, name in enumerate(dataset.keypoints.names):
        made = pose.PoseEstimationSeries(
            name=name,
            description=f"the person's {name.replace('_', ' ')}",
            data=xy[:, place],
            unit="pixels",
            reference_frame="(0, 0) is the top left corner of the displayed frame",
            timestamps=times,
            confidence=confidence[:, place],
            confidence_definition="visibility, as the model gives it",
        )
        times = made
        yield made


def _values(block: PoseBlock) -> NDArray[np.float32]:
    """(P, K, 3): x, y, NaN where unlabelled, and the visibility."""
    xy = np.where(block.v[:, :, None] > 0, block.xy, np.nan)
    return np.concatenate([xy, block.visibility[:, :, None]], axis=2, dtype=np.float32)
