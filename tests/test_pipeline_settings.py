"""All that changes the pipeline's answer is in its digest, and so in a job's recipe."""

from dataclasses import fields, replace
from typing import Any

import pytest

import annotate.numeric
import annotate.pipeline
from annotate.domain import skeleton
from annotate.domain.job import Recipe
from annotate.domain.pipeline_settings import PipelineSettings
from tests.module_numbers import inner_floats, module_numbers

SETTINGS = PipelineSettings()
# Numbers in the pipeline's modules that do not change its answer, or belong to a file format or a
# library, or only judge models.
NOT_THRESHOLDS = {
    "appearance.COLOURS",
    "appearance._CORNERS",
    "batching.BATCH",
    "bursts.BURST",
    "bursts._BEGIN",
    "fidelity.MIN_FIDELITY_DB",
    "fidelity.MAX_ADDED",
    "fidelity.MAX_LOST",
    "fidelity.MAX_MEDIAN_ERROR",
    "crowd._VISIBILITY",
    "occluders._FAR",
    "occluders._HEAD",
    "occluders._LIMBS",
    "occluders._TRUNK",
    "prefetch.DEPTH",
    "roi_rules._VISIBILITY",
    "turns.TURNED",
}
# Floats in functions: nothing, and the middle of a cell.
NOT_TUNED = {0.0, 0.5}
UNITS = {1.0, 1e3, 1e6, 1e9}
# Numbers in `annotate.numeric`: lengths of chunks, measured costs, places of keypoints, codes of
# colours, and mathematics.
NUMERIC = {
    "cost_constants.(CARD_LANDMARK_BYTES, CARD_LANDMARK_PIXELS)",
    "cost_constants.MEASURED",
    "cost_constants.NPU_CARDS",
    "plane_picture._GREY_CHROMA",
    "plane_picture._HALVED",
    "rgb_picture._BITS",
    "rgb_picture._LIMIT",
    "activation.LOGIT_LIMIT",
    "chunking.CHUNK_CORE_SECONDS",
    *(f"pose_facts.{name}" for name in ("_BONES", "_HIPS", "_MIRRORED", "_SIZES", "_TRUNK")),
    "smoothing._LEAST_WEIGHT",
    "smoothing._MAD_TO_SIGMA",
    "timeline.RAW",
    "timeline.SMOOTHED",
    "words.(_SIZE, _HOLE)",
    "words._EXACT",
    "words._GROUP",
}


@pytest.mark.parametrize("name", [field.name for field in fields(SETTINGS)])
def test_another_threshold_is_another_digest(name: str) -> None:
    value = getattr(SETTINGS, name)
    other: Any = (*value, 0.5) if isinstance(value, tuple) else value + 1
    assert replace(SETTINGS, **{name: other}).digest != SETTINGS.digest


def test_the_constants_of_oks_are_in_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    digests = {SETTINGS.digest}
    monkeypatch.setattr(skeleton, "AREA_OF_BOX", 0.5)
    digests.add(SETTINGS.digest)
    monkeypatch.setattr(skeleton, "COCO_SIGMAS", 2 * skeleton.COCO_SIGMAS)
    digests.add(SETTINGS.digest)
    assert len(digests) == 3


def test_no_threshold_of_the_pipeline_is_outside_of_its_settings() -> None:
    assert module_numbers(annotate.pipeline) == NOT_THRESHOLDS, "move it to PipelineSettings"


def test_no_function_of_the_pipeline_holds_a_tuned_number() -> None:
    assert inner_floats(annotate.pipeline) <= NOT_TUNED, "move it to PipelineSettings"


def test_the_functions_that_all_use_hold_no_tuned_number() -> None:
    assert module_numbers(annotate.numeric) == NUMERIC, "move it to the settings of its caller"
    tuned = inner_floats(annotate.numeric) - NOT_TUNED - UNITS
    assert not tuned, "move it to the settings of its caller"


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
