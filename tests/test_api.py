"""`import annotate`: the Python API."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import annotate
from annotate.api.results import ResultStore
from annotate.domain.errors import PartialResultError, UsageError, VideoError
from annotate.domain.tracks import Tracks
from annotate.domain.video import Chunk, DamagedRange
from annotate.video import decode
from tests.command import PATIENCE_S, Host

# Worker processes import the script again, as the API's docstring says.
SCRIPT = """
import json, sys
import annotate

if __name__ == "__main__":
    steps = set()
    status = annotate.submit(
        [sys.argv[1]],
        annotate.SubmitOptions(detect_every=5, start=1, smooth=7),
        store=annotate.open_store("other store"),
        progress=lambda step, fraction: steps.add(step),
    )
    store = annotate.open_store("other store")
    summary = annotate.export("api.json", store=store)
    (video,) = status.job.videos
    blocks = list(annotate.final_tracks(status.job, video, store=store))
    rows = sum(map(len, blocks))
    assert rows == summary.poses > 0
    assert blocks[0].smoothed.shape[1:] == (33, 5)
    print(json.dumps({"complete": status.complete, "frames": summary.frames,
                      "steps": sorted(steps)}))
"""

# Times are rounded to microseconds, which moves smoothed landmarks by so many pixels or metres.
TIMES_PX = 4e-4
# Where colours are sampled otherwise, landmarks of people some 100 px tall differ by so much.
SAMPLED_PX = 0.5


def test_a_script_gets_what_the_command_line_gets(host: Host, stroll: Path) -> None:
    script = host.home / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, script, stroll],
        cwd=host.home,
        env=host.environ(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "complete": True,
        "frames": 30,
        "steps": ["Annotating", "Reading stroll.mp4"],
    }
    host.run("submit", stroll, "--detect-every", "5", "--start", "1", "--smooth", "7")
    assert host.exported() == (host.home / "api.json").read_bytes()


@pytest.mark.parametrize(
    "videos", ["x.mp4", Path("x.mp4"), ["x.mp4"]], ids=["text", "path", "list"]
)
def test_videos_are_a_path_or_several(
    videos: str | Path | list[str | Path], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"no such file: x\.mp4"):
        annotate.submit(videos, store=annotate.open_store(tmp_path))


def test_importing_the_package_is_cheap(host: Host) -> None:
    host.run_python(
        "import sys, annotate\n"
        "assert 'submit' in dir(annotate)\n"
        "heavy = {'numpy', 'celery', 'pyarrow', 'typer', 'annotate.api'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'annotate_all'"):
        _ = annotate.annotate_all


def test_every_public_name_is_there() -> None:
    assert all(hasattr(annotate, name) for name in annotate.__all__)


@pytest.fixture(scope="module")
def annotated(
    tmp_path_factory: pytest.TempPathFactory, blazepose_pack: Path, stroll: Path
) -> ResultStore:
    """A store with the stroll, of which frames 10 to 19 are annotated."""
    home = tmp_path_factory.mktemp("annotated")
    host = Host(home / "store", blazepose_pack.parent, home)
    host.run("submit", stroll, "--start", "0.34", "--end", "0.66")
    return annotate.open_store(home / "store")


def test_the_jobs_and_videos_of_a_store(annotated: ResultStore) -> None:
    (job,) = annotated.jobs()
    assert job.status().complete
    assert [video.name for video in job.videos] == ["stroll.mp4"]
    assert annotated.job(job.id).video("stroll.mp4").frames.tolist() == list(range(11, 20))
    with pytest.raises(UsageError, match="stroll"):
        annotated.video("strol.mp4")


def test_the_table_has_the_values_of_the_blocks(annotated: ResultStore) -> None:
    video = annotated.video("stroll.mp4")
    tracks = Tracks.concat(list(video.blocks()))
    table = video.tracks()
    assert table.num_rows == len(tracks) > 0
    for column, values in {
        "frame": tracks.frame_index,
        "time_s": tracks.time_s,
        "filled": tracks.filled,
        "box_height": tracks.bbox[:, 3],
        "nose_x": tracks.smoothed[:, 0, 0],
        "left_knee_visibility": tracks.smoothed[:, 25, 3],
        "right_foot_index_world_z": tracks.smoothed_world[:, 32, 2],
    }.items():
        np.testing.assert_array_equal(table[column].to_numpy(), values)
    raw = video.tracks(raw=True)["left_knee_y"].to_numpy()
    np.testing.assert_array_equal(raw, tracks.raw[:, 25, 1])


def test_the_people_of_a_frame(annotated: ResultStore) -> None:
    video = annotated.video("stroll.mp4")
    tracks = Tracks.concat(list(video.blocks()))
    for frame in (15, 12, 19):  # back and forth
        rows = tracks.take(tracks.frame_index == frame)
        people = video.poses(frame)
        assert (people.frame, len(people)) == (frame, len(rows))
        np.testing.assert_array_equal(people.landmarks, rows.smoothed)
        np.testing.assert_array_equal(people.landmark("left_knee"), rows.smoothed[:, 25])
        np.testing.assert_array_equal(people.keypoints[:, 13], rows.smoothed[:, 25, [0, 1, 3]])
        np.testing.assert_array_equal(video.poses(frame, raw=True).landmarks, rows.raw)
    with pytest.raises(UsageError, match="does not annotate frame 20"):
        video.poses(20)


def test_a_frame_that_was_not_processed_is_not_empty(annotated: ResultStore) -> None:
    video = annotated.video("stroll.mp4")
    results = annotated.results(video.job.job.recipe, video.entry)
    digest = video.job.job.merge_digest
    (name,) = results.merges()
    held = annotated.files.read(results.tracks_key(name))
    blocks = [block.take(block.frame_index > 14) for block in video.blocks()]
    facts = {"missing": [[0, 3]], "damaged": [asdict(DamagedRange(14, 15, 14, 14, "corrupt", 1))]}
    results.write_tracks(digest, blocks, 33, facts, world_axes=3)
    try:
        video = annotated.video("stroll.mp4")
        assert video.missing.tolist() == [11, 12, 13]
        with pytest.raises(PartialResultError, match=r"frame 12 .* not processed"):
            video.poses(12)
        with pytest.raises(VideoError, match=r"frame 14 .* damaged"):
            video.poses(14)
        assert len(video.poses(15)) == len(blocks[0].take(blocks[0].frame_index == 15))
    finally:
        annotated.files.write(results.tracks_key(name), held or b"")


@pytest.mark.parametrize("exact", [True, False], ids=["MediaPipe's own mode", "default"])
def test_pictures_in_memory_give_what_a_job_gives(
    exact: bool, host: Host, stroll: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same where a job sees exact RGB, too; nearly so where it samples the video's planes."""
    mode = ("--people", "near", "--detect-every", "1") if exact else ()
    host.run("submit", stroll, "--end", "0.3", *mode)
    video = annotate.open_store(host.store).video("stroll.mp4")
    for name, value in host.environ().items():
        monkeypatch.setenv(name, value)
    options = annotate.SubmitOptions(people="near", detect_every=1)
    estimator = annotate.PoseEstimator(options if exact else annotate.SubmitOptions())
    frames = [frame.rgb for frame in decode(stroll, video.index, Chunk(0, 9))]
    found = estimator.track(frames, time_s=video.index.time_s[:9])
    assert len(found) == len(video.frames) == 9
    for people in found:
        filed = video.poses(people.frame)
        np.testing.assert_array_equal(people.track_id, filed.track_id)
        apart = np.abs(people.landmarks[..., :2] - filed.landmarks[..., :2])
        assert np.median(apart) <= SAMPLED_PX
        if exact:
            np.testing.assert_allclose(people.landmarks, filed.landmarks, atol=TIMES_PX)
            np.testing.assert_allclose(people.world, filed.world, atol=TIMES_PX)
    assert len(found[0]) == len(estimator.poses(frames[0])) > 0
    shown = annotate.draw(frames[0], found[0])
    assert shown.shape == frames[0].shape
    assert (shown != frames[0]).any()
    assert estimator.track([], fps=30) == []


@pytest.mark.parametrize(
    ("frames", "times", "message"),
    [
        ([np.zeros((8, 8), np.uint8)], {"fps": 30}, r"not \(8, 8\) of uint8"),
        ([np.zeros((8, 8, 3), np.float32)], {"fps": 30}, r"not \(8, 8, 3\) of float32"),
        ([np.zeros((8, 8, 3), np.uint8)], {}, "fps or time_s"),
        ([np.zeros((8, 8, 3), np.uint8)], {"fps": 0}, "fps cannot be 0"),
        ([np.zeros((8, 8, 3), np.uint8)] * 2, {"time_s": [1, 1]}, "increasing"),
        (
            [np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9, 3), np.uint8)],
            {"fps": 30},
            "frame 1 is 9 x 8, and the first one 8 x 8",
        ),
    ],
    ids=["grey", "float", "no times", "zero rate", "equal times", "two sizes"],
)
def test_unsuitable_pictures_are_refused(
    frames: list[np.ndarray],
    times: dict[str, Any],
    message: str,
    host: Host,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in host.environ().items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=message):
        annotate.PoseEstimator().track(frames, **times)
