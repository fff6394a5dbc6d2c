"""Cheaper arithmetic for a job, if it proves itself on the job's own videos; else float."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from annotate.domain.digests import digest_of
from annotate.domain.errors import PackError, UsageError, VideoError
from annotate.domain.options import Arithmetic, Precision
from annotate.domain.pack import Pack, read_pack
from annotate.domain.progress import Progress
from annotate.domain.settings import Settings
from annotate.domain.trial import Trial
from annotate.domain.video import VideoIndex
from annotate.inference import Models, load_models
from annotate.inference.bf16 import bf16_provider
from annotate.inference.cpu import is_quantized, sums_need_care
from annotate.packs.installed import is_installed
from annotate.store import Store
from annotate.use_cases.find_pack import Tell
from annotate.use_cases.quantize import quantize_pack, quantized_name
from annotate.use_cases.read_videos import ReadVideo, local_copy
from annotate.use_cases.try_precision import try_precision
from annotate.use_cases.worker_pool import no_npu_for

# Videos at most that it is tried on: the first ones, so that later ones change nothing.
MAX_VIDEOS = 4

_Files = Sequence[tuple[Path, VideoIndex]]


@dataclass(frozen=True)
class Chosen:
    """What a job computes with.

    Attributes:
        folder: of the pack.
        arithmetic: of its models.
    """

    folder: Path
    arithmetic: Arithmetic


def choose_precision(
    folder: Path,
    precision: Precision,
    videos: Sequence[ReadVideo],
    store: Store,
    settings: Settings,
    progress: Progress,
    tell: Tell,
) -> Chosen:
    """The pack and the arithmetic of a job.

    Cheaper arithmetic is tried on frames of the first videos, against float. What came of it is
    remembered on this host, so that the same command goes on with the same.

    Args:
        folder: of the pack with float models.
        videos: of the job.
        tell: called with a line that says what is gained, or why the models compute in float.

    Raises:
        ProviderError: nothing on this host computes in bfloat16, or it does so wrongly.
        UsageError: the pack's models are quantized already.
    """
    if precision == "float":
        return Chosen(folder, "float")
    pack, tried = read_pack(folder), videos[:MAX_VIDEOS]
    if is_quantized(folder / pack.landmark.file):
        raise UsageError(
            f"the models of the pack {pack.name} are not float ones",
            "Leave out --precision, or name a float pack.",
        )
    names = [one.index.fingerprint for one in tried]
    if precision == "bf16":
        bf16_provider()  # what is remembered may be of before OpenVINO was removed
    files = partial(_files, tried, store, settings)
    try:
        chosen = Chosen(folder, "bf16")
        if precision == "int8":
            chosen = Chosen(_eight_bits(pack, folder, files, names, settings, progress), "float")

        def trial() -> Trial:
            with files() as videos:
                return try_precision(videos, _load(chosen), load_models(pack, folder), progress)

        key = [read_pack(chosen.folder).digest, pack.digest, chosen.arithmetic, *names]
        found = _once(settings, key, trial)
    except (PackError, UsageError, VideoError) as error:
        tell(f"--precision {precision}: {error.message}. The models compute in float.")
        return Chosen(folder, "float")
    tell(f"--precision {precision}: {found.summary}.")
    return chosen


def _load(chosen: Chosen) -> Models:
    pack = read_pack(chosen.folder)
    return load_models(pack, chosen.folder, precision=chosen.arithmetic)


def _eight_bits(
    pack: Pack,
    folder: Path,
    files: Callable[[], AbstractContextManager[_Files]],
    names: Sequence[str],
    settings: Settings,
    progress: Progress,
) -> Path:
    """The folder of the 8-bit pack of a float one, which is made where it is not there.

    Raises:
        PackError: it gains nothing here, or its models are not accurate enough.
        UsageError: the videos show no person.
        VideoError: a video cannot be read.
    """
    if not no_npu_for(settings):
        raise PackError(
            "this host has an NPU; for 8 bits there, see `annotate models quantize --help`"
        )
    if sums_need_care():
        raise PackError("this CPU has no 8-bit dot products, so nothing is gained")
    target = folder.parent / quantized_name(pack)
    if not (is_installed(target) and pack.digest[:12] in read_pack(target).source):

        def made() -> Trial:
            with files() as videos:
                quantize_pack(folder, [path for path, _ in videos], progress)
            return Trial(1.0, 0.0, 0, 1.0)

        _once(settings, [pack.digest, "8 bits", *names], made, again=True)
    return target


def _once(
    settings: Settings, key: Sequence[str], run: Callable[[], Trial], *, again: bool = False
) -> Trial:
    """What a trial found, now or before on this host.

    Args:
        key: all that it depends on.
        again: repeat a trial that found nothing wrong.

    Raises:
        PackError: it found why the arithmetic cannot be used.
    """
    memory = settings.cache / "precision" / f"{digest_of({'key': list(key)})[:32]}.json"
    trial = None
    with suppress(OSError, ValueError, TypeError):  # none, or damaged
        trial = Trial.from_json(memory.read_text(encoding="utf-8"))
    if trial is None or (again and not trial.refused):
        try:
            trial = run()
        except PackError as error:
            trial = Trial(1.0, 0.0, 0, 1.0, error.message)
        with suppress(OSError):
            memory.parent.mkdir(parents=True, exist_ok=True)
            memory.write_text(trial.to_json(), encoding="utf-8")
    if trial.refused:
        raise PackError(trial.refused)
    return trial


@contextmanager
def _files(videos: Sequence[ReadVideo], store: Store, settings: Settings) -> Iterator[_Files]:
    """Files of this host with the videos, and their indexes."""
    with ExitStack() as stack:
        yield [(stack.enter_context(local_copy(one, store, settings)), one.index) for one in videos]
