"""Runs the command line as a user does: in a separate process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from annotate.domain.settings import Settings, settings_from
from annotate.domain.work import Heartbeat
from annotate.queue.job_status import is_alive
from annotate.store import Store, open_store

# How long a command may take on a machine that does many other things, in seconds.
PATIENCE_S = 280.0


@dataclass(frozen=True)
class Host:
    """A host with a store and the default pack.

    Attributes:
        store: folder of the store, or its URL.
        packs: folder of its packs.
        home: working directory.
        more: more of its environment.
    """

    store: Path | str
    packs: Path
    home: Path
    more: Mapping[str, str] = field(default_factory=dict)

    def start(self, *arguments: str | Path, **options: object) -> subprocess.Popen[str]:
        """Starts `annotate ARGUMENTS` in a new process group."""
        return self.start_module("annotate", *arguments, **options)

    def start_module(
        self, module: str, *arguments: str | Path, **options: object
    ) -> subprocess.Popen[str]:
        """Starts `python -m MODULE ARGUMENTS` in a new process group."""
        return self._start("-m", module, *arguments, **options)

    def run_python(self, program: str) -> None:
        """Runs a program of Python with this host's settings; it must exit with 0."""
        process = self._start("-c", program)
        _, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, err

    def environ(self) -> dict[str, str]:
        """The environment of this host's processes."""
        return {
            **os.environ,
            "ANNOTATE_STORE": str(self.store),
            "ANNOTATE_PACKS": str(self.packs),
            "ANNOTATE_CACHE": str(self.home / "cache"),
            "COLUMNS": "200",
            **self.more,
        }

    def _start(self, *arguments: str | Path, **options: object) -> subprocess.Popen[str]:
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]  # options vary
            [sys.executable, *map(str, arguments)],
            cwd=self.home,
            env=self.environ(),
            text=True,
            start_new_session=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )

    def with_program(self, program: str) -> "Host":
        """This host, where every process of Python first runs a program."""
        folder = self.home / "first"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(program)
        path = os.pathsep.join([str(folder), str(Path(__file__).parents[1])])
        return replace(self, more={**self.more, "PYTHONPATH": path})

    def run(self, *arguments: str | Path, code: int = 0, **options: object) -> "Said":
        """Runs `annotate ARGUMENTS` to its end and checks the exit code."""
        process = self.start(*arguments, **options)
        try:
            out, err = process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        assert process.returncode == code, f"exit {process.returncode}\n{out}\n{err}"
        assert "Traceback" not in err, err
        return Said(out, err)

    def settings(self) -> Settings:
        """What a worker on this host reads from its environment."""
        return settings_from(self.environ())

    def opened(self) -> Store:
        """The store, from this process."""
        return open_store(str(self.store))

    def exported(self, name: str = "people.json", *options: str) -> bytes:
        """The bytes of an export of the newest job."""
        self.run("export", "--out", name, *options)
        return (self.home / name).read_bytes()

    def next_heartbeat(self, process: "subprocess.Popen[str]") -> Heartbeat | None:
        """The first heartbeat of a living worker, or None once `process` has ended."""
        deadline = time.monotonic() + PATIENCE_S
        while process.poll() is None:
            alive = [beat for beat in self.opened().heartbeats() if is_alive(beat)]
            if alive:
                return alive[0]
            assert time.monotonic() < deadline, "no worker began a chunk"
            time.sleep(0.02)
        return None


@dataclass(frozen=True)
class Said:
    """What a command printed."""

    out: str
    err: str
