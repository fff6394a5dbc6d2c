"""SLEAP's labels: poses as predicted instances, in a file that sleap-io makes."""

from pathlib import Path
from typing import Any

import numpy as np

from annotate.extras import library
from annotate.formats.base import Dataset, DatasetVideo, FileFormat, PoseBlock

# SLEAP's mark of poses that a model made.
_PREDICTED = 1


class Slp(FileFormat):
    """All videos in one file; the tracks are named `track_N` with the `track_id` of the dataset.
    Keypoints that are not labelled are NaN; a point's score is its visibility.
    """

    name = "slp"
    suffix = ".slp"

    def write_file(self, dataset: Dataset, path: Path) -> None:
        """Writes the file block by block: memory does not grow with the number of poses, as it
        would with an object for each in sleap-io's `Labels`.

        Raises:
            UsageError: sleap-io is not installed.
        """
        ids = [video.tracks.track_id + video.track_offset for video in dataset.videos]
        tracks = np.concatenate([*ids, np.empty(0, np.int64)])
        _write_head(dataset, tracks, path)
        with library("h5py", "formats").File(path, "a") as file:
            tables = {name: _Table(file, name) for name in ("frames", "instances", "pred_points")}
            for number, video in enumerate(dataset.videos):
                shown = np.flatnonzero(dataset.shown(video))
                people = np.zeros(len(shown), np.int64)
                first_frame, first_pose = tables["frames"].rows, tables["instances"].rows
                for block in video.poses():
                    place = np.searchsorted(shown, block.place)
                    people += np.bincount(place, minlength=len(shown))
                    track = np.searchsorted(tracks, block.track)
                    _write_poses(tables, block, first_frame + place, track)
                ends = first_pose + np.cumsum(people)
                tables["frames"].add(
                    len(shown),
                    frame_id=first_frame + np.arange(len(shown)),
                    video=number,
                    frame_idx=video.frames[shown],
                    instance_id_start=ends - people,
                    instance_id_end=ends,
                )


SLP = Slp()


class _Table:
    """A table of the file that rows are added to; its columns are those that sleap-io gave it."""

    def __init__(self, file: Any, name: str) -> None:
        self._dtype = file[name].dtype
        del file[name]
        self._data = file.create_dataset(name, (0,), self._dtype, maxshape=(None,), chunks=True)

    @property
    def rows(self) -> int:
        """How many there are."""
        return int(self._data.shape[0])

    def add(self, count: int, **columns: object) -> None:
        """Adds rows; columns that are not named are 0."""
        rows = np.zeros(count, self._dtype)
        for name, values in columns.items():
            rows[name] = values
        start = self.rows
        self._data.resize(start + count, axis=0)
        self._data[start:] = rows


def _write_head(dataset: Dataset, tracks: np.ndarray, path: Path) -> None:
    sleap = library("sleap_io", "formats")
    names, edges = dataset.keypoints.names, dataset.keypoints.edges
    skeleton = sleap.Skeleton([*names], [(names[a], names[b]) for a, b in edges], name="person")
    labels = sleap.Labels(
        videos=[_video(sleap, video) for video in dataset.videos],
        skeletons=[skeleton],
        tracks=[sleap.Track(f"track_{number}") for number in tracks.tolist()],
        provenance={"program": dataset.provenance.program, "recipe": dataset.provenance.recipe},
    )
    sleap.save_slp(labels, str(path), embed=False, verbose=False)


def _video(sleap: Any, video: DatasetVideo) -> Any:
    frames = int(video.frames[-1]) + 1 if len(video.frames) else 0
    shape = {"shape": (frames, video.height, video.width, 3), "fps": video.fps}
    return sleap.Video(filename=video.name, open_backend=False, backend_metadata=shape)


def _write_poses(
    tables: dict[str, _Table], block: PoseBlock, frame: np.ndarray, track: np.ndarray
) -> None:
    poses, keypoints = block.v.shape
    start = tables["pred_points"].rows + np.arange(poses) * keypoints
    tables["instances"].add(
        poses,
        instance_id=tables["instances"].rows + np.arange(poses),
        instance_type=_PREDICTED,
        frame_id=frame,
        track=track,
        from_predicted=-1,
        score=block.score,
        point_id_start=start,
        point_id_end=start + keypoints,
    )
    labelled = block.v > 0
    xy = np.where(labelled[:, :, None], block.xy, np.nan)
    tables["pred_points"].add(
        poses * keypoints,
        x=xy[:, :, 0].ravel(),
        y=xy[:, :, 1].ravel(),
        visible=labelled.ravel(),
        score=block.visibility.ravel(),
    )
