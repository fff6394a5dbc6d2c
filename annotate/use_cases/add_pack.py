"""Adds an AI Hub asset as a pack of this host, after a self-test."""

from pathlib import Path

from annotate.domain.errors import PackError, ProviderError
from annotate.inference.isolated import run_isolated
from annotate.inference.self_test import self_test_cpu
from annotate.packs.asset import import_asset
from annotate.packs.publish import new_pack, publish


def add_pack(asset: Path, root: Path) -> Path:
    """Makes a pack from the zip `asset` under `root`; replaces an older one of that name.

    Raises:
        PackError: the zip does not contain the expected models, or they do not run on this host.
            No pack is changed then.
    """
    with new_pack(root) as staged:
        import_asset(asset, staged)
        try:
            run_isolated(self_test_cpu, staged)
        except (PackError, ProviderError) as error:
            raise PackError(
                f"{asset}: a model in it does not run: {error.message}", "Download it again."
            ) from error
        return publish(staged, root, replace=True)
