"""The lower bounds of pyproject.toml hold: a part of the suite runs with exactly those versions.

pytest -m lowest
"""

import os
import subprocess
import tomllib
import venv
from pathlib import Path

import pytest

from tests.documents import ROOT

# Together they use every library that users install.
TESTS = (
    "test_bf16.py",
    "test_command_line.py",
    "test_convert.py",
    "test_evaluate_files.py",
    "test_evaluate_motion.py",
    "test_formats_coco.py",
    "test_messages.py",
    "test_packs_installed.py",
    "test_quantize.py",
    "test_store.py",
    "test_store_packs.py",
    "test_store_results.py",
    "test_video_probe.py",
    "test_video_writer.py",
)


def test_every_dependency_has_a_lower_bound() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [one for extra in project["optional-dependencies"].values() for one in extra]
    unbound = [one for one in [*project["dependencies"], *extras] if ">=" not in one]
    assert sorted(unbound) == ["annotate-video[evaluate,formats,hub]", "annotate-video[formats]"]


@pytest.mark.lowest
@pytest.mark.timeout(7200)
def test_the_lowest_versions_work(tmp_path: Path) -> None:
    """uv can choose the lowest version of each direct dependency, which pip cannot."""
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    programs = home / ("Scripts" if os.name == "nt" else "bin")
    python = programs / "python"
    _run(python, "-m", "pip", "install", "--quiet", "uv")
    install = ("pip", "install", "--python", python, "--resolution", "lowest-direct")
    _run(programs / "uv", *install, f"{ROOT}[test]")
    tests = [ROOT / "tests" / name for name in TESTS]
    # Libraries of other ages warn of each other. The emulator of the NPU takes minutes.
    options = ("-q", "-W", "default", "-p", "no:cacheprovider", "-k", "not on_the_npu")
    _run(python, "-m", "pytest", *options, *tests)


def _run(*command: str | Path) -> None:
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
