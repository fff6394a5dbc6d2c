"""The wheel, as a stranger installs it: complete, typed, and able to run the demo."""

import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import venv
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

import pytest

from annotate.domain.distribution import DISTRIBUTION

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# A folder outside the checkout.
ELSEWHERE = Path(tempfile.gettempdir())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that pip builds from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the programs of a clean environment that holds the wheel.

    Its dependencies are those of the running environment: a path file adds them, which does not
    run the path files there, so that an editable install of this checkout stays out of sight.
    """
    home = tmp_path_factory.mktemp("clean")
    venv.create(home, with_pip=False)
    programs = home / ("Scripts" if os.name == "nt" else "bin")
    python = programs / "python"
    paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    own = _run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    (Path(own) / "dependencies.pth").write_text("".join(f"{path}\n" for path in sorted(paths)))
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    _run(*pip, "install", "--no-deps", "--no-index", "--ignore-installed", wheel)
    return programs


def _run(*command: str | Path, cwd: Path = ELSEWHERE, **more: str) -> str:
    """Runs a program that does not see this checkout; it must exit with 0."""
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**environ, **more},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _metadata(wheel: Path) -> Message:
    with ZipFile(wheel) as files:
        (name,) = (n for n in files.namelist() if n.endswith(".dist-info/METADATA"))
        return message_from_bytes(files.read(name))


def test_the_wheel_holds_every_file_of_the_packages_and_no_test(wheel: Path) -> None:
    sources = {
        path.relative_to(ROOT).as_posix()
        for package in ("annotate", "workers")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"annotate/py.typed", "workers/py.typed", "annotate/cli/app.py"} <= sources
    assert "annotate/review/page/app.js" in sources
    with ZipFile(wheel) as files:
        names = {name for name in files.namelist() if ".dist-info/" not in name}
    assert names == sources


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    says = _metadata(wheel)
    assert says["Name"] == DISTRIBUTION
    assert says["License-Expression"] == "Apache-2.0"
    assert says["License-File"] == "LICENSE"
    assert says["Author"] == "The annotate authors"
    assert says["Keywords"]
    assert set(says.get_all("Provides-Extra", [])) == set(PROJECT["optional-dependencies"])


def test_extras_of_itself_carry_its_own_name() -> None:
    """`annotate` on the public index is another project: an extra must not install that one."""
    extras = PROJECT["optional-dependencies"]
    own = [item for extra in extras.values() for item in extra if item.startswith("annotate")]
    assert own
    for item in own:
        assert re.fullmatch(rf"{DISTRIBUTION}\[[a-z,]+\]", item)


def test_the_installed_wheel_runs_the_demo(
    installed: Path, blazepose_pack: Path, tmp_path: Path
) -> None:
    where = _run(installed / "python", "-c", "import annotate; print(annotate.__file__)")
    assert Path(where.strip()).is_relative_to(installed.parent)
    version = _run(installed / "annotate", "--version").split()
    assert version == ["annotate", _run_version(installed)]
    demo = ("demo", "--seconds", "1", "--out", "demo")
    out = _run(
        installed / "annotate", *demo, cwd=tmp_path, ANNOTATE_PACKS=str(blazepose_pack.parent)
    )
    assert "overlay.mp4" in out
    assert (tmp_path / "demo" / "overlay.mp4").stat().st_size > 0


def _run_version(installed: Path) -> str:
    code = f"import importlib.metadata as m; print(m.version({DISTRIBUTION!r}))"
    return _run(installed / "python", "-c", code).strip()
