"""Loads the models of a pack as this host's settings say."""

from pathlib import Path

from annotate.domain.options import Arithmetic
from annotate.domain.pack import read_pack
from annotate.domain.settings import Settings
from annotate.domain.soc import find_soc
from annotate.inference import Models, QnnSettings, load_models


def models_of(folder: Path, settings: Settings, precision: Arithmetic = "float") -> Models:
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
    qnn = QnnSettings(soc, options, settings.cache)
    return load_models(
        read_pack(folder), folder, provider=settings.provider, qnn=qnn, precision=precision
    )
