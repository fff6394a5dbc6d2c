"""`import annotate`: the Python API."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import annotate
from annotate.domain.errors import UsageError
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
