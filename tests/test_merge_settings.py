"""All that changes the merge's answer is in its digest, and so in a job."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

import annotate.merge.merge
from annotate.domain import skeleton
from annotate.domain.job import Job, JobVideo, Recipe
from annotate.domain.merge_settings import MergeSettings
from tests.made_poses import FINGERPRINT
from tests.module_numbers import inner_floats, module_numbers

SETTINGS = MergeSettings()
# Module-level numbers of the merge that are places of COCO's keypoints, columns
# and their shapes, or a mark.
NOT_THRESHOLDS = {
    "left_right.(_FACE, _LEFT_SHOULDER, _RIGHT_SHOULDER)",
    "left_right.(_NOSE, _EARS)",
    "left_right._OWN",
    "link_cost._BONES",
    "occlusion.(_SHOULDERS, _HIPS)",
    "pose_table.NONE",
    "pose_table._COLUMNS",
    "pose_table._HIPS",
    "slides._TRUNK",
    "smoothing.(_XY, _VISIBILITY, _CONFIDENCES)",
    "smoothing.COLUMNS",
}
# Floats in functions: the ends of a range, a middle, and guards against division by zero.
NOT_TUNED = {0.0, 1.0, 1e-6, 1e-9}


def names(settings: Any = SETTINGS) -> Iterator[tuple[str, ...]]:
    """The path to each value of the settings."""
    for field in fields(settings):
        value = getattr(settings, field.name)
        inner = names(value) if is_dataclass(value) else [()]
        yield from ((field.name, *rest) for rest in inner)


def changed(settings: Any, path: tuple[str, ...]) -> Any:
    """The settings with another value at the end of the path."""
    first, *rest = path
    value = getattr(settings, first)
    other = changed(value, tuple(rest)) if rest else value + 1
    return replace(settings, **{first: other})


@pytest.mark.parametrize("path", list(names()), ids=".".join)
def test_another_threshold_is_another_digest(path: tuple[str, ...]) -> None:
    assert changed(SETTINGS, path).digest != SETTINGS.digest


def test_the_constants_of_oks_are_in_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    digests = {SETTINGS.digest}
    monkeypatch.setattr(skeleton, "AREA_OF_BOX", 0.5)
    digests.add(SETTINGS.digest)
    monkeypatch.setattr(skeleton, "COCO_SIGMAS", 2 * skeleton.COCO_SIGMAS)
    digests.add(SETTINGS.digest)
    assert len(digests) == 3


def test_no_threshold_of_the_merge_is_outside_of_its_settings() -> None:
    assert module_numbers(annotate.merge) == NOT_THRESHOLDS, "move it to MergeSettings"


def test_no_function_of_the_merge_holds_a_tuned_number() -> None:
    assert inner_floats(annotate.merge) <= NOT_TUNED, "move it to MergeSettings"


def test_tracks_of_other_merge_settings_are_filed_apart() -> None:
    video = JobVideo("a.mp4", FINGERPRINT, "share", "a.mp4")
    job = Job("20260102-030405-abcdef", Recipe("p", "00" * 32), 6.0, (video,))
    assert job.merge == SETTINGS.digest
    others = [replace(job, merge=changed(SETTINGS, ("link", "place")).digest)]
    others.append(replace(job, smooth_hz=None))
    assert len({one.merge_digest for one in [job, *others]}) == 3
