"""What a frame costs, against the sum of what it cannot do without, and against other programs.

    python -m tests.benchmarks.throughput VIDEO... [--mediapipe PYTHON] [--rtmlib PYTHON]
        [--ultralytics PYTHON] [--repeats 5] [--json] [--no-submit] [--only-pack NAME]...

Everything is measured in one run, in turns, so that a noisy machine disturbs all alike; medians are
printed. Core-milliseconds are processor time of all threads and processes.

- bare: libav's decoder and each model alone, on one core, and a copy of the picture;
- whole: the pipeline in one process, models loaded before: blazepose-full with the detector on
  every frame, every 5th, every 30th and for all people, and every other installed pack as `submit`
  runs it;
- submit: the command itself, starting and merging included, on a longer video made of the same
  packets, with one process and with two;
- the others: where an option names a Python that has them.

It ends with a reason where a comparison would be none: without videos, people or the pack, with an
interpreter that does not have the program, or where two runs find different people.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from annotate.domain.errors import AnnotateError, VideoError
from annotate.domain.job import Recipe
from annotate.domain.options import SubmitOptions
from annotate.domain.settings import settings_from
from annotate.inference import Models, load_models
from annotate.packs.blazepose import NAME
from annotate.packs.installed import installed_packs, verify_pack
from annotate.use_cases.submit import recipe_of
from annotate.video import probe
from tests.benchmarks.looped import looped
from tests.benchmarks.peers import PEERS, LacksError, peer_ways
from tests.benchmarks.ways import (
    DETECTORS,
    LANDMARKS,
    POSES,
    Cost,
    bare_copy,
    bare_decode,
    bare_model,
    cost,
    runs_of,
    submit,
    whole,
)
from workers.process import prepare_process

EVERY = (1, 5, 30)
# Two minutes, so that starting and merging are as small a part as in most jobs. Two processes get
# the same share of it: chunks begin at multiples of 300 frames.
LONG_FRAMES = 3600
# Whole runs whose poses are fewer than this share of MediaPipe's did less work than it.
ENOUGH_POSES = 0.9

Way = Callable[[], Cost]


def ways_of_pack(path: Path, models: Models, first: bool) -> dict[str, Way]:
    """Bare and whole rows of a pack; the first pack's have no name before them."""
    pack, index = models.pack, probe(path)
    frames = len(index)
    title = "" if first else f"{pack.name}: "
    ways: dict[str, Way] = {}
    for stage, spec in pack.stages.items():
        named = LANDMARKS if stage == "landmark" else stage
        model = models.stage(stage)
        ways[f"{title}bare {named}"] = partial(
            cost, frames, partial(bare_model, model, spec.size, frames)
        )
    for name, recipe in _recipes(models, first).items():
        ways[f"{title}{name}"] = partial(cost, frames, partial(whole, path, index, models, recipe))
    return ways


def _recipes(models: Models, first: bool) -> dict[str, Recipe]:
    """How a pack is run, by the names of the rows."""
    chosen = [SubmitOptions(detect_every=every) for every in EVERY] if first else [SubmitOptions()]
    recipes = [recipe_of(models.pack, options) for options in chosen]
    named = {f"whole, detector every {recipe.detect_every}": recipe for recipe in recipes}
    if models.pack.people_for(None) == "near":
        everyone = recipe_of(models.pack, SubmitOptions(people="all"))
        named[f"whole, all people, detector every {everyone.detect_every}"] = everyone
    return named


def measure(
    path: Path,
    packs: list[Models],
    pythons: Mapping[str, Path | None],
    repeats: int,
    with_submit: bool,
) -> tuple[dict[str, Cost], dict[str, str]]:
    """The median cost of every way, run in turns; and what the ways lack that cannot be run."""
    index = probe(path)
    frames = len(index)
    with tempfile.TemporaryDirectory() as folder:
        ways: dict[str, Way] = {
            "bare decode": lambda: cost(frames, lambda: bare_decode(path)),
            "bare copy": lambda: cost(frames, lambda: bare_copy(index.width, index.height, frames)),
        }
        for models in packs:
            ways |= ways_of_pack(path, models, models is packs[0])
        times = max(1, round(LONG_FRAMES / frames))
        for count in (1, 2) if with_submit else ():
            long = looped(path, times, Path(folder) / path.name)
            name = f"submit, {count} process{'es' * (count > 1)}"
            ways[name] = partial(submit, long, times * frames, count, NAME)
        others, lacks = peer_ways(path, pythons)
        ways |= others
        runs = [_run(ways, lacks) for _ in range(repeats)]
    costs = {name: median_cost(name, [run[name] for run in runs]) for name in ways}
    check_people(path.name, costs)
    return costs, lacks


def _run(ways: dict[str, Way], lacks: dict[str, str]) -> dict[str, Cost]:
    """Each way once; those that lack something are moved to `lacks`."""
    costs = {}
    for name in [*ways]:
        try:
            costs[name] = ways[name]()
        except LacksError as error:
            lacks[name] = str(error)
            del ways[name]
    return costs


def median_cost(name: str, costs: list[Cost]) -> Cost:
    """The median of runs of one way.

    Raises:
        SystemExit: they find different people.
    """
    found = {cost.more.get(POSES, 0.0) for cost in costs}
    if len(found) > 1:
        poses = " and ".join(f"{one:.3f}" for one in sorted(found))
        raise SystemExit(
            f"{name}: two runs find {poses} poses a frame: their times are not of the same work"
        )

    def of(values: Iterator[float]) -> float:
        return round(statistics.median(values), 3)

    more = {key: of(cost.more[key] for cost in costs) for key in costs[0].more}
    return Cost(of(c.core_ms for c in costs), of(c.wall_ms for c in costs), more)


def check_people(video: str, costs: Mapping[str, Cost]) -> None:
    """Checks that what is compared did the same work.

    Raises:
        SystemExit: somebody is found by one and not by the other.
    """
    poses = {name: one.more[POSES] for name, one in costs.items() if POSES in one.more}
    nobody = [name for name, found in poses.items() if not found]
    if nobody:
        raise SystemExit(
            f"{video}: nobody is found by {', '.join(nobody)}: name a video with people"
        )
    submits = {found for name, found in poses.items() if name.startswith("submit")}
    if len(submits) > 1:
        raise SystemExit(
            f"{video}: one process and two find different people: {sorted(submits)} poses a frame"
        )
    for one in (name for peer in PEERS if peer.finds_one for name in peer.rows()):
        for every in EVERY:
            ours = f"whole, detector every {every}"
            if one in poses and poses[ours] < ENOUGH_POSES * poses[one]:
                raise SystemExit(
                    f"{video}: {ours} finds {poses[ours]:.2f} poses a frame, {one} "
                    f"{poses[one]:.2f}: their frames are not the same work"
                )


def ratios(costs: Mapping[str, Cost]) -> dict[str, float]:
    """What the project promises, from one run.

    The bare parts are as many runs of each model as the whole needed. MediaPipe answers for one
    person only, we for everyone, so that both frames and poses are compared.
    """
    core = {name: one.core_ms for name, one in costs.items()}
    found = {}
    for name in costs:
        title, colon, way = name.rpartition(": ")
        if way.startswith("whole, "):
            bare = core["bare decode"] + sum(
                core[f"{title}{colon}bare {stage}"] * costs[name].more.get(runs_of(stage), 0)
                for stage in (*DETECTORS, LANDMARKS)
                if f"{title}{colon}bare {stage}" in core
            )
            found[f"{title}{colon}whole / bare, {way.removeprefix('whole, ')}"] = core[name] / bare
    for every in EVERY:
        name = f"whole, detector every {every}"
        for peer in PEERS:
            for row in _compared(peer.modes, peer.title, every):
                if row in core:
                    against = f"a core-second, every {every} / {row}"
                    found[f"frames {against}"] = core[row] / core[name]
                    poses = costs[name].more[POSES] / costs[row].more[POSES]
                    found[f"poses {against}"] = core[row] / core[name] * poses
    if "submit, 2 processes" in costs:
        one, two = costs["submit, 1 process"], costs["submit, 2 processes"]
        found["two processes / one, in frames a second"] = one.wall_ms / two.wall_ms
    return found


def _compared(modes: tuple[str, ...], title: str, every: int) -> list[str]:
    """The rows that a whole run is compared with: of MediaPipe the mode that does the same."""
    if "static" in modes:
        return [f"{title} {'static' if every == 1 else 'tracking'}"]
    return [f"{title} {mode}" for mode in modes]


def main() -> None:
    """Prints a table a video, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="+", type=Path)
    for peer in PEERS:
        parser.add_argument(f"--{peer.option}", type=Path, metavar="PYTHON")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--no-submit", action="store_true", help="without the command itself")
    parser.add_argument("--only-pack", action="append", help="of the other packs, only this one")
    arguments = parser.parse_args()
    prepare_process()
    packs = loaded_packs(arguments.only_pack)
    pythons = {peer.option: getattr(arguments, peer.option) for peer in PEERS}
    report = {}
    for video in arguments.videos:
        try:
            probe(video)
            costs, lacks = measure(
                video, packs, pythons, arguments.repeats, not arguments.no_submit
            )
        except (VideoError, OSError) as error:
            raise SystemExit(f"{video} is no video to measure with: {error}") from error
        found = ratios(costs)
        report[video.name] = {
            "costs": {name: vars(one) for name, one in costs.items()},
            "ratios": {name: round(ratio, 3) for name, ratio in found.items()},
            "lacks": lacks,
        }
        if not arguments.json:
            _print(video.name, costs, found, lacks)
    if arguments.json:
        print(json.dumps(report, indent=2))


def loaded_packs(only: list[str] | None) -> list[Models]:
    """The models of blazepose-full, whose rows have no name before them, and of the others.

    Raises:
        SystemExit: it is not installed, or damaged.
    """
    root = settings_from().packs
    try:
        verify_pack(root / NAME)
        others = [pack for pack in installed_packs(root)[0] if pack.name != NAME]
        if only is not None:
            others = [pack for pack in others if pack.name in only]
        names = [NAME, *(pack.name for pack in others)]
        return [load_models(verify_pack(root / name), root / name) for name in names]
    except AnnotateError as error:
        raise SystemExit(f"{error.message}\n{error.hint}") from error


def _print(
    name: str, costs: dict[str, Cost], found: dict[str, float], lacks: dict[str, str]
) -> None:
    print(f"\n{name:48} {'core-ms':>8} {'frames/s':>9}   a frame")
    for way, one in costs.items():
        more = ", ".join(f"{key} {value:.2f}" for key, value in one.more.items())
        print(f"{way:48} {one.core_ms:8.2f} {1000 / one.wall_ms:9.1f}   {more}")
    for way, reason in lacks.items():
        print(f"{way:48} not measured: {reason}")
    for what, ratio in found.items():
        print(f"{what:66} {ratio:.2f}")


if __name__ == "__main__":
    main()
