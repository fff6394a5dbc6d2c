"""`submit --precision`: tried on the job's own videos, remembered, refused with a reason."""

import json
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from annotate.domain.errors import PackError, ProviderError, UsageError
from annotate.domain.job import Job, Recipe
from annotate.domain.options import Precision, SubmitOptions
from annotate.domain.pack import read_pack
from annotate.domain.progress import silent
from annotate.domain.trial import Trial
from annotate.inference import load_models
from annotate.store import Store
from annotate.store.tables import read_facts
from annotate.use_cases import choose_precision, quantize, try_precision
from annotate.use_cases.find_videos import FoundVideos
from annotate.use_cases.read_videos import ReadVideo
from annotate.use_cases.submit import submit
from annotate.video import probe
from tests.command import Host
from tests.test_bf16 import needs_bf16

GOOD = Trial(faster=1.6, median_error=0.001, people=20, jitter=1.0)


def submitted(
    host: Host, video: Path, precision: Precision, pack: str | None = None
) -> tuple[Job, list[str]]:
    """The job, which is not worked on, and the lines that were told."""
    told: list[str] = []
    options = SubmitOptions(precision=precision, pack=pack)
    found = FoundVideos((video,))
    job = submit(host.opened(), found, options, host.settings(), workers=1, tell=told.append)
    return job, told


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[Trial]:
    """What trials find, taken from the front; they load no models."""
    found: list[Trial] = []
    monkeypatch.setattr(choose_precision, "bf16_provider", lambda: "openvino-bf16")
    monkeypatch.setattr(choose_precision, "load_models", lambda *_, **__: None)
    monkeypatch.setattr(choose_precision, "try_precision", lambda *_: found.pop(0))
    return found


# What a job does with it


def test_the_first_videos_decide(
    host: Host, stroll: Path, walk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a later one changes nothing of the others."""
    seen: list[int] = []

    def tried(videos: Sequence[object], *_: object) -> Trial:
        seen.append(len(videos))
        return GOOD

    monkeypatch.setattr(choose_precision, "bf16_provider", lambda: "openvino-bf16")
    monkeypatch.setattr(choose_precision, "load_models", lambda *_, **__: None)
    monkeypatch.setattr(choose_precision, "try_precision", tried)
    read = [ReadVideo(walk, replace(probe(stroll), fingerprint=f"{n:064}")) for n in range(6)]
    for count in (5, 6):
        choose_precision.choose_precision(
            host.packs / "blazepose-full",
            "bf16",
            read[:count],
            host.opened(),
            host.settings(),
            silent,
            lambda _line: None,
        )
    assert seen == [choose_precision.MAX_VIDEOS]


def test_recipes_of_float_keep_their_digest_and_bf16_has_another() -> None:
    recipe = Recipe("made", "0" * 64)
    assert recipe.digest == Recipe("made", "0" * 64, precision="float").digest
    assert recipe.digest != Recipe("made", "0" * 64, precision="bf16").digest


def test_a_proven_arithmetic_is_used_and_its_gain_said_and_remembered(
    host: Host, stroll: Path, tries: list[Trial]
) -> None:
    tries.append(GOOD)
    job, told = submitted(host, stroll, "bf16")
    assert job.recipe.precision == "bf16"
    line = "--precision bf16: the landmark model is 1.6 times as fast; landmarks move by 0.10%"
    assert [one.startswith(line) for one in told] == [True]
    # Tried no more, else the list would be empty.
    assert submitted(host, stroll, "bf16") == (job, told)
    assert Job.from_json(job.to_json()) == job


def test_a_refused_arithmetic_gives_float_and_says_why_and_is_not_tried_again(
    host: Host, stroll: Path, tries: list[Trial]
) -> None:
    tries.append(replace(GOOD, refused="landmarks jitter 3.0 times as much"))
    for _ in range(2):
        job, told = submitted(host, stroll, "bf16")
        assert job.recipe.precision == "float"
        assert told == [
            "--precision bf16: landmarks jitter 3.0 times as much. The models compute in float."
        ]
    assert submitted(host, stroll, "float")[0].recipe == job.recipe


def test_another_video_is_tried_on_its_own(
    host: Host, stroll: Path, walk: Path, tries: list[Trial]
) -> None:
    tries.extend([replace(GOOD, refused="it is worse here"), GOOD])
    assert submitted(host, stroll, "bf16")[0].recipe.precision == "float"
    assert submitted(host, walk, "bf16")[0].recipe.precision == "bf16"


def test_a_damaged_memory_is_tried_again(host: Host, stroll: Path, tries: list[Trial]) -> None:
    tries.extend([GOOD, GOOD])
    submitted(host, stroll, "bf16")
    (memory,) = (host.settings().cache / "precision").iterdir()
    memory.write_text("{")
    assert submitted(host, stroll, "bf16")[0].recipe.precision == "bf16"
    assert not tries


def test_what_cannot_compute_in_bfloat16_is_an_error(
    host: Host, stroll: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> str:
        raise ProviderError("this CPU does not compute in bfloat16")

    monkeypatch.setattr(choose_precision, "bf16_provider", none)
    with pytest.raises(ProviderError, match="does not compute in bfloat16"):
        submitted(host, stroll, "bf16")
    assert host.opened().job_ids() == []


def test_a_cpu_without_8_bit_dot_products_gives_float(
    host: Host, stroll: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose_precision, "sums_need_care", lambda: True)
    job, told = submitted(host, stroll, "int8")
    assert (job.recipe.precision, job.recipe.pack_name) == ("float", "blazepose-full")
    assert "no 8-bit dot products" in told[0]


def test_videos_without_people_prove_nothing(
    host: Host, markers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose_precision, "bf16_provider", lambda: "openvino-bf16")
    # Float models stand in for those of the other arithmetic.
    monkeypatch.setattr(
        choose_precision, "load_models", lambda pack, at, **_: load_models(pack, at)
    )
    job, told = submitted(host, markers, "bf16")
    assert job.recipe.precision == "float"
    assert "show no person" in told[0]


@needs_bf16
def test_a_job_in_bfloat16_says_so_in_its_parts_and_exports(host: Host, stroll: Path) -> None:
    said = host.run("submit", stroll, "--precision", "bf16", "--end", "1")
    assert "the landmark model is" in said.err
    assert "1 of 1 videos done" in said.out
    store = host.opened()
    job = store.read_job(store.job_ids()[-1])
    assert job.recipe.precision == "bf16"
    facts = _part_facts(store, job)
    assert [(one["precision"], one["provider"]) for one in facts] == [("bf16", "openvino-bf16")]
    host.run("export", "--out", "people.json")
    (video,) = json.loads((host.home / "people.json").read_bytes())["videos"]
    assert [one["provider"] for one in video["providers"]] == ["openvino-bf16"]


@needs_bf16
def test_an_estimate_counts_bfloat16_as_work_of_the_cpu(host: Host, stroll: Path) -> None:
    said = host.run("submit", stroll, "--precision", "bf16", "--dry-run").out
    assert "core-second" in said
    assert "accelerator" not in said


def _part_facts(store: Store, job: Job) -> Sequence[dict[str, Any]]:
    results = store.results(job.recipe, job.videos[0])
    chunks = results.read_chunks() or ()
    return [
        read_facts(BytesIO(store.files.read(results.part_key(chunk)) or b"")) for chunk in chunks
    ]


# 8 bits


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """8-bit packs of few crops, on any CPU; the gates of this test's own."""
    monkeypatch.setattr(choose_precision, "sums_need_care", lambda: False)
    monkeypatch.setattr(quantize, "FRAMES", 24)
    monkeypatch.setattr(quantize, "CHOICES", ((5, 20),))


@pytest.mark.usefixtures("quick")
def test_8_bit_models_are_made_once_from_the_jobs_videos_and_kept(
    host: Host, blazepose_pack: Path, stroll: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = replace(host, packs=tmp_path / "packs")
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / "blazepose-full").symlink_to(blazepose_pack)
    for name, value in (("MAX_JITTER", 99.0), ("MIN_FASTER", 0.0), ("MAX_LANDMARK_ERROR", 0.02)):
        monkeypatch.setattr(try_precision, name, value)
    job, told = submitted(host, stroll, "int8")
    assert (job.recipe.pack_name, job.recipe.precision) == ("blazepose-full-w8a8", "float")
    assert told[0].startswith("--precision int8: the landmark model is")

    def made_again(*_: object, **__: object) -> None:
        raise AssertionError("8-bit models are made again")

    monkeypatch.setattr(choose_precision, "quantize_pack", made_again)
    assert submitted(host, stroll, "int8") == (job, told)
    with pytest.raises(UsageError, match="are not float ones"):
        submitted(host, stroll, "int8", pack="blazepose-full-w8a8")
    # Only those of this very pack are kept.
    file = tmp_path / "packs" / "blazepose-full-w8a8" / "pack.json"
    file.write_text(file.read_text().replace(read_pack(blazepose_pack).digest[:12], "0" * 12))
    with pytest.raises(AssertionError, match="made again"):
        submitted(host, stroll, "int8")


@pytest.mark.usefixtures("quick")
def test_8_bit_models_that_fail_are_not_made_again_for_these_videos(
    host: Host, stroll: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []

    def failing(*_: object, **__: object) -> None:
        runs.append(1)
        raise PackError("the landmark model is not accurate enough: the median error is 2%")

    monkeypatch.setattr(choose_precision, "quantize_pack", failing)
    for _ in range(2):
        job, told = submitted(host, stroll, "int8")
        assert job.recipe.pack_name == "blazepose-full"
        assert "not accurate enough: the median error is 2%. The models compute" in told[0]
    assert runs == [1]
