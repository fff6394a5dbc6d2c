"""The commands as a user types them, each in a process of its own."""

import json
import os
import resource
import shutil
import signal
from pathlib import Path

import pytest

from annotate.domain.errors import ExitCode
from annotate.video.file import NOT_A_VIDEO
from tests.command import PATIENCE_S, Host

# Seconds of work even for a short video: time to interrupt the command.
SLOW = ("--people", "all")


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A text file that calls itself a video."""
    path = tmp_path / "notes.mp4"
    path.write_text("not a video")
    return path


def test_videos_in_coco_out(host: Host, stroll: Path) -> None:
    said = host.run("submit", stroll)
    assert "1 of 1 videos done, 60 frames" in said.out
    assert "annotate export" in said.out
    assert "done     stroll.mp4" in said.err

    status = json.loads(host.run("status", "--json").out)
    assert status["complete"]
    assert status["frames"] == status["frames_done"] == 60
    assert [video["state"] for video in status["videos"]] == ["done"]
    assert "stroll.mp4" in host.run("status").out
    assert status["job"] in host.run("jobs").out

    host.run("export", "--format", "coco", "--out", "people.json")
    dataset = json.loads((host.home / "people.json").read_bytes())
    assert len(dataset["images"]) == 60
    assert dataset["images"][7]["file_name"] == "stroll/frame_000007.jpg"
    assert {a["track_id"] for a in dataset["annotations"]} >= {1, 2}


@pytest.mark.skipif(
    Path("/dev/dri").exists() or Path("/dev/nvidia0").exists(),
    reason="this host may decode in hardware",
)
def test_without_a_hardware_decoder_the_cpu_decodes(host: Host, stroll: Path) -> None:
    said = host.run("submit", stroll, "--hwaccel", "auto")
    assert "decoding on the CPU" in said.err
    assert "1 of 1 videos done, 60 frames" in said.out


def test_a_job_is_evaluated_as_its_export_is(host: Host, stroll: Path) -> None:
    host.run("submit", stroll)
    job = json.loads(host.run("status", "--json").out)["job"]
    host.run("export", "--out", "people.json")
    whole = json.loads(host.run("evaluate", "people.json", "people.json", "--json").out)
    assert json.loads(host.run("evaluate", job, "people.json", "--json").out) == whole
    assert "no job 2026" in host.run("evaluate", "2026", "people.json", code=ExitCode.USAGE).err


def test_the_same_submission_again_finds_everything_done(host: Host, stroll: Path) -> None:
    first = host.run("submit", stroll)
    parts = {path: path.stat().st_mtime_ns for path in Path(host.store).rglob("*.parquet")}
    again = host.run("submit", stroll)
    assert first.out == again.out
    written = {p for p, time in parts.items() if p.stat().st_mtime_ns != time}
    assert {path.name for path in written} <= {"index.parquet"}


def test_another_smoothing_repeats_only_the_merge(host: Host, stroll: Path) -> None:
    host.run("submit", stroll)
    smooth = host.exported("smooth.json")
    parts = {p: p.stat().st_mtime_ns for p in Path(host.store).glob("results/*/*/parts/*")}
    host.run("submit", stroll, "--smooth", "off")
    assert {p: p.stat().st_mtime_ns for p in Path(host.store).glob("results/*/*/parts/*")} == parts
    assert host.exported("raw.json") != smooth


def test_a_store_of_another_version_takes_new_jobs(host: Host, stroll: Path) -> None:
    host.run("submit", stroll)
    (manifest,) = Path(host.store).glob("jobs/*.json")
    fields = json.loads(manifest.read_text())
    del fields["merge"]
    # The first job of the year stays behind what is submitted now.
    old = manifest.with_name("20260101-000000-abcdef.json")
    manifest.rename(old)
    old.write_text(json.dumps(fields))
    assert "another version" in host.run("status", code=ExitCode.STORE).err
    assert "1 of 1 videos done" in host.run("submit", stroll).out
    listed = host.run("jobs").out.splitlines()
    assert ["stroll.mp4" in line for line in listed] == [False, True, False]
    assert "unreadable" in listed[2]
    (shown,) = json.loads(host.run("jobs", "--json").out)
    assert (shown["state"], shown["frames"], shown["frames_done"]) == ("done", 60, 60)
    assert shown["submitted"].startswith(f"{shown['job'][:4]}-")


def test_one_bad_file_does_not_stop_the_others(host: Host, stroll: Path, notes: Path) -> None:
    said = host.run("submit", notes, stroll, code=ExitCode.PARTIAL)
    assert "notes.mp4" in said.err
    assert NOT_A_VIDEO in said.err
    assert "done     stroll.mp4" in said.err
    assert "1 of 1 videos done, 1 rejected" in said.out
    assert "Next: annotate export" in said.out
    # The exit code says it once; from then on the job is complete.
    shown = json.loads(host.run("status", "--json").out)
    assert shown["complete"]
    assert [one["hint"] for one in shown["rejected"]] == [NOT_A_VIDEO]
    table = host.run("status").out
    assert "notes.mp4" in table
    assert NOT_A_VIDEO in " ".join(table.split())
    exported = host.run("export", "--out", "people.json")
    assert "notes.mp4" in exported.err
    assert NOT_A_VIDEO in exported.err
    dataset = json.loads((host.home / "people.json").read_bytes())
    assert dataset["annotations"]
    assert [one["hint"] for one in dataset["info"]["rejected"]] == [NOT_A_VIDEO]
    assert "missing" not in dataset["info"]
    host.run("evaluate", shown["job"], "people.json", "--json")


def test_only_bad_files_are_an_error_that_names_them(host: Host, notes: Path) -> None:
    said = host.run("submit", notes, code=ExitCode.BAD_VIDEO)
    assert "notes.mp4" in said.err
    assert NOT_A_VIDEO in said.err


def test_a_typo_in_a_path_gets_a_suggestion(host: Host, stroll: Path) -> None:
    said = host.run("submit", stroll.with_name("strol.mp4"), code=ExitCode.USAGE)
    assert "Did you mean" in said.err
    assert "stroll.mp4" in said.err


def test_a_folder_means_its_videos(host: Host, stroll: Path) -> None:
    folder = host.home / "recordings" / "monday"
    folder.mkdir(parents=True)
    (folder / "a.MP4").symlink_to(stroll)
    (folder / "notes.txt").write_text("text")
    assert "1 of 1 videos done" in host.run("submit", folder.parent).out
    empty = host.home / "empty"
    empty.mkdir()
    assert "no video" in host.run("submit", empty, code=ExitCode.USAGE).err


def test_status_and_export_without_a_job_say_how_to_start(host: Host) -> None:
    for command in (["status"], ["export", "--out", "people.json"]):
        assert "annotate submit" in host.run(*command, code=ExitCode.USAGE).err


def test_an_export_into_a_folder_is_refused(host: Host, stroll: Path) -> None:
    host.run("submit", stroll)
    err = host.run("export", "--out", host.home, code=ExitCode.USAGE).err
    assert "is a folder" in err
    assert "people.json" in err


def test_an_unfinished_job_is_reported_and_not_exported(host: Host, stroll: Path) -> None:
    process = host.start("submit", stroll, *SLOW)
    assert host.next_heartbeat(process) is not None
    running = json.loads(host.run("status", "--json").out)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not running["finished"]
    assert running["workers"][0]["provider"] == "cpu"
    placed = running["workers"][0]["placement"]
    assert set(placed) == {"detector", "landmark"}
    assert set(placed["detector"]) == {"CPUExecutionProvider"}
    assert "run the same" in host.run("status").out
    said = host.run("export", "--out", "people.json", code=ExitCode.PARTIAL)
    assert "of 60 frames" in said.err
    assert not (host.home / "people.json").exists()
    said = host.run("export", "--partial", "--out", "people.json", code=ExitCode.PARTIAL)
    assert "0 frames" in said.out
    assert "No person" not in said.err


def _accept_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_says_how_to_continue(host: Host, walk: Path) -> None:
    # A shell makes background processes ignore Ctrl-C, and their children inherit that.
    process = host.start("submit", walk, *SLOW, preexec_fn=_accept_ctrl_c)
    assert host.next_heartbeat(process) is not None
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.INTERRUPTED
    assert "finished chunks are kept" in err
    assert "Traceback" not in err
    host.run("submit", walk, *SLOW)


def test_a_full_disk_is_an_error_and_loses_nothing(host: Host, stroll: Path) -> None:
    """A limit on the size of files acts like a full disk: writing fails in the same place."""
    host.run("models", "list")

    def tight() -> None:
        # Room for index, manifest and heartbeats, but for no part. SIGXFSZ would kill: Python
        # ignores it, and writing fails with an error instead.
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    # The pack is larger than the limit: the first command puts it into the store.
    submitted = host.start("submit", stroll)
    host.next_heartbeat(submitted)
    os.killpg(submitted.pid, signal.SIGKILL)
    submitted.communicate()
    said = host.run("submit", stroll, code=ExitCode.STORE, preexec_fn=tight)
    assert "cannot write" in said.err
    host.run("submit", stroll)


def test_a_store_that_cannot_be_created_is_an_error(host: Host, stroll: Path) -> None:
    (host.home / "file").write_text("in the way")
    said = host.run("submit", stroll, "--store", host.home / "file", code=ExitCode.STORE)
    assert "cannot" in said.err
    assert "--store" in said.err


@pytest.mark.parametrize(
    "command",
    [[], ["submit"], ["status"], ["export"], ["retry"], ["jobs"], ["models"], ["probe"]],
    ids=["annotate", "submit", "status", "export", "retry", "jobs", "models", "probe"],
)
def test_help_of(host: Host, command: list[str]) -> None:
    assert "Usage: annotate" in host.run(*command, "--help").out


def test_commands_load_only_what_they_need(host: Host, stroll: Path) -> None:
    """Each import delays the start. pyarrow's conversions would import pandas."""
    submit = ["submit", str(stroll), "--every", "30", "--processes", "1"]
    of_processes = {"onnxruntime", "onnx", "scipy", "pandas", "prometheus_client", "redis"}
    light = of_processes | {"av", "cv2", "celery", "pyarrow"}
    program = (
        "import sys, annotate.__main__\n"
        "sys.argv[1:] = {command!r}\n"
        "try:\n    annotate.__main__.main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "heavy = {heavy!r} & set(sys.modules)\n"
        "sys.exit(f'loaded: {{heavy}}' if heavy else 0)\n"
    )
    for command, heavy in (
        (submit, of_processes),
        (["--help"], light | {"numpy"}),
        (["status"], light),
        (["jobs"], light),
    ):
        host.run_python(program.format(command=command, heavy=heavy))


def test_a_process_of_a_pool_does_not_load_the_command_line(host: Host) -> None:
    host.run_python("import annotate.__main__, sys\nassert 'annotate.cli' not in sys.modules")


def test_the_demo_finds_its_people_and_evaluate_agrees(host: Host) -> None:
    said = host.run("demo", "--seconds", "3", "--out", "demo")
    figures = json.loads(host.run("evaluate", "demo/people.json", "demo/truth.json", "--json").out)
    counts, tracking = figures["detections"], figures["tracking"]
    assert f"{counts['found']} of {counts['people']} people found" in said.out
    assert f"{counts['false_positives']} false positives" in said.out
    assert f"{figures['pck']['overall']:.1%} of keypoints" in said.out
    assert f"{tracking['tracks']} tracks of {tracking['people']} people" in said.out
    made = {path.name for path in (host.home / "demo").iterdir()}
    assert made >= {"demo.mp4", "truth.json", "people.json", "results.json", "overlay.mp4"}


def test_a_duplicate_is_annotated_once_and_exported_as_both(
    host: Host, stroll: Path, tmp_path: Path
) -> None:
    copy = shutil.copy(stroll, tmp_path / "again.mp4")
    said = host.run("submit", stroll, copy)
    assert "again.mp4: duplicate of stroll.mp4" in said.err
    assert "2 of 2 videos done, 60 frames" in said.out
    assert "again.mp4: duplicate of stroll.mp4" in host.run("status").out
    assert [video["name"] for video in json.loads(host.exported())["videos"]] == [
        "stroll.mp4",
        "again.mp4",
    ]
