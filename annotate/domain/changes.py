"""Changes: what an edit of a reviewer does to the tracks of a video.

A change names frames by their index in the video, and a track by its id and by one of its poses,
so that it finds the same person after a merge that numbers tracks differently.
"""

import math
import types
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum, auto
from typing import ClassVar


@dataclass(frozen=True)
class TrackRef:
    """A track, and where one of its poses lies.

    Attributes:
        track: its id when the edit was made.
        frame, pts: index and time stamp of a frame in which the track has a pose.
        box: x, y, width, height of that pose in pixels.
    """

    track: int
    frame: int
    pts: int
    box: tuple[float, float, float, float]


class Part(StrEnum):
    """What of a track, or of all, a change touches."""

    POSES = auto()
    NAMES = auto()
    REVIEWED = auto()


@dataclass(frozen=True)
class Span:
    """Parts of some tracks in the frames `[start, stop)`; of all tracks if None."""

    tracks: frozenset[int] | None
    start: float
    stop: float
    parts: frozenset[Part] = frozenset({Part.POSES})

    def meets(self, other: "Span") -> bool:
        """Whether both have the same part of a track in a frame."""
        apart = self.stop <= other.start or other.stop <= self.start
        either = self.tracks is None or other.tracks is None
        tracks = either or bool((self.tracks or set()) & (other.tracks or set()))
        return not apart and tracks and bool(self.parts & other.parts)


# Of a change of who is who: a name may be of another person then.
_WHO = frozenset({Part.POSES, Part.NAMES})


@dataclass(frozen=True)
class Change:
    """What an edit does; `kind` names the class in files."""

    kind: ClassVar[str] = ""

    @property
    def refs(self) -> tuple[TrackRef, ...]:
        """The tracks that it refers to."""
        values = (getattr(self, one.name) for one in fields(self))
        return tuple(value for value in values if isinstance(value, TrackRef))

    @property
    def new_track(self) -> int | None:
        """The id of the track that it makes, if it makes one."""
        return None

    @property
    def span(self) -> Span:
        """What it touches; by default all frames of its tracks."""
        return Span(self._tracks, 0, math.inf, _WHO)

    @property
    def seen(self) -> Span:
        """What its author must have seen as it is: what it touches, by default."""
        return self.span

    @property
    def _tracks(self) -> frozenset[int]:
        made = [] if self.new_track is None else [self.new_track]
        return frozenset([ref.track for ref in self.refs] + made)


@dataclass(frozen=True)
class NameTrack(Change):
    """Gives a track a name; an empty one removes it."""

    kind: ClassVar[str] = "name"
    track: TrackRef
    name: str

    @property
    def span(self) -> Span:
        """The name: no pose changes."""
        return Span(self._tracks, 0, math.inf, frozenset({Part.NAMES}))


@dataclass(frozen=True)
class MergeTracks(Change):
    """The poses of `other` become poses of `track`, which keeps its own where both have one."""

    kind: ClassVar[str] = "merge"
    track: TrackRef
    other: TrackRef


@dataclass(frozen=True)
class SplitTrack(Change):
    """The poses of a track from `frame` on become a track with the id `made`."""

    kind: ClassVar[str] = "split"
    track: TrackRef
    frame: int
    made: int

    @property
    def new_track(self) -> int:
        """The id of the later part."""
        return self.made


@dataclass(frozen=True)
class SwapTracks(Change):
    """Two tracks exchange their poses from `frame` on."""

    kind: ClassVar[str] = "swap_tracks"
    track: TrackRef
    other: TrackRef
    frame: int

    @property
    def span(self) -> Span:
        """The frames from `frame` on."""
        return Span(self._tracks, self.frame, math.inf, _WHO)


@dataclass(frozen=True)
class DeletePoses(Change):
    """Deletes the poses of a track in the frames `[start, stop)`: one, a range or all."""

    kind: ClassVar[str] = "delete"
    track: TrackRef
    start: int
    stop: int

    @property
    def span(self) -> Span:
        """The range."""
        return Span(self._tracks, self.start, self.stop)


@dataclass(frozen=True)
class AddPoses(Change):
    """Adds poses to a track, in place of those that it has in the same frames.

    Attributes:
        track: that gets them; None where they are a track of their own.
        made: its id then.
        frames: (n,) their frames, increasing.
        scores: (n,) as in `Tracks`.
        landmarks, axes: how many landmarks a pose has, and how many axes its world landmarks.
        data: base64 of the zlib stream of (n, landmarks, 5 + axes) little-endian float32:
            landmarks as in `Tracks`, then world landmarks.
    """

    kind: ClassVar[str] = "add"
    track: TrackRef | None
    made: int | None
    frames: tuple[int, ...]
    scores: tuple[float, ...]
    landmarks: int
    axes: int
    data: str

    @property
    def new_track(self) -> int | None:
        """The id of the track of their own."""
        return self.made

    @property
    def span(self) -> Span:
        """From their first frame to their last."""
        return Span(self._tracks, min(self.frames, default=0), max(self.frames, default=0) + 1)


@dataclass(frozen=True)
class MoveKeypoint(Change):
    """Moves a keypoint of the pose in the frame of `track`, where it then counts as visible.

    Attributes:
        track: the pose.
        keypoint: name of the landmark.
        x, y: where it is, in pixels.
        was_x, was_y: where it was.
        between: also move it in the frames between this and the nearest frames of the track in
            which it was moved, by amounts that change evenly from one to the other.
    """

    kind: ClassVar[str] = "move"
    track: TrackRef
    keypoint: str
    x: float
    y: float
    was_x: float
    was_y: float
    between: bool = False

    @property
    def span(self) -> Span:
        """The frame of the pose."""
        return Span(self._tracks, self.track.frame, self.track.frame + 1)


@dataclass(frozen=True)
class HideKeypoint(Change):
    """Marks a keypoint of the pose in the frame of `track` as hidden, or as visible."""

    kind: ClassVar[str] = "hide"
    track: TrackRef
    keypoint: str
    hidden: bool = True

    @property
    def span(self) -> Span:
        """The frame of the pose."""
        return Span(self._tracks, self.track.frame, self.track.frame + 1)


@dataclass(frozen=True)
class SwapSides(Change):
    """Exchanges left and right of a track in the frames `[start, stop)`; None: to its end."""

    kind: ClassVar[str] = "swap_sides"
    track: TrackRef
    start: int
    stop: int | None = None

    @property
    def span(self) -> Span:
        """The range."""
        return Span(self._tracks, self.start, math.inf if self.stop is None else self.stop)


@dataclass(frozen=True)
class MarkReviewed(Change):
    """Marks the frames `[start, stop)` as reviewed: their people are all there and right."""

    kind: ClassVar[str] = "review"
    start: int
    stop: int
    reviewed: bool = True

    @property
    def span(self) -> Span:
        """The marks: no pose changes."""
        return Span(None, self.start, self.stop, frozenset({Part.REVIEWED}))

    @property
    def seen(self) -> Span:
        """The marks; and all people, who are right only as the reviewer saw them."""
        parts = {Part.REVIEWED, Part.POSES} if self.reviewed else {Part.REVIEWED}
        return replace(self.span, parts=frozenset(parts))


@dataclass(frozen=True)
class Undo(Change):
    """Takes an earlier edit back, as if it had not been made; that may be an `Undo` too."""

    kind: ClassVar[str] = "undo"
    edit: int

    @property
    def span(self) -> Span:
        """What it touches is what the other edit touches."""
        return Span(frozenset(), 0, 0)


CHANGES: Mapping[str, type[Change]] = types.MappingProxyType(
    {
        one.kind: one
        for one in (
            NameTrack,
            MergeTracks,
            SplitTrack,
            SwapTracks,
            DeletePoses,
            AddPoses,
            MoveKeypoint,
            HideKeypoint,
            SwapSides,
            MarkReviewed,
            Undo,
        )
    }
)
