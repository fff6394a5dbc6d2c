"""AI Hub through its client library `qai_hub`, which only this module imports.

Jobs are identified by their ids, so that a later command can go on with them. The token stays in
the client's configuration file.
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

# Seconds between two requests for the state of jobs.
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
        name: AI Hub's name for it.
        os: version of its operating system.
        chipset: AI Hub's name for its SoC, or empty.
    """

    name: str
    os: str
    chipset: str


class Hub:
    """AI Hub, used with the account in this host's configuration.

    Every method raises HubError if the service cannot be reached, refuses, or lacks the device, job
    or model.
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

    # Submitting: each method returns the new job's id

    def quantize(self, model: Path, crops: Arrays, name: str, options: str) -> str:
        """Submits a job that quantizes an ONNX file: 8-bit weights and activations.

        Args:
            crops: calibration inputs by the input's name.
            options: those of AI Hub's quantize jobs.
        """
        with self._translated():
            int8 = self._hub.QuantizeDtype.INT8
            job = self._client.submit_quantize_job(
                str(model), _entries(crops), int8, int8, name=name, options=options
            )
        return str(job.job_id)

    def compile(self, model: Path | str, device: Device, name: str, options: str) -> str:
        """Submits a job that compiles an ONNX file, or the model of the job with that id, with the
        options of AI Hub's compile jobs.
        """
        with self._translated():
            source = str(model) if isinstance(model, Path) else self._target(model)
            job = self._client.submit_compile_job(
                source,
                self._hub.Device(device.name, device.os),
                name=name,
                options=options,
                retry=False,
            )
        return str(job.job_id)

    def link(self, compiled: str, device: Device, name: str, options: str) -> str:
        """Submits a job that links the DLC of a compile job into a context binary."""
        with self._translated():
            where = self._hub.Device(device.name, device.os)
            job = self._client.submit_link_job(
                self._target(compiled), where, name=name, options=options
            )
        return str(job.job_id)

    def infer(self, job: str, device: Device, name: str, inputs: Arrays) -> str:
        """Submits a job that runs the model of another job on `inputs`."""
        return self._run(job, device, name, inputs=_entries(inputs), profile=False)

    def time(self, job: str, device: Device, name: str, options: str) -> str:
        """Submits a job that profiles the model of another job, with the options of AI Hub's
        profile jobs.
        """
        return self._run(job, device, name, inputs=None, profile=True, options=options)

    def _run(self, job: str, device: Device, name: str, **given: Any) -> str:
        with self._translated():
            submitted = self._client.submit_inference_job(
                self._target(job),
                self._hub.Device(device.name, device.os),
                name=name,
                retry=False,
                **given,
            )
        return str(submitted.job_id)

    # Jobs

    def wait(self, jobs: Mapping[str, str], progress: Progress) -> dict[str, str]:
        """Waits for jobs to end.

        Args:
            jobs: ids by a readable label.
            progress: called after each request with the states of the jobs and the fraction done.

        Returns:
            The reasons of failed jobs, by label.
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
        """Downloads a job's model to `path`, plus the model's file ending if `path` lacks it."""
        with self._translated():
            return Path(self._target(job).download(str(path)))

    def facts(self, job: str) -> dict[str, str]:
        """AI Hub's metadata of a job's model, such as `qairt_sdk_version`."""
        with self._translated():
            made = self._client.get_model(self._target(job).model_id)
            return {key.name.lower(): value for key, value in made.metadata.items()}

    def address(self, job: str) -> str:
        """The web page of a job."""
        with self._translated():
            return str(self._client.get_job(job).url)

    def profile(self, job: str) -> dict[str, Any]:
        """The `execution_summary` and `execution_detail` of a profile job."""
        with self._translated():
            return dict(self._client.get_job(job).download_profile())

    def outputs(self, job: str) -> dict[str, list[NDArray[Any]]]:
        """The outputs of an inference job by name, with one array for each input."""
        with self._translated():
            answers = self._client.get_job(job).download_output_data() or {}
        return {name: [np.asarray(one) for one in rows] for name, rows in answers.items()}

    def _target(self, job: str) -> Any:
        made = self._client.get_job(job).get_target_model()
        if made is None:
            raise HubError(f"AI Hub's job {job} has no model", "Compile again.")
        return made

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turns the client's errors into HubError and discards what it prints."""
        errors = self._hub.client
        try:
            with redirect_stdout(io.StringIO()):
                yield
        except errors.UserError as error:
            raise HubError(
                f"AI Hub: {_plain(error)}",
                "If the token is missing or wrong, get one at https://aihub.qualcomm.com and run "
                "`qai-hub configure --api_token TOKEN`.",
            ) from error
        except (errors.Error, errors.APIException, OSError) as error:
            raise HubError(
                f"AI Hub cannot be reached or failed: {_plain(error)}",
                "Submitted jobs go on. Run the same command again to continue.",
            ) from error


def _plain(error: Exception) -> str:
    """The message without the box that the client draws around it."""
    return " ".join(_BOX.sub(" ", str(error)).split())


def _chipset(attributes: str | Sequence[str]) -> str:
    listed = [attributes] if isinstance(attributes, str) else attributes
    return next((one.removeprefix(_CHIPSET) for one in listed if one.startswith(_CHIPSET)), "")


def _entries(arrays: Arrays) -> dict[str, list[NDArray[Any]]]:
    return {name: list(rows) for name, rows in arrays.items()}
