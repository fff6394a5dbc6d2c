"""What lies around the runs of the models: a frame's, a detector's, a landmark model's."""

import statistics
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from annotate.domain.job import Recipe
from annotate.domain.options import SubmitOptions
from annotate.domain.pack import Pack
from annotate.domain.settings import settings_from
from annotate.inference import Models, load_models
from annotate.inference.timing import core_ms
from annotate.packs.installed import installed_packs
from annotate.use_cases.submit import recipe_of
from annotate.video import probe
from tests.benchmarks.fits import fitted, least_ms
from tests.benchmarks.ways import DETECTORS, LANDMARKS, POSES, bare_decode, runs_of, whole

_BARE_RUNS = 15
# A frame of tiles takes as long as twenty others.
TILED_FRAMES = 10


class Way(NamedTuple):
    """How a pack is run: options of `annotate submit`, and of the video at most so many frames."""

    options: SubmitOptions
    frames: int | None = None


def ways_of(pack: Pack) -> list[Way]:
    """Every frame alone, the default, and where the pack needs tiles for all people, those."""
    ways = [Way(SubmitOptions(detect_every=1))]
    if pack.carries_people:
        ways.append(Way(SubmitOptions()))
    if pack.is_tiled("all"):
        ways.append(Way(SubmitOptions(people="all", detect_every=1), TILED_FRAMES))
    return ways


def measure_pipeline(videos: list[Path], repeats: int) -> Iterator[tuple[str, float]]:
    """Milliseconds around a frame, a run of a detector and of the landmark model; runs a pose."""
    root = settings_from().packs
    work, took = [], []
    pictures: dict[str, list[float]] = defaultdict(list)
    decoding = {video: _decoding_ms(video, repeats) for video in videos}
    looks: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for pack in installed_packs(root)[0]:
        models = load_models(pack, root / pack.name)
        yield from _law(pack, models, root / pack.name)
        for way in ways_of(pack):
            recipe = recipe_of(pack, way.options)
            for video in videos:
                index = probe(video)
                found = whole(video, index, models, recipe, way.frames)
                runs = found[runs_of(LANDMARKS)]
                work.append((1.0, sum(found.get(runs_of(one), 0) for one in DETECTORS), runs))
                took.append(found["between"])
                if way.frames is None:
                    rgb_ms = found["decode and RGB"] - decoding[video]
                    mediapipe = recipe.people == "near" and recipe.detect_every == 1
                    kind = "picture_pixel_ns" if mediapipe else "planes_pixel_ns"
                    pictures[kind].append(rgb_ms * 1e6 / index.width / index.height)
                looks[_kind(pack, recipe)].append((runs, found[POSES]))
    for name, found_ns in pictures.items():
        yield name, statistics.median(found_ns)
    for name, value in zip(("frame_ms", "view_ms", "look_ms"), fitted(work, took), strict=True):
        yield name, float(value)
    for name, counts in looks.items():
        yield name, sum(runs for runs, _ in counts) / sum(poses for _, poses in counts)


def _decoding_ms(video: Path, repeats: int) -> float:
    return least_ms(repeats, len(probe(video)), partial(bare_decode, video))


def _kind(pack: Pack, recipe: Recipe) -> str:
    if recipe.detect_every > 1:
        return "looks_tracked"
    twice = pack.landmark.second_look and recipe.people == "all"
    return "looks_twice" if twice else "looks_alone"


def _law(pack: Pack, models: Models, folder: Path) -> Iterator[tuple[str, float]]:
    for stage, spec in pack.stages.items():
        ms = core_ms(models.stage(stage), spec, _BARE_RUNS)
        width, height = spec.size
        size = (folder / spec.file).stat().st_size
        yield f"{pack.name} {stage} ms", ms
        yield "model_byte_pixel_ns", ms * 1e6 / size / width / height
