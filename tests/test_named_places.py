"""Where commands write: a place that does not fit is named, and nothing that is there changes."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotate.domain.errors import ExitCode
from tests.in_process import InProcess, cheap_work, made_host

# Commands that write a file, and those that write a folder; the place follows.
FILES = {
    "export": ("export", "--partial", "--out"),
    "report": ("report", "--out"),
    "edits": ("edits", "sound.mp4", "--export"),
}
FOLDERS = {
    "export, a folder": ("export", "--partial", "--format", "yolo-pose", "--out"),
    "export, a file a video": ("export", "--partial", "--per-video"),
    "export, images": ("export", "--partial", "--out", "people.json", "--images"),
    "report, a folder": ("report", "--out"),
    "draw": ("draw", "sound.mp4", "--out"),
    "draw, a still": ("draw", "sound.mp4", "--frame", "1", "--out"),
    "demo": ("demo", "--seconds", "1", "--out"),
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, blazepose_pack: Path) -> Iterator[InProcess]:
    """A host with a finished job, whose pipeline costs nothing."""
    with cheap_work():
        yield made_host(tmp_path_factory.mktemp("places"), blazepose_pack.parent)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a file and a folder of the user's."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.html").write_text("my notes")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("my notes")
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "link.html").symlink_to("mine.html")
    return tmp_path


def content(folder: Path) -> dict[str, bytes | None]:
    """All files and folders below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize(
    "place", ["folder.html", "mine.html", "link.html", "missing/a.html", "mine.html/a.html"]
)
@pytest.mark.parametrize("command", FILES)
def test_a_file_is_not_written_where_it_does_not_fit(
    host: InProcess, here: Path, command: str, place: str
) -> None:
    before = content(here)
    said = host.run(*FILES[command], place)
    assert said.defect is None, said
    assert said.code == ExitCode.USAGE, said
    # Of a link the file behind it is named.
    assert place.replace("link", "mine").partition("/")[0] in said.text
    assert content(here) == before


@pytest.mark.parametrize("command", FILES)
def test_a_file_of_something_else_is_replaced_when_forced(
    host: InProcess, here: Path, command: str
) -> None:
    assert host.run(*FILES[command], "link.html", "--force").code in (0, ExitCode.PARTIAL)
    assert (here / "mine.html").read_text() != "my notes"
    assert (here / "link.html").is_symlink()
    # Now it is one of ours.
    assert host.run(*FILES[command], "link.html").code in (0, ExitCode.PARTIAL)


@pytest.mark.parametrize("command", FILES)
def test_a_full_device_is_said_and_stays_one(host: InProcess, command: str) -> None:
    full = Path("/dev/full")
    # A report that is no .html file would be a folder.
    said = host.run(*FILES[command], full)
    assert said.defect is None, said
    assert said.code == (ExitCode.USAGE if command == "report" else ExitCode.STORE), said
    assert "/dev/full" in said.text
    assert stat.S_ISCHR(full.stat().st_mode)


@pytest.mark.parametrize(
    ("command", "place"),
    [
        (command, place)
        for command in FOLDERS
        for place in ("mine.html", "mine.html/below")
        # A report may be one file.
        if (command, place) != ("report, a folder", "mine.html")
    ],
)
def test_a_folder_is_not_made_where_a_file_is(
    host: InProcess, here: Path, command: str, place: str
) -> None:
    before = content(here)
    said = host.run(*FOLDERS[command], place)
    assert said.defect is None, said
    assert said.code == ExitCode.USAGE, said
    assert "mine.html" in said.text
    assert "store" not in said.text.lower().replace(str(host.folder).lower(), "")
    assert {**content(here), "people.json": None} == {**before, "people.json": None}


def test_a_folder_with_the_name_of_a_drawing_stays(host: InProcess, here: Path) -> None:
    for name, more in (("sound.frame1.png", ("--frame", "1")), ("sound.drawn.mp4", ())):
        (here / "drawn" / name).mkdir(parents=True)
        said = host.run("draw", "sound.mp4", *more)
        assert (said.code, said.defect) == (ExitCode.USAGE, None), said
        assert (here / "drawn" / name).is_dir()
