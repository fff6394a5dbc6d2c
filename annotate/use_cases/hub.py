"""Compiles and profiles a pack on AI Hub, for a device that Qualcomm hosts."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from annotate.domain.arrays import FloatArray
from annotate.domain.errors import HubError, ProviderError
from annotate.domain.hub_options import HubOptions
from annotate.domain.progress import Progress
from annotate.hub import Hub, Record, Target
from annotate.hub.client import Arrays
from annotate.hub.table import ProfileRow, profile_row
from annotate.inference import Models
from annotate.inference.qnn import sdk_version
from annotate.pipeline.calibration_crops import Crops

STAGES = ("detector", "landmark")
QUANTIZE, COMPILE, LINK, PROFILE = "quantize", "compile", "link", "profile"
CONTEXT_BINARY, DLC = "qnn_context_binary", "qnn_dlc"


class HubPack:
    """A pack and a target on AI Hub: submits missing jobs, waits for them, downloads the results.

    Args:
        hub: the service.
        models: the pack's models on the CPU, which convert pictures to inputs.
        folder: the pack's folder.
        options: what to compile for, and what is sent with the jobs.
        progress: called with the current step and its fraction done.

    Raises:
        HubError: there is no such device, or the service cannot be reached.
        PackError: the pack's record cannot be read.
    """

    def __init__(
        self,
        hub: Hub,
        models: Models,
        folder: Path,
        options: HubOptions,
        progress: Progress,
    ) -> None:
        self.hub = hub
        self.models = models
        self.folder = folder
        self.target = Target(options.device, options.runtime, options.precision)
        self.options = options
        self.stages = options.stages
        self.record = Record.of(models.pack, folder, self.target)
        self.device = hub.device(options.device)
        self._progress = progress

    def compile(self, crops: Crops | None) -> list[Path]:
        """Compiles the models and downloads them into the record's folder.

        Args:
            crops: calibration crops of 8-bit models; None for float models.

        Raises:
            HubError: a job failed, which the next call submits again; or the service cannot be
                reached.
            PackError: the pack is not writable.
        """
        if crops is None:
            self.record.begin(self._compile_options(), "")
            self.step(COMPILE, lambda stage: self._compiled(self.file(stage), stage))
        else:
            inputs = {stage: self.inputs(stage, crops.of(stage)) for stage in STAGES}
            options = f"{self.options.of_quantization()} {self._compile_options()}"
            self.record.begin(options, digest_of(inputs.values()))
            self.step(
                QUANTIZE,
                lambda stage: self.hub.quantize(
                    self.file(stage),
                    inputs[stage],
                    self.job_name(stage),
                    self.options.of_quantization(),
                ),
            )
            self.step(COMPILE, lambda stage: self._compiled(self.job(QUANTIZE, stage), stage))
        return self._finish()

    def fetch(self, jobs: Sequence[str]) -> list[Path]:
        """Waits for compiled models and downloads them.

        Args:
            jobs: ids of the compile jobs of the detector and the landmark model, if they are not in
                this pack's record; else empty.

        Raises:
            HubError: nothing was submitted, a job failed, or the service cannot be reached.
        """
        for stage, job in zip(self.stages, jobs, strict=False):
            self.record.add(COMPILE, stage, job)
            self.record.forget(LINK, stage)
        self.require(COMPILE)
        self._wait(COMPILE)
        return self._finish()

    def profile(self) -> list[ProfileRow]:
        """A row for each model: time, memory and compute units on the device.

        Raises:
            HubError: the models are not compiled, a job failed, or the service cannot be reached.
        """
        self.require(self.final_step)
        self.step(
            PROFILE,
            lambda stage: self.hub.time(
                self.job(self.final_step, stage),
                self.device,
                self.job_name(stage),
                self.options.profile_options,
            ),
        )
        rows = [
            profile_row(
                self.file(stage).name,
                self.hub.profile(self.job(PROFILE, stage)),
                os=self.device.os,
                chipset=self.device.chipset,
                job=self.job(PROFILE, stage),
                url=self.hub.address(self.job(PROFILE, stage)),
                **asdict(self.target),
            )
            for stage in self.stages
        ]
        self.record.forget(PROFILE, *self.stages)
        return rows

    # Also used by `hub_verify`

    @property
    def final_step(self) -> str:
        """The step whose jobs make the models that run on the device."""
        return LINK if self.target.runtime == CONTEXT_BINARY else COMPILE

    def step(self, step: str, submit: Callable[[str], str]) -> None:
        """Submits the missing jobs of a step, one for each wanted stage, and waits for them."""
        for stage in self.stages:
            if self.record.job(step, stage) is None:
                self._progress(f"{step}: submitting the {stage} model", 0.0)
                self.record.add(step, stage, submit(stage))
        self._wait(step)

    def require(self, step: str) -> None:
        """Raises HubError unless the jobs of a step were submitted for all wanted stages."""
        if any(self.record.job(step, stage) is None for stage in self.stages):
            raise HubError(
                f"{self.models.pack.name} is not compiled for {self.target.device}, "
                f"{self.target.runtime}, {self.target.precision}",
                "Compile it first: `annotate models hub compile` with the same options.",
            )

    def facts(self) -> dict[str, str]:
        """AI Hub's metadata of the compiled models."""
        return self.hub.facts(self.job(self.final_step, self.stages[0]))

    def job(self, step: str, stage: str) -> str:
        """Id of a submitted job."""
        return self.record.jobs[step][stage]

    def inputs(self, stage: str, pictures: Sequence[FloatArray]) -> Arrays:
        """Pictures in the shape and dtype of the model's input, by the input's name."""
        model = self.models.stage(stage)
        name = self.models.pack.stages[stage].input
        return {name: [model.input_of(picture) for picture in pictures]}

    def file(self, stage: str) -> Path:
        """The ONNX file of a stage."""
        return self.folder / self.models.pack.stages[stage].file

    def job_name(self, stage: str) -> str:
        """Name of a stage's jobs on AI Hub's web pages."""
        return f"{self.models.pack.name}-{stage}-{self.models.pack.digest[:12]}"

    def _compiled(self, source: Path | str, stage: str) -> str:
        return self.hub.compile(source, self.device, self.job_name(stage), self._compile_options())

    def _compile_options(self) -> str:
        runtime = DLC if self.target.runtime == CONTEXT_BINARY else self.target.runtime
        return self.options.of_compilation(runtime)

    def _finish(self) -> list[Path]:
        """Links the models if the runtime needs it, and downloads them."""
        if self.final_step == LINK:
            self.step(
                LINK,
                lambda stage: self.hub.link(
                    self.job(COMPILE, stage),
                    self.device,
                    self.job_name(stage),
                    self.options.of_link(self.target.runtime),
                ),
            )
        files = []
        for stage in self.stages:
            self._progress(f"Downloading the {stage} model", 1.0)
            target = self.record.folder / self.file(stage).stem
            files.append(self.hub.download(self.job(self.final_step, stage), target))
        return files

    def _wait(self, step: str) -> None:
        jobs = {stage: self.job(step, stage) for stage in self.stages}
        failed = self.hub.wait(jobs, lambda text, done: self._progress(f"{step}: {text}", done))
        if failed:
            self.record.forget(step, *failed)
            reasons = "; ".join(
                f"{stage} model, job {jobs[stage]}: {failed[stage]}" for stage in failed
            )
            raise HubError(
                f"AI Hub's {step} step failed: {reasons}",
                "Run the same command again to submit it again.",
            )


def with_own_sdk(options: HubOptions) -> HubOptions:
    """The options; where they name no QAIRT SDK, that of this host's plugin, so that workers like
    it can load what is compiled. Without the plugin AI Hub takes its default.
    """
    if options.qairt_version is not None:
        return options
    with suppress(ProviderError):
        return replace(options, qairt_version=".".join(sdk_version().split(".")[:2]))
    return options


def digest_of(inputs: Iterable[Arrays]) -> str:
    """Hex SHA-256 of models' inputs."""
    digest = hashlib.sha256()
    for arrays in inputs:
        for rows in arrays.values():
            for row in rows:
                digest.update(row.tobytes())
    return digest.hexdigest()
