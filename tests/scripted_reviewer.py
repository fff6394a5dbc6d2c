"""A reviewer who knows the truth and makes the tracks of a video right with the edits of the page.

The rule is plain and greedy. Again and again the reviewer looks at what an export says now, and
makes the first of these edits that there is a reason for:

1. delete a track that is nobody;
2. where a track goes over to another person: swap the ids of two tracks that change places, or
   split it;
3. merge the tracks of one person;
4. delete a range of a track where its person is not;
5. where a person is missing or wrong in more than a few frames: delete what is wrong there, add the
   person in a box in the middle, and merge what the model followed into the person's track;
6. where a person is missing or wrong in a few frames, or the model did not follow: fill the frames
   from the pose before to the pose after; if the frame in the middle is not right then, look again
   in a box, or in the end drag its keypoints, the worst first, and fill each side from there. Of
   many frames, the middle is dragged at once.

Every request counts as an action, in vain or not.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import IntArray
from annotate.domain.errors import EditError
from annotate.domain.skeleton import COCO_KEYPOINTS
from annotate.evaluate.annotations import GroundTruth
from annotate.evaluate.matching import MIN_OKS
from annotate.numeric.ranges import runs_of
from annotate.numeric.similarity import oks
from annotate.review.session import Session
from tests.compared_tracks import CHANGE_COST, Compared

# So many frames are filled without looking for the person: half a step of a person who walks.
FEW_FRAMES = 15
# More frames are filled only where nothing else does: the straight line between their ends says
# little of them.
MOST_FILLED = 45
# Keypoints are dragged until the OKS is so high.
DRAGGED_OKS = MIN_OKS + 0.05


class ScriptedReviewer:
    """Mends one video of a session.

    Attributes:
        actions: how many requests of each kind were made.
    """

    def __init__(
        self, session: Session, number: int, truth: GroundTruth, look: Callable[[], Compared]
    ) -> None:
        self._session, self._number, self._truth, self._look = session, number, truth, look
        self._opened = session.video(number).tracks
        self._tried: set[tuple[int, str, int, int]] = set()
        self.actions: Counter[str] = Counter()

    def mend(self) -> Compared:
        """Makes edits until all is right or the rule has no more; returns what is there then."""
        rule = (self._nobody, self._changes, self._parts, self._beyond, self._missing)
        now = self._look()
        while now.idf1 < 1 and any(step(now) for step in rule):
            now = self._look()
        return now

    # The rule

    def _nobody(self, now: Compared) -> bool:
        for track in np.flatnonzero(now.found.any(axis=0) & ~now.right.any(axis=(0, 1))):
            return self._delete(now, int(track), 0, len(now.there))
        return False

    def _changes(self, now: Compared) -> bool:
        """The first change of a track from one person to another."""
        found = [
            (frame, track, int(owner[frame - 1]), int(owner[frame]))
            for track, owner in enumerate(map(now.owners, range(len(now.tracks))))
            for frame in (np.flatnonzero(np.diff(owner)) + 1).tolist()
        ]
        if not found:
            return False
        frame, track, before, after = min(found)
        fields = {"track": self._ref(now, track, frame), "frame": frame}
        for at, other, *people in found:
            if at - frame <= CHANGE_COST and people == [after, before]:
                swapped = {**fields, "other": self._ref(now, other, frame)}
                return self._edit("swap ids", "swap_tracks", swapped)
        return self._edit("split", "split", fields)

    def _parts(self, now: Compared) -> bool:
        """Tracks of a person that are not one yet."""
        for person in range(now.there.shape[1]):
            mine = self._tracks_of(now, person)
            if len(mine) > 1:
                return self._merge(now, mine[0], int(now.tracks[mine[1]]))
        return False

    def _beyond(self, now: Compared) -> bool:
        """Poses where their person is not."""
        for person in range(now.there.shape[1]):
            for track in self._tracks_of(now, person):
                false = now.found[:, track] & ~now.there[:, person]
                for start, stop in _joined(false, ~now.there[:, person]):
                    return self._delete(now, track, start, stop)
        return False

    def _missing(self, now: Compared) -> bool:
        """The longest range in which a person lacks a right pose, in a way that was not tried."""
        for person, track, frames in self._lacking(now):
            for name, way in self._ways(now, person, track, frames).items():
                if (person, *name) not in self._tried:
                    self._tried.add((person, *name))
                    if way():
                        return True
        return False

    def _ways(
        self, now: Compared, person: int, track: int | None, frames: IntArray
    ) -> dict[tuple[str, int, int], Callable[[], bool]]:
        """What may help in frames in which a person lacks a right pose, in the order of trying."""
        first, frame, last = int(frames[0]), int(frames[len(frames) // 2]), int(frames[-1])
        ways: dict[tuple[str, int, int], Callable[[], bool]] = {}
        if track is None or len(frames) > FEW_FRAMES:
            add = partial(self._add, now, person, track, frame, (first, last + 1))
            ways["add", frame, frame] = add
        if track is None:
            return ways
        fill = partial(self._fill, now, person, track, frames)
        if len(frames) <= MOST_FILLED:
            ways["fill", first, last] = fill
        ways["look", frame, frame] = partial(self._look_again, now, person, track, frame)
        if self._has_poses(now, track, frame, frame + 1):
            ways["drag", frame, frame] = partial(self._drag, now, person, track, frame)
        ways["fill", first, last] = fill
        return ways

    def _lacking(self, now: Compared) -> list[tuple[int, int | None, IntArray]]:
        """People, their tracks, and the frames of ranges in which they lack a right pose; the
        longest range first.
        """
        found = []
        for person in range(now.there.shape[1]):
            mine = self._tracks_of(now, person)
            track = mine[0] if mine else None
            lacking = now.lacking(person, track)
            for start, stop in _joined(lacking, ~now.there[:, person]):
                found.append((person, track, np.flatnonzero(lacking[start:stop]) + start))
        return sorted(found, key=lambda one: -len(one[2]))

    def _tracks_of(self, now: Compared, person: int) -> list[int]:
        """Places of the tracks that are a person, the one with most right poses first."""
        right = now.right[:, person].sum(axis=0)
        mine = [
            track
            for track in np.flatnonzero(right).tolist()
            if now.owners(track)[now.found[:, track]][0] == person
        ]
        return sorted(mine, key=lambda track: -int(right[track]))

    # The edits, as the page asks for them

    def _delete(self, now: Compared, track: int, start: int, stop: int) -> bool:
        fields = {"track": self._ref(now, track, start), "start": start, "stop": stop}
        return self._edit("delete", "delete", fields)

    def _merge(self, now: Compared, kept: int, other: int) -> bool:
        fields = {"track": self._ref(now, kept, 0), "other": {"track": other, "frame": 0}}
        return self._edit("merge", "merge", fields)

    def _add(
        self, now: Compared, person: int, track: int | None, frame: int, within: tuple[int, int]
    ) -> bool:
        if track is not None and self._has_poses(now, track, *within):
            self._delete(now, track, *within)
        made = self._find("add a person", {"frame": frame, "corners": self._box(person, frame)})
        if made is not None and track is not None:
            self._merge(now, track, made)
        return True

    def _fill(self, now: Compared, person: int, track: int, frames: IntArray) -> bool:
        """Fills frames; many of them again on each side of the middle, once that is right."""
        self.actions["fill"] += 1
        fields: dict[str, object] = {"track": int(now.tracks[track])}
        fields |= {"start": int(frames[0]), "stop": int(frames[-1]) + 1}
        try:
            self._session.fill(self._number, fields, self._opened.view().last)
        except EditError:
            return False
        if len(frames) > FEW_FRAMES:
            middle = len(frames) // 2
            self._drag(now, person, track, int(frames[middle]))
            self._fill(now, person, track, frames[:middle])
            self._fill(now, person, track, frames[middle + 1 :])
        return True

    def _look_again(self, now: Compared, person: int, track: int, frame: int) -> bool:
        where = {"frame": frame, "corners": self._box(person, frame), "alone": True}
        self._find("look again", {**where, "track": int(now.tracks[track])})
        return True

    def _drag(self, now: Compared, person: int, track: int, frame: int) -> bool:
        """Drags keypoints, the worst first, until the pose is right; False without a pose."""
        poses = self._opened.poses(frame, frame + 1)
        poses = poses.take(poses.track_id == now.tracks[track])
        if not len(poses):
            return False
        names = self._opened.basis.skeleton.landmarks
        at = poses.smoothed[0, [names.index(name) for name in COCO_KEYPOINTS], :2]
        row = self._row(person, frame)
        people, done = self._truth.people, at.copy()
        known, labelled = people.keypoints[row].astype(np.float32), people.labelled[row]
        far = np.where(labelled, np.linalg.norm(known - at, axis=1), 0)
        for place in np.argsort(-far).tolist():
            alike = oks(
                known[None], done[None], labelled[None],
                people.area[row : row + 1].astype(np.float32), self._truth.sigmas,
            )  # fmt: skip
            if alike[0, 0] >= DRAGGED_OKS or not far[place]:
                break
            (x, y), (was_x, was_y) = known[place].tolist(), at[place].tolist()
            fields = {
                "track": self._ref(now, track, frame),
                "keypoint": COCO_KEYPOINTS[place],
                "x": x,
                "y": y,
                "was_x": was_x,
                "was_y": was_y,
                "between": False,
            }
            self._edit("drag a keypoint", "move", fields)
            done[place] = known[place]
        return True

    def _edit(self, action: str, kind: str, fields: Mapping[str, object]) -> bool:
        self.actions[action] += 1
        self._session.add(self._number, kind, fields, self._opened.view().last)
        return True

    def _find(self, action: str, where: dict[str, object]) -> int | None:
        """Lets the model find a person; the id of a new track, if there is one."""
        self.actions[action] += 1
        try:
            last = self._opened.view().last
            return self._session.add_person(self._number, where, last).change.new_track
        except EditError:
            return None

    # What the reviewer knows

    def _ref(self, now: Compared, track: int, frame: int) -> dict[str, int]:
        return {"track": int(now.tracks[track]), "frame": frame}

    def _has_poses(self, now: Compared, track: int, start: int, stop: int) -> bool:
        outline = self._opened.view().tracks.outline
        frame = outline.frame_index[outline.track_id == now.tracks[track]]
        return bool(((frame >= start) & (frame < stop)).any())

    def _row(self, person: int, frame: int) -> int:
        people = self._truth.people
        track = np.unique(people.track)[person]
        return int(np.flatnonzero((people.image == frame) & (people.track == track))[0])

    def _box(self, person: int, frame: int) -> list[list[float]]:
        """The corners of the box that a reviewer draws around a person."""
        x, y, width, height = self._truth.people.bbox[self._row(person, frame)].tolist()
        return [[x, y], [x + width, y + height]]


def _joined(flags: NDArray[np.bool_], between: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Ranges [start, stop) that begin and end with a flag and have only `between` otherwise."""
    ranges = []
    for start, stop in runs_of(flags | between):
        places = np.flatnonzero(flags[start:stop])
        if len(places):
            ranges.append((start + int(places[0]), start + int(places[-1]) + 1))
    return ranges
