"""All that changes the pipeline's answer is in its digest, and so in a job's recipe."""

import ast
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

import annotate.pipeline
from annotate.domain.job import Recipe
from annotate.domain.pipeline_settings import PipelineSettings

SETTINGS = PipelineSettings()
# Numbers in the pipeline's modules that do not change its answer, or belong to a file format or a
# library, or only judge models.
NOT_THRESHOLDS = {
    "appearance.COLOURS",
    "appearance._CORNERS",
    "batching.BATCH",
    "crops._BITS",
    "crops._LIMIT",
    "fidelity.MIN_FIDELITY_DB",
    "fidelity.MAX_LOST",
    "fidelity.MAX_MEDIAN_ERROR",
    "prefetch.DEPTH",
    "roi_rules._VISIBILITY",
}


@pytest.mark.parametrize("name", [field.name for field in fields(SETTINGS)])
def test_another_threshold_is_another_digest(name: str) -> None:
    value = getattr(SETTINGS, name)
    other: Any = (*value, 0.5) if isinstance(value, tuple) else value + 1
    assert replace(SETTINGS, **{name: other}).digest != SETTINGS.digest


def test_no_threshold_of_the_pipeline_is_outside_of_its_settings() -> None:
    found = set()
    for file in Path(annotate.pipeline.__path__[0]).rglob("*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and any(
                isinstance(part, ast.Constant) and isinstance(part.value, int | float)
                for part in ast.walk(node.value)
            ):
                found |= {f"{file.stem}.{ast.unparse(target)}" for target in node.targets}
    assert found == NOT_THRESHOLDS


def test_the_settings_of_a_job_are_part_of_its_recipe_and_the_packs_name_is_not() -> None:
    recipes = [
        Recipe("blazepose-full", "ab"),
        Recipe("blazepose-full", "ab", people="all"),
        Recipe("blazepose-full", "ab", detect_every=5),
        Recipe("blazepose-full", "cd"),
        Recipe("blazepose-full", "ab", pipeline=replace(SETTINGS, part_size=0.3).digest),
    ]
    assert len({recipe.digest for recipe in recipes}) == len(recipes)
    assert Recipe("renamed", "ab").digest == recipes[0].digest
    assert recipes[0].pipeline == SETTINGS.digest
