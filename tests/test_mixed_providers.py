"""What models run on, in whole runs: a mixture is chosen, told, and takes over what is done."""

import json
from pathlib import Path
from typing import Any

import pytest

from annotate.domain.options import SubmitOptions
from annotate.domain.video import Chunk
from annotate.use_cases.find_videos import FoundVideos
from annotate.use_cases.submit import submit
from tests.command import Host
from tests.fleet import board_of, working
from tests.servers import RedisServer, wait_until

CHUNK, FRAMES = 60, 240
EXACT = ("--detect-every", "1")
MIXED = (*EXACT, "--allow-mixed")


def exported(host: Host) -> tuple[Any, str]:
    said = host.run("export", "--out", "people.json", "--force")
    (video,) = json.loads((host.home / "people.json").read_bytes())["videos"]
    ranges = [(one["start"], one["stop"], one["provider"]) for one in video["providers"]]
    assert [one["count"] for one in video["providers"]] == [b - a for a, b, _ in ranges]
    return ranges, said.err


def test_frames_of_each_provider_are_told(tmp_path: Path, blazepose_pack: Path, walk: Path) -> None:
    host = Host(tmp_path / "store", blazepose_pack.parent, tmp_path)
    store = host.opened()
    options = SubmitOptions(detect_every=1)
    job = submit(store, FoundVideos((walk,)), options, host.settings(), workers=1)
    results = store.results(job.recipe, job.videos[0])
    results.write_chunks([Chunk(start, start + CHUNK) for start in range(0, FRAMES, CHUNK)])
    host.run("submit", walk, *EXACT)
    ranges, err = exported(host)
    assert ranges == [(0, FRAMES, "cpu")]
    assert "Models ran" not in err

    # A mixture takes over what is done.
    others = {chunk: results.read_part(chunk) for chunk in (Chunk(60, 120), Chunk(120, 180))}
    for chunk in others:
        store.files.delete(results.part_key(chunk))
    both = SubmitOptions(detect_every=1, allow_mixed=True)
    mixed = submit(store, FoundVideos((walk,)), both, host.settings(), workers=1)
    mixture = store.results(mixed.recipe, mixed.videos[0])
    assert mixture.read_chunks() == results.read_chunks()
    assert mixture.parts() == {Chunk(0, 60).name, Chunk(180, 240).name}

    # As if workers on another kind of host had done the two others.
    for chunk, poses in others.items():
        mixture.write_part(chunk, poses, {"provider": "qnn"})
    host.run("submit", walk, *MIXED)
    ranges, err = exported(host)
    assert ranges == [(0, 60, "cpu"), (60, 180, "qnn"), (180, FRAMES, "cpu")]
    assert "Models ran on cpu (120), qnn (120) frames: their poses differ a little." in err

    # The job for one provider has none of it.
    host.run("submit", walk, *EXACT)
    assert exported(host)[0] == [(0, FRAMES, "cpu")]


@pytest.mark.timeout(900)
def test_a_worker_that_has_something_else_takes_nothing_and_says_why(
    tmp_path: Path, blazepose_pack: Path, stroll: Path, redis_server: RedisServer
) -> None:
    host = Host(
        tmp_path / "store",
        blazepose_pack.parent,
        tmp_path,
        {"ANNOTATE_BROKER": redis_server.url},
    )
    host.opened().id()
    with working(host):
        waits = host.run("submit", stroll, "--provider", "qnn", "--detach")
        assert "is queued" in waits.out
        job = host.opened().newest_job()
        assert job.recipe.runs_on == "qnn"
        wait_until(lambda: bool(board_of(host).reports.refusals(job.id)), "a refusal")
        said = host.run("status").out
        assert "takes nothing of this job: the models of the job are to run on qnn" in said
        assert "this host runs models on cpu" in said
        assert "Models run on: qnn" in said
        assert json.loads(host.run("status", "--json").out)["frames_done"] == 0

        # Without a choice it goes on as it was begun; another one is made for the CPU.
        again = host.run("submit", stroll, "--detach")
        assert "No running worker has qnn" in again.err
        assert host.opened().newest_job().id == job.id
        assert "1 of 1 videos done" in host.run("submit", stroll, "--provider", "cpu").out
    assert exported(host)[0][0][2] == "cpu"


def test_a_job_of_another_provider_ends_with_what_to_do(
    tmp_path: Path, blazepose_pack: Path, stroll: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where another host, which has it, submitted it."""
    monkeypatch.setattr("annotate.inference.isolated.run_isolated", lambda *_: ("openvino", ""))
    host = Host(tmp_path / "store", blazepose_pack.parent, tmp_path)
    found, options = FoundVideos((stroll,)), SubmitOptions(provider="openvino")
    settings = options.on_host(host.settings())
    job = submit(host.opened(), found, options, settings, workers=1)
    assert job.recipe.runs_on == "openvino"
    said = host.run("retry", job.id, code=1).err
    assert "the models of the job are to run on openvino" in said
    assert "--allow-mixed" in said
    assert "made anew on cpu" in host.run("submit", stroll).err
    assert exported(host)[0][0][2] == "cpu"
