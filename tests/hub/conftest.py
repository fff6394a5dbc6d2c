"""AI Hub's real client, configured for the stand-in service, and a folder of packs."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from qai_hub.util import session

from annotate.cli import models_hub
from annotate.host import emulates_npu
from annotate.hub import client
from tests.hub.server import serving
from tests.hub.service import TOKEN, HubService


@pytest.fixture(autouse=True)
def packs(blazepose_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new folder of packs for each test, with the default pack."""
    if not emulates_npu():
        pytest.skip("the stand-in compiles with the HTP emulator, which is for x86-64 Linux")
    root = tmp_path / "packs"
    shutil.copytree(blazepose_pack, root / blazepose_pack.name)
    monkeypatch.setenv("ANNOTATE_PACKS", str(root))
    return root


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubService]:
    """The stand-in service; the client's configuration file names it."""
    state = HubService()
    with serving(state):
        config = tmp_path / "client.ini"
        config.write_text(
            f"[api]\napi_url = {state.url}\nweb_url = {state.url}\napi_token = {TOKEN}\n"
        )
        monkeypatch.setenv("QAIHUB_CLIENT_INI", str(config))
        # Tests of a broken service do not wait for the client's half minute of retries.
        monkeypatch.setattr(session, "MAX_RETRIES", 0)
        monkeypatch.setattr(client, "POLL_S", 0.001)
        monkeypatch.setattr(models_hub, "CALIBRATION_FRAMES", 6)
        monkeypatch.setattr(models_hub, "VERIFY_FRAMES", 9)
        yield state
