"""What the models of a job run on: chosen once, kept by workers, never mixed in silence."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from annotate.domain.errors import OtherProviderError, ProviderError, UsageError
from annotate.domain.job import Recipe
from annotate.domain.options import SubmitOptions
from annotate.domain.runs_on import PLACES
from annotate.domain.settings import Settings, settings_from
from annotate.domain.video import Chunk
from annotate.store import Store, open_store
from annotate.use_cases import choose_provider, load_models
from annotate.use_cases.choose_provider import offered, with_provider
from annotate.use_cases.load_models import models_for
from annotate.use_cases.worker_pool import processes_for

RECIPE = Recipe("blazepose-full", "00" * 32)
VIDEOS: Any = [SimpleNamespace(fingerprint=f"{number:064x}") for number in range(3)]
CHUNKS = [Chunk(0, 6), Chunk(6, 12)]
QUEUE = {"ANNOTATE_BROKER": "redis://127.0.0.1:1/0"}
Run = Callable[..., str]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path))


@pytest.fixture
def chosen(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """What a submission runs on, where this host and the workers of the queue have these things."""

    def choose(
        *,
        here: str = "cpu",
        found: str = "",
        workers: tuple[str, ...] | None = None,
        options: SubmitOptions | None = None,
    ) -> str:
        def run_isolated(*_: object) -> tuple[str, str]:
            return found or here, "too slow" if found else ""

        options = options or SubmitOptions()
        board = SimpleNamespace(
            reports=SimpleNamespace(workers=lambda: [{"runs_on": one} for one in workers or ()])
        )
        settings = settings_from({} if workers is None else QUEUE)
        monkeypatch.setattr(
            choose_provider, "offered", lambda s: here if s.provider == "auto" else s.provider
        )
        monkeypatch.setattr("annotate.inference.isolated.run_isolated", run_isolated)
        monkeypatch.setattr("annotate.queue.board.open_board", lambda *_: board)
        host = options.on_host(settings)
        return with_provider(RECIPE, options, host, store, tmp_path, VIDEOS).runs_on

    return choose


def begin(store: Store, runs_on: str, *, done: int = 0, videos: int = 3) -> None:
    """Plans videos for models on that, and does so many of their two chunks."""
    for video in VIDEOS[:videos]:
        results = store.results(replace(RECIPE, runs_on=runs_on), video)
        results.write_chunks(CHUNKS)
        for chunk in CHUNKS[:done]:
            store.files.write(results.part_key(chunk), b"a part")


# The recipe


def test_what_models_run_on_is_part_of_the_recipe_and_the_cpu_keeps_old_digests() -> None:
    digests = {replace(RECIPE, runs_on=one).digest for one in (*PLACES, "mixed")}
    assert len(digests) == len(PLACES) + 1
    assert RECIPE.runs_on == "cpu"
    fields = {"deinterlace": False, "rotations": 1, "runs_on": "cpu"}
    assert replace(RECIPE, **fields).digest == RECIPE.digest  # type: ignore[arg-type]


# The choice


def test_a_named_provider_and_a_mixture_are_taken(chosen: Run) -> None:
    assert chosen(here="qnn", options=SubmitOptions(provider="cpu")) == "cpu"
    assert chosen(here="cpu", options=SubmitOptions(allow_mixed=True)) == "mixed"
    assert chosen(workers=("cpu",), options=SubmitOptions(provider="qnn")) == "qnn"


def test_what_this_host_does_not_have_is_refused_before_there_is_a_job(
    store: Store, chosen: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = SubmitOptions(provider="cuda")
    assert chosen(options=named) == "cuda"

    def missing(*_: object) -> None:
        raise ProviderError("there is no CUDA", "Install it.")

    def choose() -> str:
        settings = named.on_host(settings_from({}))
        monkeypatch.setattr("annotate.inference.isolated.run_isolated", missing)
        return with_provider(RECIPE, named, settings, store, Path(), VIDEOS).runs_on

    with pytest.raises(ProviderError, match="no CUDA"):
        choose()
    begin(store, "cuda", done=2)
    assert choose() == "cuda", "all is done: nothing needs it"


def test_this_host_runs_what_it_proves_to_have(
    chosen: Run, caplog: pytest.LogCaptureFixture
) -> None:
    assert chosen(here="cpu") == "cpu"
    assert chosen(here="qnn") == "qnn"
    assert caplog.text == ""
    assert chosen(here="qnn", found="cpu") == "cpu"
    assert "run on the CPU: too slow" in caplog.text


def test_the_workers_of_a_queue_decide_where_they_agree(chosen: Run) -> None:
    assert chosen(here="cpu", workers=("qnn", "qnn")) == "qnn"
    assert chosen(here="qnn", workers=("cpu",)) == "cpu"


def test_workers_that_differ_are_never_mixed_in_silence(chosen: Run) -> None:
    with pytest.raises(UsageError, match=r"cpu \(1\), qnn \(2\)") as raised:
        chosen(workers=("qnn", "cpu", "qnn"))
    assert "--provider qnn" in raised.value.hint
    assert "--allow-mixed" in raised.value.hint


def test_without_a_worker_the_cpu_is_taken_and_said(
    chosen: Run, caplog: pytest.LogCaptureFixture
) -> None:
    assert chosen(workers=()) == "cpu"
    assert "--provider qnn" in caplog.text


# The same command again


@pytest.mark.parametrize("workers", [(), ("qnn",), ("cpu",), ("cpu", "qnn")], ids=str)
def test_a_queue_goes_on_as_it_was_begun(
    store: Store, chosen: Run, workers: tuple[str, ...]
) -> None:
    begin(store, "qnn", videos=1)
    assert chosen(workers=workers) == "qnn"


def test_that_no_worker_has_what_was_begun_is_said(
    store: Store, chosen: Run, caplog: pytest.LogCaptureFixture
) -> None:
    begin(store, "qnn")
    chosen(workers=("cpu",))
    assert "No running worker has qnn" in caplog.text
    assert "--provider cpu" in caplog.text


def test_what_was_begun_on_the_cpu_goes_on_there_and_says_how_not_to(
    store: Store, chosen: Run, caplog: pytest.LogCaptureFixture
) -> None:
    begin(store, "cpu")
    assert chosen(here="qnn") == "cpu"
    assert "`--provider qnn` makes them anew" in caplog.text
    assert chosen(here="qnn", options=SubmitOptions(provider="qnn")) == "qnn"


def test_a_host_without_what_was_begun_makes_it_anew_and_says_so(
    store: Store, chosen: Run, caplog: pytest.LogCaptureFixture
) -> None:
    begin(store, "qnn", done=1)
    assert chosen(here="cpu") == "cpu"
    assert "begun on qnn, which this host does not have" in caplog.text
    assert "--allow-mixed" in caplog.text


def test_what_is_done_is_not_made_anew(store: Store, chosen: Run) -> None:
    begin(store, "qnn", done=2)
    assert chosen(here="cpu") == "qnn"


def test_a_video_that_is_new_among_those_that_were_begun_changes_nothing(
    store: Store, chosen: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [SimpleNamespace(fingerprint=f"{number:064x}") for number in range(20)]
    monkeypatch.setattr(sys.modules[__name__], "VIDEOS", many[1:])
    begin(store, "qnn", videos=19)
    monkeypatch.setattr(sys.modules[__name__], "VIDEOS", many)
    assert chosen(workers=("cpu",)) == "qnn"


def test_what_most_videos_were_begun_on_counts(store: Store, chosen: Run) -> None:
    begin(store, "cpu", videos=1)
    begin(store, "qnn", videos=3)
    assert chosen(workers=()) == "qnn"


def test_a_mixture_is_not_gone_on_with_unless_it_is_allowed(store: Store, chosen: Run) -> None:
    begin(store, "mixed", done=1)
    assert chosen(here="cpu") == "cpu"


# Hosts


@pytest.mark.parametrize(
    ("provider", "emulates", "why_not", "expected"),
    [
        ("auto", True, "no NPU", "cpu"),
        ("auto", False, "", "qnn"),
        ("qnn", False, "", "qnn"),
        ("qnn", True, "", "htp-emulator"),
        ("openvino", True, "", "openvino"),
    ],
)
def test_what_a_host_offers(
    provider: str, emulates: bool, why_not: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose_provider, "emulates_npu", lambda: emulates)
    monkeypatch.setattr(choose_provider, "no_npu_for", lambda _settings: why_not)
    assert offered(settings_from({"ANNOTATE_PROVIDER": provider})) == expected


def test_a_host_with_onnx_runtime_for_cuda_offers_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose_provider, "no_npu_for", lambda _settings: "no NPU")
    monkeypatch.setattr(choose_provider, "version", lambda _name: "1.32.0")
    assert offered(settings_from({})) == "cuda"


def test_one_process_owns_the_npu_and_a_job_for_the_cpu_gets_all_cores() -> None:
    settings = settings_from({"ANNOTATE_PROVIDER": "qnn"})
    assert processes_for("qnn", settings, 5) == 1
    assert processes_for("mixed", settings, 5) == 1
    assert processes_for("cpu", settings, 5) == 5


# Loading


@pytest.mark.parametrize(
    ("provider", "runs_on", "loaded"),
    [
        ("auto", "cpu", "cpu"),
        ("auto", "qnn", "qnn"),
        ("auto", "mixed", "qnn"),
        ("auto", "openvino", "openvino"),
        ("cpu", "cpu", "cpu"),
        ("cpu", "mixed", "cpu"),
        ("cpu", "qnn", ""),
        ("qnn", "cpu", ""),
        ("auto", "htp-emulator", ""),
        ("auto", "cuda", ""),
    ],
)
def test_models_run_on_what_the_job_says_or_not_at_all(
    provider: str, runs_on: str, loaded: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On a simulated host with an NPU, and OpenVINO's ONNX Runtime."""

    @models_made
    def models_of(_folder: Path, settings: Settings) -> str:
        if settings.provider == "cuda":
            raise ProviderError("ONNX Runtime has no CUDA", "Install onnxruntime-gpu.")
        return {"auto": "qnn"}.get(settings.provider, settings.provider)

    monkeypatch.setattr(load_models, "models_of", models_of)
    settings = settings_from({"ANNOTATE_PROVIDER": provider})
    if loaded:
        assert models_for(tmp_path, settings, runs_on).provider == loaded
    else:
        with pytest.raises(OtherProviderError, match=f"are to run on {runs_on}") as raised:
            models_for(tmp_path, settings, runs_on)
        assert "--allow-mixed" in raised.value.hint
        assert ("onnxruntime-gpu" in raised.value.hint) == (runs_on == "cuda")


def models_made(found: Callable[[Path, Settings], str]) -> Callable[..., Any]:
    """Models that only know what they run on."""
    from annotate.inference import Models

    empty: Any = None

    def models_of(folder: Path, settings: Settings, *_: object) -> Models:
        return Models(empty, empty, empty, found(folder, settings), {})

    return models_of
