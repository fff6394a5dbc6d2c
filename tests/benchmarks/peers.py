"""Other programs that find poses, each run by the Python of an environment that holds it.

Each script prints JSON: frames, poses, seconds and core-seconds, without the loading of models; or
`lacks`, what it would need.
"""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.benchmarks.ways import POSES, Cost

_FOLDER = Path(__file__).parent
# Some need a place for what they keep of their own.
_KEPT_VARIABLES = ("HOME", "PATH", "SYSTEMROOT", "TEMP", "TMP")


@dataclass(frozen=True)
class Peer:
    """One of them.

    Attributes:
        title: as rows name it.
        script: in this folder.
        modes: of a run, each a row.
        finds_one: it answers for one person of a frame only.
    """

    title: str
    script: str
    modes: tuple[str, ...]
    finds_one: bool = False

    @property
    def option(self) -> str:
        """The option that names its Python, without dashes."""
        return self.title.lower()

    def rows(self) -> dict[str, str]:
        """Its modes by the names of their rows."""
        return {f"{self.title} {mode}": mode for mode in self.modes}


PEERS = (
    Peer("MediaPipe", "mediapipe_pose.py", ("static", "tracking"), finds_one=True),
    Peer("rtmlib", "rtmlib_pose.py", ("balanced",)),
    Peer("ultralytics", "ultralytics_pose.py", ("yolo11n",)),
)


class LacksError(Exception):
    """The program is there, and something that it needs is not."""


def peer_ways(
    video: Path, pythons: Mapping[str, Path | None]
) -> tuple[dict[str, Callable[[], Cost]], dict[str, str]]:
    """What runs each mode of each program, by the names of their rows; and what those lack that
    cannot be run.

    Args:
        pythons: by option.
    """
    ways: dict[str, Callable[[], Cost]] = {}
    lacks: dict[str, str] = {}
    for peer in PEERS:
        python = pythons.get(peer.option)
        for name, mode in peer.rows().items():
            if python is None:
                lacks[name] = f"no --{peer.option} PYTHON was given"
            else:
                ways[name] = partial(peer_cost, peer, python, video, mode)
    return ways, lacks


def peer_cost(peer: Peer, python: Path, video: Path, mode: str) -> Cost:
    """What a frame costs by that program.

    Raises:
        LacksError: it is installed, and cannot run.
        SystemExit: the interpreter cannot be run, or does not have it.
    """
    command = [str(python), str(_FOLDER / peer.script), str(video), mode]
    kept = {key: os.environ[key] for key in _KEPT_VARIABLES if key in os.environ}
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=kept, check=False)
    except OSError as error:
        raise SystemExit(f"--{peer.option} {python} cannot be run: {error.strerror}") from error
    try:
        said = json.loads(done.stdout.strip().splitlines()[-1])
        if "lacks" in said:
            raise LacksError(said["lacks"])
        frames = said["frames"]
        return Cost(
            said["core_seconds"] / frames * 1000,
            said["seconds"] / frames * 1000,
            {POSES: said["poses"] / frames},
        )
    except (ValueError, LookupError, TypeError, ZeroDivisionError) as error:
        line = [*done.stderr.strip().splitlines(), "no reason"][-2 if done.stderr.strip() else -1]
        raise SystemExit(
            f"--{peer.option} {python} gives no figures of {peer.title} (exit code "
            f"{done.returncode}): {line}\n"
            f"Name the Python of an environment that has it: pip install {peer.option}"
        ) from error
