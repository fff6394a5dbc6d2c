"""What cheaper arithmetic did on frames of a user's videos, and whether it may make results."""

import json
from dataclasses import asdict, dataclass

from annotate.domain.json_text import parsed


@dataclass(frozen=True)
class Trial:
    """A comparison of cheaper arithmetic with float, on one host.

    Attributes:
        faster: time of a run of the landmark model in float, divided by the time in this.
        median_error: of landmarks, as a fraction of the crop's side.
        people: how many people were compared.
        jitter: of landmarks from frame to frame, divided by that in float.
        refused: why it is not used, or empty.
    """

    faster: float
    median_error: float
    people: int
    jitter: float
    refused: str = ""

    @property
    def summary(self) -> str:
        """For people.

        >>> Trial(1.72, 0.0011, 16, 1.02).summary.partition("; ")[2]
        'landmarks move by 0.11% of the crop in the median (16 people)'
        """
        return (
            f"the landmark model is {self.faster:.1f} times as fast; landmarks move by "
            f"{self.median_error:.2%} of the crop in the median ({self.people} people)"
        )

    def to_json(self) -> str:
        """Its text."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Trial":
        """Inverse of `to_json`.

        Raises:
            ValueError, TypeError: the text is damaged, or another version's.
        """
        return cls(**parsed(text))
