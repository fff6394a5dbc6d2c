"""AI Hub through its own client, `qai_hub`: the only place that imports it.

Jobs are known by their ids, so that whoever wrote an id down can go on later. The token stays in
the client's own configuration.
"""

import io
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotate.domain.distribution import install_command
from annotate.domain.errors import HubError
from annotate.domain.progress import Progress

# Between two looks at jobs.
POLL_S = 5.0
Arrays = Mapping[str, Sequence[NDArray[Any]]]
# label, fraction done

_BOX = re.compile(r"[┌┐└┘─|]+")
_CHIPSET = "chipset:"
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Device:
    """A device that AI Hub hosts.

    Attributes:
        name: as AI Hub calls it.
        os: version of its operating system.
        chipset: AI Hub's name of its SoC, or empty.
    """

    name: str
    os: str
    chipset: str


class Hub:
    """AI Hub, as the account of this host's configuration sees it.

    Every method raises HubError where the service is away, refuses, or knows no such thing.
    """

    def __init__(self) -> None:
        try:
            import qai_hub
        except ImportError as error:
            raise HubError(
                f"the client of AI Hub is not installed: {error}",
                f"Install it: `{install_command('hub')}`.",
            ) from error
        self._hub = qai_hub
        self._client: Any = qai_hub.Client()
        with self._translated():
            self._client.set_verbose(False)

    # Devices

    def devices(self) -> list[Device]:
        """All devices, by name and then by the version of their system."""
        with self._translated():
            found = self._client.get_devices()
        devices = [Device(one.name, one.os, _chipset(one.attributes)) for one in found]
        return sorted(
            devices, key=lambda one: (one.name, [int(n) for n in _NUMBER.findall(one.os)])
        )

    def device(self, name: str) -> Device:
        """The device of that name, with its newest system."""
        devices = self.devices()
        for device in reversed(devices):
            if device.name == name:
                return device
        near = get_close_matches(name, [device.name for device in devices], n=1)
        raise HubError(
            f"AI Hub has no device {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
            "See `annotate models hub devices`.",
        )

    # Submitting: each gives the new job's id

    def quantize(self, model: Path, crops: Arrays, name: str) -> str:
        """A job that makes a model with 8-bit weights and activations of an ONNX file.

        Args:
            crops: calibration inputs by the input's name.
        """
        with self._translated():
            int8 = self._hub.QuantizeDtype.INT8
            job = self._client.submit_quantize_job(
                str(model), _entries(crops), int8, int8, name=name, options="--range_scheme min_max"
            )
        return str(job.job_id)

    def compile(self, model: Path | str, device: Device, runtime: str, name: str) -> str:
        """A job that compiles an ONNX file, or what the job of that id made."""
        with self._translated():
            source = str(model) if isinstance(model, Path) else self._target(model)
            job = self._client.submit_compile_job(
                source,
                self._hub.Device(device.name, device.os),
                name=name,
                options=f"--target_runtime {runtime}",
                retry=False,
            )
        return str(job.job_id)

    def link(self, compiled: str, device: Device, name: str) -> str:
        """A job that links a DLC, which the job of that id compiled, to a context binary."""
        with self._translated():
            where = self._hub.Device(device.name, device.os)
            job = self._client.submit_link_job(self._target(compiled), where, name=name)
        return str(job.job_id)

    def infer(self, made: str, device: Device, name: str, inputs: Arrays | None = None) -> str:
        """A job that runs what the job of that id made: on `inputs`, or profiled on random ones."""
        with self._translated():
            job = self._client.submit_inference_job(
                self._target(made),
                self._hub.Device(device.name, device.os),
                inputs=_entries(inputs) if inputs else None,
                name=name,
                profile=inputs is None,
                retry=False,
            )
        return str(job.job_id)

    # Jobs

    def wait(self, jobs: Mapping[str, str], progress: Progress) -> dict[str, str]:
        """Waits for jobs to end.

        Args:
            jobs: ids by a label for people.
            progress: told at every look how things are.

        Returns:
            Why a job failed, by its label.
        """
        with self._translated():
            waiting = {label: self._client.get_job(job) for label, job in jobs.items()}
        failed: dict[str, str] = {}
        while True:
            states = []
            for label, job in list(waiting.items()):
                with self._translated():
                    status = job.get_status()
                states.append(f"{label} {status.code.lower().replace('_', ' ')}")
                if status.finished:
                    del waiting[label]
                if status.failure:
                    failed[label] = status.message or "AI Hub gives no reason"
            progress(", ".join(states), 1 - len(waiting) / len(jobs))
            if not waiting:
                return failed
            time.sleep(POLL_S)

    def download(self, job: str, path: Path) -> Path:
        """Downloads what a job made; its ending is added to `path` where that has another."""
        with self._translated():
            return Path(self._target(job).download(str(path)))

    def facts(self, job: str) -> dict[str, str]:
        """What AI Hub says of what a job made, such as `qairt_sdk_version`."""
        with self._translated():
            made = self._client.get_model(self._target(job).model_id)
            return {key.name.lower(): value for key, value in made.metadata.items()}

    def profile(self, job: str) -> dict[str, Any]:
        """The client's `execution_summary` and `execution_detail` of a profiled job."""
        with self._translated():
            return dict(self._client.get_job(job).download_profile())

    def outputs(self, job: str) -> dict[str, list[NDArray[Any]]]:
        """What a model answered to the inputs that the job was given, by the outputs' names."""
        with self._translated():
            answers = self._client.get_job(job).download_output_data() or {}
        return {name: [np.asarray(one) for one in rows] for name, rows in answers.items()}

    def _target(self, job: str) -> Any:
        made = self._client.get_job(job).get_target_model()
        if made is None:
            raise HubError(f"job {job} of AI Hub made no model", "Compile again.")
        return made

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The client's errors as ours, and nothing of what it prints."""
        errors = self._hub.client
        try:
            with redirect_stdout(io.StringIO()):
                yield
        except errors.UserError as error:
            raise HubError(
                f"AI Hub: {_plain(error)}",
                "If it is the token: get one at https://aihub.qualcomm.com and run "
                "`qai-hub configure --api_token TOKEN`.",
            ) from error
        except (errors.Error, errors.APIException, OSError) as error:
            raise HubError(
                f"AI Hub cannot be reached or fails: {_plain(error)}",
                "Jobs that were submitted go on there: run the same command again.",
            ) from error


def _plain(error: Exception) -> str:
    """The message without the client's drawing of a box."""
    return " ".join(_BOX.sub(" ", str(error)).split())


def _chipset(attributes: str | Sequence[str]) -> str:
    listed = [attributes] if isinstance(attributes, str) else attributes
    return next((one.removeprefix(_CHIPSET) for one in listed if one.startswith(_CHIPSET)), "")


def _entries(arrays: Arrays) -> dict[str, list[NDArray[Any]]]:
    return {name: list(rows) for name, rows in arrays.items()}
