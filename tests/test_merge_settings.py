"""All that changes the merge's answer is in its digest, and so in a job."""

import ast
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import annotate.merge
from annotate.domain import merge_settings
from annotate.domain.job import Job, JobVideo, Recipe
from annotate.domain.merge_settings import MergeSettings
from tests.made_poses import FINGERPRINT

SETTINGS = MergeSettings()
# Module-level numbers of the merge that are places of COCO's keypoints and columns, or a mark.
NOT_THRESHOLDS = {
    "left_right.(_FACE, _LEFT_SHOULDER, _RIGHT_SHOULDER)",
    "left_right.(_NOSE, _EARS)",
    "left_right._OWN",
    "link_cost._BONES",
    "occlusion.(_SHOULDERS, _HIPS)",
    "pose_table.NONE",
    "pose_table._HIPS",
    "smoothing.(_XY, _VISIBILITY)",
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


def test_the_area_of_a_body_in_its_box_is_in_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    before = SETTINGS.digest
    monkeypatch.setattr(merge_settings, "AREA_OF_BOX", 0.5)
    assert SETTINGS.digest != before


def modules() -> list[Path]:
    return sorted(Path(annotate.merge.__path__[0]).rglob("*.py"))


def is_number(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
    )


def test_no_threshold_of_the_merge_is_outside_of_its_settings() -> None:
    found = {
        f"{file.stem}.{ast.unparse(node.targets[0])}"
        for file in modules()
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and any(is_number(part) for part in ast.walk(node.value))
    }
    assert found == NOT_THRESHOLDS, "move it to MergeSettings"


def test_no_function_of_the_merge_holds_a_tuned_number() -> None:
    found = {
        (file.name, node.value)
        for file in modules()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, float)
        and node.value not in NOT_TUNED
    }
    assert not found, "move it to MergeSettings"


def test_tracks_of_other_merge_settings_are_filed_apart() -> None:
    video = JobVideo("a.mp4", FINGERPRINT, "share", "a.mp4")
    job = Job("20260102-030405-abcdef", Recipe("p", "00" * 32), 6.0, (video,))
    assert job.merge == SETTINGS.digest
    others = [replace(job, merge=changed(SETTINGS, ("link", "place")).digest)]
    others.append(replace(job, smooth_hz=None))
    assert len({one.merge_digest for one in [job, *others]}) == 3
