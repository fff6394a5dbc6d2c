"""An asset of AI Hub to a pack of this host, tried before it is put in place."""

from pathlib import Path

from annotate.domain.errors import PackError, ProviderError
from annotate.inference.isolated import isolated
from annotate.inference.self_test import try_cpu
from annotate.packs.asset import import_asset
from annotate.packs.publish import new_pack, publish


def add_pack(asset: Path, root: Path) -> Path:
    """Makes a pack of the zip `asset` under `root`, in the place of an older one of that name.

    Raises:
        PackError: the zip does not hold the models that it should, or they do not run here; nothing
            was changed.
    """
    with new_pack(root) as staged:
        import_asset(asset, staged)
        try:
            isolated(try_cpu, staged)
        except (PackError, ProviderError) as error:
            raise PackError(
                f"{asset}: a model in it does not run: {error.message}", "Download it again."
            ) from error
        return publish(staged, root, replace=True)
