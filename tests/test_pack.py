"""What `pack.json` says, and what becomes of one that is old or wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from annotate.domain.errors import PackError
from annotate.domain.pack import Pack, read_pack
from annotate.domain.roi_rules import RoiFromPoints

OLD_DETECTOR = {
    "anchor_offset": 0.5,
    "box_scale": 128.0,
    "boxes": ["box_1", "box_2"],
    "channels": "RGB",
    "file": "detector.onnx",
    "input": "image",
    "layout": "NCHW",
    "min_score": 0.75,
    "nms": "hard",
    "nms_iou": 0.3,
    "quantized": {"image": {"dtype": "uint8", "scale": 0.5, "zero_point": 3}},
    "roi_centre": 2,
    "roi_scale": 1.5,
    "roi_tip": 3,
    "score_clip": 100.0,
    "scores": ["score"],
    "sha256": "ab",
    "size": 128,
    "strides": [8, 16],
    "value_range": [0.0, 1.0],
}
OLD_LANDMARK = {
    "auxiliary": [33, 34],
    "border": "zero",
    "channels": "RGB",
    "columns": ["x", "y", "z"],
    "confidence_scale": 2.0,
    "count": 33,
    "file": "landmark.onnx",
    "flag": "flag",
    "heatmap": None,
    "heatmap_min": 0.0,
    "heatmap_window": 0,
    "input": "image",
    "landmarks": "landmarks",
    "landmarks_scale": 1.0,
    "layout": "NHWC",
    "logits": True,
    "min_flag": 0.4,
    "quantized": {},
    "sha256": "cd",
    "size": 256,
    "value_range": [0.0, 1.0],
}


def old_text(**landmark: Any) -> str:
    """`pack.json` as versions before kinds of decoders wrote it."""
    return json.dumps(
        {
            "name": "old",
            "skeleton": "blazepose-33",
            "source": "a test",
            "detector": OLD_DETECTOR,
            "landmark": OLD_LANDMARK | landmark,
        }
    )


def test_a_description_is_read_as_it_was_written(blazepose_pack: Path) -> None:
    pack = read_pack(blazepose_pack)
    assert Pack.from_json(pack.to_json()) == pack


def test_the_form_before_kinds_is_read_as_todays() -> None:
    pack = Pack.from_json(old_text())
    detector, landmark = pack.detector, pack.landmark
    assert (detector.size, landmark.size) == ((128, 128), (256, 256))
    assert detector.outputs == ("box_1", "box_2", "score")
    assert (detector.decoder.kind, landmark.decoder.kind) == ("ssd", "blazepose")
    assert detector.roi == RoiFromPoints(centre=2, tip=3, scale=1.5)
    assert landmark.next_roi == RoiFromPoints(centre=33, tip=34, scale=1.5)
    assert (landmark.min_score, landmark.border, landmark.grey) == (0.4, "constant", 0)
    assert detector.quantized["image"].zero_point == 3
    assert Pack.from_json(old_text(auxiliary=None)).landmark.next_roi is None
    assert Pack.from_json(pack.to_json()) == pack


def test_a_kind_that_this_version_lacks_is_named(blazepose_pack: Path) -> None:
    text = read_pack(blazepose_pack).to_json().replace('"ssd"', '"radar"')
    with pytest.raises(PackError) as raised:
        Pack.from_json(text)
    assert "'radar'" in raised.value.message
    assert "'ssd'" in raised.value.message


@pytest.mark.parametrize("text", ["[]", "{}", "{", old_text(strange=1)])
def test_what_describes_no_pack_is_refused(text: str) -> None:
    with pytest.raises(PackError, match="no description of a model pack"):
        Pack.from_json(text)
