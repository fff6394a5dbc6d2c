"""Draws the tracks of a video into a copy of it, frame by frame, or into a still."""

import math
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, ExitStack
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from annotate.domain.errors import PartialResultError, UsageError, VideoError
from annotate.domain.job import Job, JobVideo
from annotate.domain.look import Look
from annotate.domain.progress import Progress, silent
from annotate.domain.settings import Settings
from annotate.domain.skeleton import Skeleton, coco_keypoints
from annotate.domain.tracks import Tracks
from annotate.domain.video import Chunk, Frame
from annotate.formats.names import video_folders
from annotate.numeric.selection import selected_frames
from annotate.render.crop_path import CropPath, crop_path
from annotate.render.faces import blur_all, blur_faces
from annotate.render.overlay import Picture, draw_poses
from annotate.render.trails import Trails
from annotate.store import Store
from annotate.store.source_video import local_source
from annotate.use_cases.final_tracks import final_tracks, missing_frames, tracks_skeleton
from annotate.use_cases.find_images import IMAGE_ENDINGS
from annotate.use_cases.find_videos import VIDEO_ENDINGS
from annotate.use_cases.output import check_target, make_folder, output_file
from annotate.use_cases.places import is_folder
from annotate.video import Reading, VideoWriter, decode
from annotate.video.sound import Sound
from annotate.video.writer import Encoding, roomy_time_base

# Times of drawn frames are at least so fine, in units a second.
_FINE = 10_000
# How the names of drawings may end.
_MOVING, _STILL = (".mp4", ".mkv"), (".png",)
# How the names of pictures and videos end: `--out` with one of them does not mean a folder.
_FILES = VIDEO_ENDINGS | IMAGE_ENDINGS | {".gif"}
# H.264, fast and good enough to look at.
_OPTIONS = {"preset": "veryfast", "crf": "20"}


class Drawing:
    """One video of a job, to be drawn.

    Raises:
        PartialResultError: it has no tracks yet.
        StoreError: the store cannot be read.
    """

    def __init__(self, store: Store, settings: Settings, job: Job, video: JobVideo) -> None:
        if not store.results(job.recipe, video).has_tracks(job.merge_digest):
            raise PartialResultError(
                f"{video.name} has no tracks yet",
                "See `annotate status`; run the same `annotate submit` again to continue.",
            )
        self._store, self._settings, self._job, self._video = store, settings, job, video
        self._index = store.read_index(video.fingerprint, job.recipe.selection)
        self._how = Reading(limits=settings.limits)
        self._skeleton = tracks_skeleton(store, job)
        folders = video_folders([one.name for one in job.videos])
        self._stem = folders[[one.name for one in job.videos].index(video.name)]

    def write_video(
        self, out: Path, look: Look, progress: Progress = silent, *, force: bool = False
    ) -> Path:
        """Draws all frames into a video, at the times of the source.

        Args:
            out: a file whose name ends in `.mp4` or `.mkv`, or a folder.
            look: of the drawing.
            progress: called while frames are drawn.
            force: replace a file `out`.

        Raises:
            UsageError: the cropped track is not in the video, or `out` does not fit.
            VideoError: the video cannot be read.
            OutputError: the drawing cannot be written.
        """
        name = "drawn" if look.crop is None else f"track{look.crop}"
        # Before a video in a bucket is fetched.
        target = self._target(out, f"{name}.mp4", _MOVING, force=force)
        path = None if look.crop is None else self._crop_path(look.crop)
        index, label = self._index, f"Drawing {self._video.name}"
        first, last = (0, len(index)) if path is None else (path.frames[0], path.frames[-1] + 1)
        times_s = index.player_s - (0.0 if path is None else index.player_s[first])
        start_s = index.container_start_s + float(index.player_s[first] - times_s[first])
        with ExitStack() as stack:
            source = stack.enter_context(self._source(progress))
            sound = stack.enter_context(Sound(source, start_s)) if look.audio else None
            if target.exists() and target.samefile(source):
                raise UsageError(f"{target} is the video itself", "Name another file with --out.")
            base = roomy_time_base(_fine(index.time_base), times_s)
            encoding = Encoding(time_base=base, options=_OPTIONS)
            writer = stack.enter_context(VideoWriter(target, encoding, sound))
            frames = decode(source, index, Chunk(int(first), int(last)), reading=self._how)
            for frame, picture in self._pictures(frames, look):
                shown = picture if path is None else path.of(frame.index, picture)
                if shown is not None:
                    writer.write(_even(shown), float(times_s[frame.index]))
                progress(label, (frame.index + 1 - first) / (last - first))
        return target

    def write_still(
        self,
        out: Path,
        frame_index: int,
        look: Look,
        progress: Progress = silent,
        *,
        force: bool = False,
    ) -> Path:
        """Draws one frame into a PNG: `out` is its name, ending in `.png`, or a folder.

        Raises:
            UsageError: the video has no such frame, or `out` does not fit.
            VideoError: the video cannot be read.
            OutputError: the file cannot be written.
        """
        if not 0 <= frame_index < len(self._index):
            last = len(self._index) - 1
            raise UsageError(f"{self._video.name} has frames 0 to {last}, not {frame_index}")
        target = self._target(out, f"frame{frame_index}.png", _STILL, force=force)
        with self._source(progress) as source:
            chunk = Chunk(frame_index, frame_index + 1)
            frames = decode(source, self._index, chunk, reading=self._how)
            picture = next((one for _, one in self._pictures(frames, look)), None)
        if picture is None:
            raise VideoError(
                f"frame {frame_index} of {self._video.name} is damaged",
                "Choose another one: `annotate status` says which frames are damaged.",
            )
        _, png = cv2.imencode(".png", np.ascontiguousarray(picture[:, :, ::-1]))
        with output_file(target, (), force=True) as file:
            file.write(png.tobytes())
        return target

    def _pictures(self, frames: Iterator[Frame], look: Look) -> Iterator[tuple[Frame, Picture]]:
        """Each frame with what is drawn into it."""
        selected = selected_frames(self._index, self._job.recipe.selection)
        known = np.zeros(len(self._index), np.bool_)
        known[selected] = True
        known[missing_frames(self._store, self._job, self._video)] = False
        people = FramePeople(final_tracks(self._store, self._job, self._video))
        trails = Trails(look.trail) if look.trail else None
        for frame in frames:
            present = people.at(frame.index)
            rgb = np.ascontiguousarray(frame.rgb)
            if trails:
                trails.forget(float(self._index.time_s[frame.index]))
            if look.blur_faces and not known[frame.index]:
                rgb = blur_all(rgb)
            yield frame, drawn_people(rgb, present, self._skeleton, look, trails)

    def _crop_path(self, track: int) -> CropPath:
        blocks = final_tracks(self._store, self._job, self._video)
        rows = [block.take(block.track_id == track) for block in blocks]
        if not sum(map(len, rows)):
            raise UsageError(
                f"{self._video.name} has no track {track}",
                "A drawing without --crop shows the ids.",
            )
        found = Tracks.concat(rows)
        return crop_path(found.frame_index, found.bbox, (self._index.width, self._index.height))

    def _source(self, progress: Progress) -> AbstractContextManager[Path]:
        def fetching(done: int, total: int) -> None:
            progress(f"Reading {self._video.name}", done / max(total, 1))

        return local_source(self._store, self._settings, self._video, self._index, fetching)

    def _target(self, out: Path, ending: str, endings: Collection[str], *, force: bool) -> Path:
        """The file to write: `out`, or one in that folder whose name only drawings have."""
        if not names_file(out):
            target = out / f"{self._stem}.{ending}"
            make_folder(target.parent)
            check_target(target, (), force=True)
            return target
        if out.suffix.lower() not in endings:
            raise UsageError(
                f"a drawing cannot be written as {out.suffix}",
                f"Name a file that ends in {' or '.join(endings)}, or a folder.",
            )
        check_target(out, (), force=force)
        return out


def names_file(out: Path) -> bool:
    """Whether that is the name of a picture or a video, rather than of a folder."""
    return out.suffix.lower() in _FILES and not is_folder(out)


class FramePeople:
    """The people of each frame, from blocks in the order of frames: one block is in memory."""

    def __init__(self, blocks: Iterator[Tracks]) -> None:
        self._blocks = blocks
        self._block = next(blocks, None)

    def at(self, frame: int) -> Tracks | None:
        """The rows of a frame, None where it shows no person; call it with rising frames."""
        while self._block is not None and (
            not len(self._block) or self._block.frame_index[-1] < frame
        ):
            self._block = next(self._blocks, None)
        if self._block is None:
            return None
        start, stop = np.searchsorted(self._block.frame_index, [frame, frame + 1])
        return self._block.take(np.arange(start, stop)) if stop > start else None


def drawn_people(
    rgb: Picture, people: Tracks | None, skeleton: Skeleton, look: Look, trails: Trails | None
) -> Picture:
    """A picture with the people of its frame; `trails` go on from frame to frame."""
    if people is None:
        return trails.drawn(rgb) if trails else rgb
    keypoints = coco_keypoints(people.smoothed, skeleton)
    tracks = people.track_id.tolist()
    if look.blur_faces:
        rgb = blur_faces(rgb, keypoints[:, :, :2])
    if trails:
        trails.add(float(people.time_s[0]), tracks, keypoints[:, :, :2])
        rgb = trails.drawn(rgb)
    labels = [
        str(track) if filled else f"{track}: {score:.0%}"
        for track, score, filled in zip(tracks, people.score, people.filled, strict=True)
    ]
    return draw_poses(
        rgb,
        keypoints[:, :, :2],
        keypoints[:, :, 2],
        tracks,
        labels=labels,
        filled=people.filled,
        limbs="track",
    )


def _fine(time_base: Fraction) -> Fraction:
    """A time base in which times in the given one, and shifts of 0.1 ms, can be said."""
    return time_base / max(1, math.ceil(time_base * _FINE))


def _even(picture: Picture) -> Picture:
    """The picture with even sides, as H.264 wants them: the last row or column is repeated."""
    height, width = picture.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return picture
    grown = cv2.copyMakeBorder(picture, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    return np.asarray(grown, np.uint8)
