"""What the packs of the catalogue find and cost: the figures that packs are compared by.

They are those of docs/accuracy.md, made by `python -m tests.benchmarks.real_people`. Nothing heavy
is imported here: `annotate submit` reads them at every start.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Measured:
    """What a pack finds on 28 COCO images with 86 labelled people, and what that costs.

    Attributes:
        ap: COCO's AP of keypoints.
        recall: share of the labelled people that are found at OKS 0.5.
        person_ms: time of one core for the landmark model on one person.
    """

    ap: float
    recall: float
    person_ms: float


# By the pack's name, with `--people all` and person boxes by YOLOX-nano.
MEASURED: Mapping[str, Measured] = MappingProxyType(
    {
        "movenet-thunder": Measured(0.424, 0.640, 28.0),
        "movenet-thunder-narrow": Measured(0.420, 0.616, 21.5),
        "movenet-lightning": Measured(0.335, 0.558, 7.3),
        "blazepose-heavy": Measured(0.203, 0.430, 42.2),
        "blazepose-full": Measured(0.182, 0.326, 9.7),
        "blazepose-lite": Measured(0.159, 0.326, 5.5),
    }
)
