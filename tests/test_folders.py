"""Folders and names: every video in a folder is found, and no name ends a command."""

import errno
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from annotate.cli.progress import print_left_out
from annotate.domain.errors import ExitCode, HostError, UsageError
from annotate.domain.names import file_key, printable, unique_names
from annotate.formats.names import video_folders
from annotate.store import open_store
from annotate.use_cases.find_videos import find_patiently, find_videos
from tests.command import Host
from tests.made_sound import add_sound
from tests.made_videos import Layout

APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(4000)
LATIN = os.fsdecode(b"latin\xe9.mp4")
COLOURED = "red\x1b[31m\x07\n\u202emp4.mp4"
CONTROL = {chr(code) for code in [*range(10), *range(11, 32), *range(127, 160), 0x202E]}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 10 frames in MPEG-TS, which needs no ending to be recognised."""
    path = tmp_path_factory.mktemp("made") / "clip.ts"
    Layout(".ts", codec="mpeg2video", frames=10).make(path)
    return path


@pytest.fixture
def folder(tmp_path: Path, clip: Path) -> Path:
    """A folder with a video of every kind of ending, and of all that is none."""
    top = tmp_path / "recordings"
    (top / "monday").mkdir(parents=True)
    for suffix, codec in ((".vob", "mpeg2video"), (".mxf", "mpeg2video"), (".asf", "msmpeg4v3")):
        Layout(suffix, codec=codec, frames=10).make(top / f"made{suffix}")
    Layout(".nut", codec="mpeg4", frames=10).make(top / "made.nut")
    Layout(".3g2", codec="mpeg4", frames=10).make(top / "made.3g2")
    for name in ("a.divx", "b.f4v", "c.mpv", "d.mod", "e.tod", "no ending", "monday/f.XYZ"):
        shutil.copy(clip, top / name)
    (top / "._a.mp4").write_bytes(APPLE_DOUBLE)
    (top / ".hidden").mkdir()
    shutil.copy(clip, top / ".hidden" / "g.mp4")
    (top / "notes.txt").write_text("text")
    (top / "code.ts").write_text("const a: number = 1;\n")
    (top / "subtitles.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    (top / "empty").touch()
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    for suffix in (".jpg", ".png", ".webp"):
        Image.fromarray(noise).save(top / f"photo{suffix}")
    with av.open(str(top / "sound.m4a"), "w", format="mp4") as container:
        add_sound(container, 1.0)
    return top


NO_VIDEOS = {"notes.txt", "code.ts", "subtitles.srt", "empty", "sound.m4a"} | {
    f"photo{suffix}" for suffix in (".jpg", ".png", ".webp")
}


def test_every_video_of_a_folder_is_found_whatever_its_ending(folder: Path) -> None:
    found = find_videos([folder])
    assert [os.path.relpath(str(video), folder) for video in found.videos] == sorted(
        [
            *("a.divx", "b.f4v", "c.mpv", "d.mod", "e.tod", "no ending", "monday/f.XYZ"),
            *(f"made{suffix}" for suffix in (".vob", ".mxf", ".asf", ".nut", ".3g2")),
        ],
        key=lambda name: name.split("/"),
    )
    assert {Path(one.path).name for one in found.left_out} == NO_VIDEOS


def test_what_is_left_out_is_counted_and_named_on_request(
    host: Host, folder: Path, stroll: Path
) -> None:
    for path in find_videos([folder]).videos:
        assert isinstance(path, Path)
        path.unlink()
    shutil.copy(stroll, folder / "stroll")
    assert "left out   8 files" in host.run("submit", folder).err
    said = host.run("submit", folder, "--verbose")
    for name in NO_VIDEOS:
        reason = "an image beside videos" if name.startswith("photo") else "not a video"
        assert f"{folder / name}: {reason}" in said.err
    assert "._a.mp4" not in said.err
    assert "1 of 1 videos done, 60 frames" in said.out


@pytest.fixture
def traps(tmp_path: Path, clip: Path) -> Iterator[Path]:
    """A folder of things that are no files, or lead elsewhere."""
    top = tmp_path / "traps"
    (top / "sub.mp4").mkdir(parents=True)
    shutil.copy(clip, top / "sub.mp4" / "a.mp4")
    (top / "loop").symlink_to(top)
    (top / "sub.mp4" / "up").symlink_to(top)
    (top / "self").symlink_to(top / "self")
    (top / "broken.mp4").symlink_to(top / "nothing")
    os.mkfifo(top / "pipe")
    os.mkfifo(top / "pipe.mp4")
    (top / "device").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server:
        cwd = Path.cwd()
        os.chdir(top)  # a socket's path may be 100 bytes long
        server.bind("socket")
        os.chdir(cwd)
        yield top


def test_loops_pipes_devices_and_sockets_hang_nothing_and_are_named(traps: Path) -> None:
    found = find_videos([traps])
    assert {path.name for path in found.videos} == {"a.mp4", "pipe.mp4"}
    left_out = {Path(one.path).name for one in found.left_out}
    assert left_out == {"loop", "up", "self", "pipe", "device", "socket", "broken.mp4"}


def test_those_that_look_like_videos_are_rejected_by_name(
    host: Host, traps: Path, stroll: Path
) -> None:
    said = host.run("submit", traps / "pipe", traps / "pipe.mp4", "/dev/zero", stroll, code=3)
    for name in ("pipe", "pipe.mp4", "/dev/zero"):
        assert f"{name} is not a regular file" in said.err
    assert "1 of 1 videos done, 3 rejected" in said.out


def test_a_store_inside_the_folder_is_not_searched(folder: Path) -> None:
    shutil.copytree(folder, folder / "store" / "videos")
    store = open_store(str(folder / "store"))
    assert find_videos([folder], store=store).videos != find_videos([folder]).videos
    shutil.rmtree(folder / "store")
    assert find_videos([folder], store=store).videos == find_videos([folder]).videos


def test_a_folder_without_a_video_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("text")
    with pytest.raises(UsageError, match="no video in the folder"):
        find_videos([tmp_path])


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EMFILE])
@pytest.mark.parametrize("call", ["listdir", "stat"])
def test_a_folder_that_cannot_be_looked_at_now_is_not_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int, call: str
) -> None:
    """Its videos would be lost without a word."""
    real = getattr(os, call)

    def broken(path: Any, *rest: Any, **options: Any) -> Any:
        if Path(str(path)).name == "monday":
            raise OSError(number, os.strerror(number), str(path))
        return real(path, *rest, **options)

    monkeypatch.setattr(os, call, broken)
    with pytest.raises(HostError, match="monday") as raised:
        find_videos([folder])
    assert isinstance(raised.value.__cause__, OSError)


def test_a_folder_that_goes_away_while_it_is_searched_is_waited_for(
    host: Host, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a mount drops out between the list of its files and the look at them."""
    expected = find_videos([folder])
    real, aside, tries = os.listdir, folder.with_name("aside"), 0

    def drops(path: Any) -> Any:
        nonlocal tries
        names = real(path)
        if Path(path) == folder and not tries:
            folder.rename(aside)
            threading.Timer(0.5, aside.rename, [folder]).start()
        tries += 1
        return names

    monkeypatch.setattr(os, "listdir", drops)
    assert find_patiently([folder], host.settings()) == expected
    assert tries > 1


def test_what_may_hold_videos_is_always_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    real = os.listdir

    def closed(path: Any) -> Any:
        if Path(path).name == "monday":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "listdir", closed)
    (folder / "away.mp4").symlink_to(folder / "nothing")
    print_left_out(find_videos([folder]), verbose=False)
    said = capsys.readouterr().err.replace("\n", "")
    assert "monday: cannot be listed: Permission denied" in said
    assert "away.mp4: a link that leads nowhere" in said
    assert "notes.txt" not in said
    with pytest.raises(HostError, match="monday"):
        find_videos([folder / "monday"])


def test_several_paths_of_a_file_are_one_video(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    shutil.copy(clip, "a.mp4")
    (tmp_path / "link.mp4").symlink_to("a.mp4")
    named = ["a.mp4", "./a.mp4", "sub/../a.mp4", "link.mp4", str(tmp_path / "a.mp4")]
    assert find_videos(named).videos == (Path("a.mp4"),)
    assert find_videos(reversed_ := named[::-1]).videos == (Path(reversed_[0]),)


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/v/a.mp4"], ["a.mp4"]),
        (["/x/a.mp4", "/y/a.mp4"], ["x/a.mp4", "y/a.mp4"]),
        (["/v/A.mp4", "/v/a.mp4", "/v/a~2.mp4"], ["A.mp4", "a~2.mp4", "a~2~2.mp4"]),
        (["/v/e\u0301.mp4", "/v/\u00e9.mp4"], ["e\u0301.mp4", "\u00e9~2.mp4"]),
        ([f"/v/{LATIN}", "/v/latin%E9.mp4"], ["latin%E9.mp4", "latin%E9~2.mp4"]),
        (["/v/x\n.mp4", "/v/a\\b.mp4"], ["x%0A.mp4", "a%5Cb.mp4"]),
        (["/v/.mp4", "/v/.MP4"], [".mp4", ".MP4~2"]),
    ],
)
def test_names_are_printable_and_stay_apart_on_every_system(
    paths: list[str], names: list[str]
) -> None:
    assert unique_names([Path(path).parts for path in paths]) == names
    assert len({file_key(name) for name in names}) == len(names)


def test_folders_of_images_stay_apart_where_case_does_not_count() -> None:
    assert video_folders(["A.mp4", "a.mov", "b.mp4"]) == ["A.mp4", "a.mov", "b"]


@pytest.fixture
def odd_names(host: Host, stroll: Path) -> Host:
    """A job of a video whose name is not UTF-8, one that would colour the terminal, and one that
    cannot be read.
    """
    for name in (LATIN, COLOURED):
        shutil.copy(stroll, host.home / name)
    (host.home / f"text {COLOURED}").write_text("text")
    said = host.run("submit", host.home, code=ExitCode.PARTIAL)
    assert not CONTROL & set(said.out + said.err)
    assert "2 of 2 videos done, 1 rejected" in said.out
    return host


def test_odd_names_end_no_command_and_do_not_reach_the_terminal(odd_names: Host) -> None:
    content = json.loads(odd_names.exported())
    assert [video["name"] for video in content["videos"]] == [
        "latin%E9.mp4",
        "red%1B[31m%07%0A%E2%80%AEmp4.mp4",
    ]
    assert content["info"]["rejected"][0]["path"].endswith(f"text {printable(COLOURED)}")
    for command in (["status"], ["jobs"], ["export", "--out", "again.json", "--results"]):
        said = odd_names.run(*command)
        assert "latin%E9" in said.out or command[0] == "export"
        assert not CONTROL & set(said.out + said.err)
    missing = odd_names.run("submit", "gone \x1b[31m.mp4", code=ExitCode.USAGE)
    assert not CONTROL & set(missing.out + missing.err)


def test_a_console_without_the_letters_of_a_name_shows_it_escaped(host: Host, stroll: Path) -> None:
    shutil.copy(stroll, host.home / "\u30d3\u30c7\u30aa \U0001f600.mp4")
    host.run("submit", host.home)
    console = {**host.environ(), "PYTHONIOENCODING": "cp1252"}
    for command in ("status", "jobs"):
        process = subprocess.run(
            [sys.executable, "-m", "annotate", command],
            env=console,
            capture_output=True,
            timeout=120,
        )
        assert process.returncode == 0, process.stderr
        assert b"\\U0001f600" in process.stdout
