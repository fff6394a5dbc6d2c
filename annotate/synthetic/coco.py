"""The truth of a scene as a COCO annotation file."""

from typing import Any

import numpy as np

from annotate.formats.coco_common import PERSON, PERSON_CATEGORY
from annotate.formats.names import image_name, video_folders
from annotate.synthetic.truth import VISIBLE, SceneTruth

_VIDEO = 1


def truth_to_coco(truth: SceneTruth, video: str) -> dict[str, Any]:
    """An annotation file for one video, named and numbered as `annotate export` does it.

    The track id of a person is the position in the scene, from 1. A person without a visible
    keypoint is a box without keypoints, which COCO's evaluation ignores; a person outside the
    picture has no annotation. `area` is that of the silhouette, hidden parts
    included, so that the tolerance of OKS does not shrink with what hides a person.

    Args:
        video: name of the video in the dataset.
    """
    frames, people = np.nonzero(truth.area)
    annotations = [
        {"id": number, **_annotation(truth, frame, person)}
        for number, (frame, person) in enumerate(
            zip(frames.tolist(), people.tolist(), strict=True), start=1
        )
    ]
    (folder,) = video_folders([video])
    size = {"width": truth.width, "height": truth.height}
    return {
        "info": {"description": "Truth of a made scene", "version": "1.0"},
        "licenses": [],
        "videos": [{"id": _VIDEO, "name": video, **size}],
        "categories": [PERSON_CATEGORY],
        "images": [
            {
                "id": frame + 1,
                "file_name": image_name(folder, frame),
                **size,
                "video_id": _VIDEO,
                "frame_id": frame,
                "time_s": time_s,
            }
            for frame, time_s in enumerate(np.round(truth.time_s, 6).tolist())
        ],
        "annotations": annotations,
    }


def _annotation(truth: SceneTruth, frame: int, person: int) -> dict[str, Any]:
    v = truth.visible[frame, person]
    if not (v == VISIBLE).any():
        v = np.zeros_like(v)
    xy = np.where(v[:, None] > 0, truth.keypoints[frame, person], 0)
    rounded = np.round(xy.astype(np.float64), 2).tolist()
    area, visible_area = (int(a[frame, person]) for a in (truth.area, truth.visible_area))
    track = person + 1
    return {
        "image_id": frame + 1,
        "category_id": PERSON,
        "keypoints": [
            n for (x, y), flag in zip(rounded, v.tolist(), strict=True) for n in (x, y, flag)
        ],
        "num_keypoints": int((v > 0).sum()),
        "bbox": truth.bbox[frame, person].tolist(),
        "area": area,
        "visible_share": round(visible_area / area, 4),
        "iscrowd": 0,
        "segmentation": [],
        "track_id": track,
        "attributes": {"track_id": track, "keyframe": True},
    }
