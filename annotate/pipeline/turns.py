"""The regions of a candidate turned by quarter turns, for models that want people upright.

Such a model answers for a person who lies or is upside down with keypoints that it is not sure of.
In one of the four rotations of the crop the person is nearly upright, and it is surer.
"""

import numpy as np

from annotate.numeric.geometry import quarter_turned, quarter_turns
from annotate.pipeline.detector_pass import Candidate

# Other rotations of a crop by quarter turns.
TURNED = 3


def turned_candidates(candidate: Candidate, size: tuple[int, int]) -> list[Candidate]:
    """The candidate in the three other rotations.

    Args:
        size: width and height of the landmark model's input.
    """
    roi, box = candidate.roi, candidate.box
    whole = np.array(size, np.float32) * (roi[2] / max(size))
    # What a tracked person fills of the ROI is not known: all of it is kept.
    edges = whole if box is None else box[2:] - box[:2]
    if box is not None and quarter_turns(roi) % 2:
        edges = edges[::-1]
    return [
        candidate._replace(roi=quarter_turned(roi, edges, size, turns))
        for turns in range(1, TURNED + 1)
    ]
