"""What the models of a submission run on: one thing on all hosts, unless the user allows a mixture.

Whoever names nothing gets what an earlier submission of the same videos ran on, so that the same
command goes on; else what this host has, or the workers of the queue.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from annotate.domain.errors import UsageError
from annotate.domain.job import Recipe
from annotate.domain.options import SubmitOptions
from annotate.domain.runs_on import CPU, EMULATOR, MIXED, NPU, PLACES
from annotate.domain.settings import Settings
from annotate.domain.video import VideoIndex
from annotate.host import emulates_npu
from annotate.store import Store
from annotate.use_cases.worker_pool import no_npu_for

# How many videos of a submission tell whether an earlier one had them too.
SAMPLE = 8
# The wheel whose ONNX Runtime `auto` tries, and what it brings.
_GPU_WHEEL, _GPU = "onnxruntime-gpu", "cuda"
AS_BEGUN = "These videos were begun on %s, and go on so. `--provider %s` makes them anew."

logger = logging.getLogger(__name__)


def offered(settings: Settings) -> str:
    """What this host seems to run models on, before any were loaded.

    Raises:
        UsageError: the settings name an unknown SoC.
    """
    if settings.provider != "auto":
        return EMULATOR if settings.provider == NPU and emulates_npu() else settings.provider
    if not no_npu_for(settings):
        return NPU
    try:
        version(_GPU_WHEEL)
    except PackageNotFoundError:
        return CPU
    return _GPU


def with_provider(
    recipe: Recipe,
    options: SubmitOptions,
    settings: Settings,
    store: Store,
    pack: Path,
    videos: Sequence[VideoIndex],
) -> Recipe:
    """The recipe, with what the models run on; where it is a surprise, the log says why.

    Args:
        settings: of this host; their provider is what the user wants.
        pack: folder of the model pack.
        videos: at least one. Models in bfloat16 are for CPUs.

    Raises:
        ProviderError: this host is to do the work, and does not have what the user names.
        UsageError: the workers of the queue have different things, and the user names none.
        QueueError: the queue's server does not answer.
    """
    if options.allow_mixed:
        return replace(recipe, runs_on=MIXED)
    if recipe.precision != "float":
        return replace(recipe, runs_on=CPU)
    if settings.provider != "auto":
        if settings.embedded:
            return replace(recipe, runs_on=_named(recipe, settings, store, pack, videos))
        return replace(recipe, runs_on=settings.provider)
    begun = _begun(recipe, store, videos)
    if settings.embedded:
        return replace(recipe, runs_on=_here(recipe, begun, settings, store, pack, videos))
    return replace(recipe, runs_on=_on_queue(begun, _of_workers(settings, store)))


def _named(
    recipe: Recipe, settings: Settings, store: Store, pack: Path, videos: Sequence[VideoIndex]
) -> str:
    """What the user names, for this host; it is tried before a job waits for it."""
    named = offered(settings)
    recipe = replace(recipe, runs_on=named)
    if named != CPU and not all(_is_done(recipe, store, video) for video in videos):
        from annotate.inference.isolated import run_isolated
        from annotate.use_cases.load_models import provider_of

        run_isolated(provider_of, pack, settings)
    return named


def _here(
    recipe: Recipe,
    begun: str,
    settings: Settings,
    store: Store,
    pack: Path,
    videos: Sequence[VideoIndex],
) -> str:
    """What this host runs the models on."""
    own = offered(settings)
    if begun == CPU:
        if own != CPU:
            logger.warning(AS_BEGUN, CPU, own)
        return CPU
    if own != CPU:
        from annotate.inference.isolated import run_isolated
        from annotate.use_cases.load_models import provider_of

        own, reason = run_isolated(provider_of, pack, settings)
        if reason:
            logger.warning("The models run on the CPU: %s", reason)
    if begun in ("", own):
        return own
    if all(_is_done(replace(recipe, runs_on=begun), store, video) for video in videos):
        return begun
    logger.warning(
        "These videos were begun on %s, which this host does not have: they are made anew on %s. "
        "`--allow-mixed` keeps what is done.",
        begun,
        own,
    )
    return own


def _on_queue(begun: str, workers: Counter[str]) -> str:
    """What the workers of the queue run the models on.

    Args:
        begun: what an earlier submission ran on, or empty.
        workers: how many there are of each kind.
    """
    others = sorted(set(workers) - {begun})
    if begun:
        if others:
            logger.warning(AS_BEGUN, begun, others[0])
        if others and begun not in (CPU, *workers):
            logger.warning("No running worker has %s: the job waits for one.", begun)
        return begun
    if not workers:
        logger.warning(
            "No worker is running yet: the models are to run on the CPU, which every worker has. "
            "For NPUs start a worker first, or say `--provider qnn`."
        )
        return CPU
    if len(workers) == 1:
        return next(iter(workers))
    counted = ", ".join(f"{name} ({number})" for name, number in sorted(workers.items()))
    best = next(name for name, _ in workers.most_common() if name != CPU)
    raise UsageError(
        f"the queue's workers run models on different things, whose poses differ: {counted}",
        f"Choose what all poses come from: `--provider {best}`, or `--provider cpu`, which every "
        "worker can; or let each use its own: `--allow-mixed`.",
    )


def _of_workers(settings: Settings, store: Store) -> Counter[str]:
    """How many running workers of the queue offer what."""
    from annotate.queue.board import open_board, queue_errors

    with queue_errors(settings.broker):
        rows = open_board(settings.broker, store.id()).reports.workers()
    return Counter(place for row in rows if (place := row.get("runs_on")) in PLACES)


def _begun(recipe: Recipe, store: Store, videos: Sequence[VideoIndex]) -> str:
    """What an earlier submission of these videos ran on, that most of them have; or empty."""
    there = set(store.files.names("results"))
    some = videos[:: -(-len(videos) // SAMPLE)]
    planned: Counter[str] = Counter()
    for place in PLACES:
        one = replace(recipe, runs_on=place)
        if one.digest in there:
            keys = (store.results(one, video).chunks_key for video in some)
            planned[place] += sum(map(store.files.exists, keys))
    place, number = max(planned.items(), key=lambda item: item[1], default=("", 0))
    return place if number else ""


def _is_done(recipe: Recipe, store: Store, video: VideoIndex) -> bool:
    results = store.results(recipe, video)
    chunks = results.read_chunks()
    return chunks is not None and {chunk.name for chunk in chunks} <= results.parts()
