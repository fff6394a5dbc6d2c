"""Adds the models of a published zip as a pack of this host, after a self-test."""

from pathlib import Path

from annotate.domain.errors import PackError, ProviderError
from annotate.inference.isolated import run_isolated
from annotate.inference.self_test import self_test_cpu
from annotate.packs.from_zip import write_published
from annotate.packs.publish import new_pack, publish


def add_pack(published: Path, root: Path, detector: Path | None = None) -> Path:
    """Makes a pack from a zip under `root`; replaces an older one of that name.

    Args:
        published: the zip, as AI Hub or OpenMMLab publishes it.
        detector: the file of the person detector, where the zip has a landmark model alone.

    Raises:
        PackError: the zip does not contain the expected models, or they do not run on this host.
            No pack is changed then.
        UsageError: the zip needs no `detector`.
    """
    with new_pack(root) as staged:
        write_published(published, detector, staged)
        try:
            run_isolated(self_test_cpu, staged)
        except (PackError, ProviderError) as error:
            raise PackError(
                f"{published}: a model in it does not run: {error.message}", "Download it again."
            ) from error
        return publish(staged, root, replace=True)
