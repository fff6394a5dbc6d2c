"""Loads the models of a pack as this host's settings say."""

from dataclasses import replace
from pathlib import Path

from annotate.domain.errors import OtherProviderError, ProviderError
from annotate.domain.options import Arithmetic
from annotate.domain.pack import read_pack
from annotate.domain.runs_on import CPU, MIXED
from annotate.domain.settings import Settings
from annotate.domain.soc import find_soc
from annotate.inference import CPUS, Models, QnnSettings, load_models
from annotate.inference.accelerators import ACCELERATORS

HOW_TO_GO_ON = (
    "Hosts that have it go on with the job. Or submit the same videos again with `--provider cpu`, "
    "which makes them anew, or with `--allow-mixed`, which keeps what is done."
)


def models_of(
    folder: Path, settings: Settings, precision: Arithmetic = "float", npu: int = 0
) -> Models:
    """The models of the pack in `folder`, on the provider of the settings.

    Args:
        precision: of the job's recipe.

    Raises:
        PackError: a file is missing or damaged.
        ProviderError: the provider cannot run the models.
        UsageError: the settings name an unknown SoC.
    """
    soc = find_soc(settings.soc) if settings.soc else None
    options = {"htp_performance_mode": settings.performance}
    qnn = QnnSettings(soc, options, settings.cache, npu)
    return load_models(
        read_pack(folder), folder, provider=settings.provider, qnn=qnn, precision=precision
    )


def models_for(
    folder: Path,
    settings: Settings,
    runs_on: str,
    *,
    precision: Arithmetic = "float",
    npu: int = 0,
) -> Models:
    """The models of a job's pack on what the job says; see `Recipe.runs_on`.

    Args:
        precision: of the job's recipe; bfloat16 is the CPU's.
        npu: number of the NPU, where that is one and this host has several.

    Raises:
        OtherProviderError: this host does not have it, or is to use something else.
        PackError: a file is missing or damaged.
        UsageError: the settings name an unknown SoC.
    """
    automatic = settings.provider == "auto"
    for name in ACCELERATORS if automatic else ():
        if name == runs_on:
            settings = replace(settings, provider=name)
    try:
        models = models_of(folder, settings, precision, npu)
        if automatic and runs_on == CPU and models.provider not in CPUS:
            models = models_of(folder, replace(settings, provider="cpu"))
            return replace(models, reason="the job is to run there on all hosts")
    except ProviderError as error:
        raise _other(runs_on, error.message, error.hint) from error
    provider = CPU if models.precision == "bf16" else models.provider
    if runs_on not in (MIXED, provider):
        raise _other(runs_on, models.reason or f"this host runs models on {models.provider}")
    return models


def _other(runs_on: str, why: str, hint: str = "") -> OtherProviderError:
    message = f"the models of the job are to run on {runs_on}: {why}"
    return OtherProviderError(message, f"{hint} {HOW_TO_GO_ON}".strip())


def provider_of(folder: Path, settings: Settings) -> tuple[str, str]:
    """What the models of the pack in `folder` run on here, and why not on another; or empty."""
    models = models_of(folder, settings)
    return models.provider, models.reason
