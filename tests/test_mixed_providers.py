"""An export says which frames' models ran where, as poses differ a little between providers."""

import json
from pathlib import Path
from typing import Any

from annotate.domain.options import SubmitOptions
from annotate.domain.video import Chunk
from annotate.use_cases.find_videos import FoundVideos
from annotate.use_cases.submit import submit
from tests.command import Host

CHUNK, FRAMES = 60, 240


def exported(host: Host) -> tuple[Any, str]:
    said = host.run("export", "--out", "people.json", "--force")
    (video,) = json.loads((host.home / "people.json").read_bytes())["videos"]
    ranges = [(one["start"], one["stop"], one["provider"]) for one in video["providers"]]
    assert [one["count"] for one in video["providers"]] == [b - a for a, b, _ in ranges]
    return ranges, said.err


def test_frames_of_each_provider_are_told(tmp_path: Path, blazepose_pack: Path, walk: Path) -> None:
    host = Host(tmp_path / "store", blazepose_pack.parent, tmp_path)
    store = host.opened()
    found, options = FoundVideos((walk,)), SubmitOptions(detect_every=1)
    job = submit(store, found, options, host.settings(), workers=1)
    results = store.results(job.recipe, job.videos[0])
    results.write_chunks([Chunk(start, start + CHUNK) for start in range(0, FRAMES, CHUNK)])
    host.run("submit", walk, "--detect-every", "1")
    ranges, err = exported(host)
    assert ranges == [(0, FRAMES, "cpu")]
    assert "Models ran" not in err

    # As if workers on another kind of host had done two of the chunks.
    for start in (60, 120):
        chunk = Chunk(start, start + CHUNK)
        results.write_part(chunk, results.read_part(chunk), {"provider": "qnn"})
    store.files.delete(results.tracks_key(job.merge_digest))
    host.run("submit", walk, "--detect-every", "1")
    ranges, err = exported(host)
    assert ranges == [(0, 60, "cpu"), (60, 180, "qnn"), (180, FRAMES, "cpu")]
    assert "Models ran on cpu (120), qnn (120) frames: their poses differ a little." in err
