"""People from frame to frame: those who are seen, and for a while those who are hidden.

Where people pass each other, the landmark model often shows the one in front where either is
looked for. How they move, and their clothes, tell whose body it is. The other is hidden, and is
looked for where he must be if he goes on as before, until he is there again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotate.domain.arrays import FloatArray
from annotate.numeric.similarity import appearance_distance
from annotate.pipeline.detector_stage import Candidate
from annotate.pipeline.landmark_stage import Inspection, Look, Sighting

# For so long is somebody looked for whom the frames do not show, who was seen for so long before.
HIDDEN_S = 1.5
LEAST_SEEN_S = 0.2
# So much of his way tells where he goes; the end of it not where he is, for before it is clear that
# somebody hides him, his poses are drawn to that one.
WAY_S = 1.0
DRAWN_S = 0.1
# Colours of so many poses tell what he wears.
WORN_POSES = 25
LEAST_WORN = 3
# Who is found again is no farther from where he is expected, in sides of the ROI, and his clothes
# differ by no more steps of colour.
NEAR = 0.15
SAME_APPEARANCE = 15.0
# Of several looks that show one body, the one counts in which it is where it was expected, in the
# same clothes; somebody new where it is not.
NEW_TRUST = 0.4


@dataclass(frozen=True, eq=False)
class Person:
    """Somebody who is followed.

    Attributes:
        sighting: the last one.
        roi: (4,) float32 to which it leads.
        way: (n, 3) float64: time in seconds, x and y of the ROI's centre, where he was seen.
        worn: (m, 6) float32: colours of his clothes there.
    """

    sighting: Sighting
    roi: FloatArray
    way: NDArray[np.float64]
    worn: FloatArray

    @classmethod
    def met(cls, sighting: Sighting, roi: FloatArray, time_s: float) -> "Person":
        """Somebody new."""
        return cls(sighting, roi, _place(time_s, roi), sighting.appearance[None])

    def seen(self, sighting: Sighting, roi: FloatArray, time_s: float) -> "Person":
        """The same person later."""
        recent = self.way[self.way[:, 0] >= time_s - WAY_S]
        way = np.concatenate([recent, _place(time_s, roi)])
        worn = np.concatenate([self.worn[1 - WORN_POSES :], sighting.appearance[None]])
        return Person(sighting, roi, way, worn)

    def may_be_back(self, time_s: float) -> bool:
        """Whether it is worth while to look for him."""
        first_s, last_s = self.way[0, 0], self.way[-1, 0]
        return bool(last_s - first_s >= LEAST_SEEN_S and time_s - last_s <= HIDDEN_S)

    def expected(self, time_s: float) -> FloatArray:
        """(4,) the ROI in which he must be if he goes on as before."""
        way = self.way
        since_s, *place = way[way[:, 0] <= max(way[-1, 0] - DRAWN_S, way[0, 0])][-1]
        half = max(len(way) // 2, 1)
        steps = way[half:] - way[:-half]
        speed = np.median(steps[:, 1:] / steps[:, :1], axis=0) if len(steps) else np.zeros(2)
        roi = self.roi.copy()
        roi[:2] = place + speed * (time_s - since_s)
        return roi

    def off(self, roi: FloatArray, time_s: float) -> float:
        """How far an ROI (4,) is from where he is expected, in sides of the ROI."""
        expected = self.expected(time_s)
        return float(np.linalg.norm(roi[:2] - expected[:2]) / expected[2])

    def unlike(self, appearance: FloatArray) -> float:
        """How far the colours (6,) are from the person's own, in steps of colour."""
        if len(self.worn) < LEAST_WORN:
            return 0.0
        return float(appearance_distance(np.median(self.worn, axis=0), appearance))


def _place(time_s: float, roi: FloatArray) -> NDArray[np.float64]:
    return np.array([[time_s, roi[0], roi[1]]], np.float64)


class Following:
    """The people of consecutive frames."""

    def __init__(self, inspect: Inspection) -> None:
        self._inspect = inspect
        self._seen: list[Person] = []
        self._hidden: list[Person] = []

    def known(self) -> list[Candidate]:
        """Where those are looked for who were seen in the frame before."""
        return [Candidate(person.sighting.detection_score, person.roi) for person in self._seen]

    def step(
        self, rgb: NDArray[np.uint8], time_s: float, found: Sequence[Candidate]
    ) -> list[Sighting]:
        """Everyone in the next picture (H, W, 3) uint8, each once.

        Args:
            found: whom the detector finds in it beside those known.
        """
        before = self._seen
        looks = [Look(rgb, candidate) for candidate in self.known()]
        looks += [Look(rgb, candidate, fresh=True) for candidate in found]
        people = [*before, *(None for _ in found)]
        seen = zip(self._inspect.seen(looks), people, strict=True)
        there = self._each_once([(one, person) for one, person in seen if one], time_s)
        stayed = [person for _, person in there if person]
        self._hidden += [person for person in before if person not in stayed]
        self._hidden = [person for person in self._hidden if person.may_be_back(time_s)]
        self._seen = [self._person(one, person, time_s) for one, person in there]
        self._look_for_hidden(rgb, time_s)
        return [person.sighting for person in self._seen]

    def _each_once(
        self, there: list[tuple[Sighting, Person | None]], time_s: float
    ) -> list[tuple[Sighting, Person | None]]:
        """Of the sightings, with whom each was looked for, those that are his, in descending order
        of detection score.
        """
        there = sorted(there, key=lambda pair: -pair[0].detection_score)
        sightings = [one for one, _ in there]
        if len(self._inspect.distinct(sightings)) == len(there):
            return there
        trust = [self._trust(one, person, time_s) for one, person in there]
        return [there[row] for row in self._inspect.distinct(sightings, trust)]

    def _trust(self, one: Sighting, person: Person | None, time_s: float) -> float:
        """In [0, 1]: of several sightings of one body, the one with the most stands."""
        if person is None:
            return NEW_TRUST
        off = person.off(self._inspect.next_roi(one), time_s)
        return float(np.exp(-off / NEAR - person.unlike(one.appearance) / SAME_APPEARANCE))

    def _person(self, one: Sighting, person: Person | None, time_s: float) -> Person:
        """Whom a sighting shows: `person`, if it is he who was looked for; or somebody hidden whom
        the detector has found again; or somebody new.
        """
        roi = self._inspect.next_roi(one)
        if person:
            return person.seen(one, roi, time_s)
        for hidden in self._hidden:
            if _is_he(hidden, one, roi, time_s):
                self._hidden.remove(hidden)
                return hidden.seen(one, roi, time_s)
        return Person.met(one, roi, time_s)

    def _look_for_hidden(self, rgb: NDArray[np.uint8], time_s: float) -> None:
        height, width = rgb.shape[:2]
        for person in [*self._hidden]:
            roi = person.expected(time_s)
            if not (0 <= roi[0] < width and 0 <= roi[1] < height):
                continue
            candidate = Candidate(person.sighting.detection_score, roi)
            (one,) = self._inspect.seen([Look(rgb, candidate)])
            if one is None:
                continue
            next_roi = self._inspect.next_roi(one)
            others = [other.sighting for other in self._seen]
            is_new = len(self._inspect.distinct([*others, one])) > len(others)
            if is_new and _is_he(person, one, next_roi, time_s):
                self._hidden.remove(person)
                self._seen.append(person.seen(one, next_roi, time_s))


def _is_he(person: Person, one: Sighting, roi: FloatArray, time_s: float) -> bool:
    """Whether a sighting that leads to `roi` shows somebody who was hidden."""
    return person.off(roi, time_s) < NEAR and person.unlike(one.appearance) < SAME_APPEARANCE
