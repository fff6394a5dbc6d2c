"""Folders that the user may not look into: they are named, and no defect."""

import errno
from pathlib import Path
from typing import Any

import pytest

from annotate.domain.errors import HostError, OutputError
from annotate.domain.pack import PACK_FILE
from annotate.packs.installed import installed_packs
from annotate.use_cases.doctor import _sound_pack
from annotate.use_cases.draw import names_file
from annotate.use_cases.find_pack import default_pack, installed_pack
from annotate.use_cases.output import check_target, is_stream, output_file


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The superuser, who may run the tests, may look into any real one."""
    folder, real = tmp_path / "closed", Path.stat
    folder.mkdir()

    def stat(path: Path, **options: Any) -> Any:
        if folder in path.parents:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, **options)

    monkeypatch.setattr(Path, "stat", stat)
    return folder


def test_a_file_in_it_cannot_be_written(closed: Path) -> None:
    out = closed / "people.mp4"
    assert not is_stream(out)
    assert names_file(out)
    with pytest.raises(OutputError, match=r"people\.mp4: Permission denied") as caught:
        check_target(out, ())
    assert "--out" in caught.value.hint
    with pytest.raises(OutputError), output_file(out, ()):
        pass


def test_a_folder_of_packs_is_named(closed: Path) -> None:
    (closed / "movenet-thunder").mkdir()
    (closed / "movenet-thunder" / PACK_FILE).write_text("{}")
    packs, (error,) = installed_packs(closed)
    assert packs == []
    assert isinstance(error, HostError)
    assert "Permission denied" in error.message
    with pytest.raises(HostError, match="Permission denied"):
        default_pack(closed)
    with pytest.raises(HostError, match="movenet-thunder"):
        installed_pack(closed, "movenet-thunder")
    assert _sound_pack(closed) is None
