"""The power goes at any sync of the store's files: the same command ends right, and no command in
between takes what is left for whole.

`pytest -m drill tests/test_power_cut.py` tries every sync, and prints how many there are.
"""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults import KilledError
from tests.in_process import InProcess, Said, cheap_work, made_host
from tests.power_cut import CUTS, Cut, PowerCut, power_cut

# Every so many syncs are tried by default, with each cut.
SLICE = 6
Row = Callable[[str, float, int, int], None]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, blazepose_pack: Path) -> Iterator[InProcess]:
    """A host with two videos and an empty store, whose pipeline costs nothing."""
    home = tmp_path_factory.mktemp("power")
    with cheap_work():
        made = made_host(home, blazepose_pack.parent)
        # Of the two videos only the one that can be done to its end.
        made.videos = made.videos[:1]
        shutil.rmtree(made.folder)
        (home / "empty").mkdir()
        yield made


def dataset(host: InProcess) -> tuple[int, bytes]:
    """How an export of the whole job ends, and its bytes."""
    out = host.home / "people.json"
    out.unlink(missing_ok=True)
    said = host.run("export", "--out", out)
    assert said.defect is None, said
    return said.code, out.read_bytes() if out.exists() else b""


def struck(host: InProcess, plan: PowerCut) -> Said | None:
    """A submission to an empty store during which the power goes; None where it went."""
    host.restore(host.home / "empty")
    with power_cut(plan):
        try:
            return host.submit()
        except KilledError:
            return None


def kind_of(path: Path, folder: Path) -> str:
    """What the file is, for the table: `parts`, `tracks`, `jobs`, `chunks.json` ..."""
    top, *_, last = path.relative_to(folder).parts
    if top != "results":
        return top
    return last if last == "chunks.json" else path.parent.name


def wrong_ends(host: InProcess, cut: Cut, every: int) -> tuple[Counter[str], list[str]]:
    """How often each kind of file was struck, and where something did not end right."""
    host.restore(host.home / "empty")
    quiet = PowerCut(host.folder, cut, at=-1)
    with power_cut(quiet):
        assert host.submit().code == 0
    expected = dataset(host)
    kinds = [kind_of(path, host.folder) for path in quiet.files]
    assert {"parts", "tracks", "jobs", "chunks.json"} <= set(kinds)
    found: list[str] = []
    for at in range(0, len(kinds), every):
        where = f"{cut}, {kinds[at]} (sync {at})"
        said = struck(host, PowerCut(host.folder, cut, at))
        if said is not None:
            found.append(f"{where}: the power did not go: {said}")
            continue
        code, data = dataset(host)
        if code == 0 and (code, data) != expected:
            found.append(f"{where}: a wrong dataset, silently")
        again = host.submit()
        if (again.code, again.defect) != (0, None):
            found.append(f"{where}: {again}")
        elif dataset(host) != expected:
            found.append(f"{where}: another dataset")
    return Counter(kinds[::every]), found


@pytest.mark.parametrize("cut", CUTS)
def test_after_a_power_cut_at_some_syncs_the_same_submit_ends_right(
    host: InProcess, cut: Cut
) -> None:
    _, found = wrong_ends(host, cut, SLICE)
    assert found == []


@pytest.mark.drill
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("cut", CUTS)
def test_after_a_power_cut_at_any_sync_the_same_submit_ends_right(
    host: InProcess, cut: Cut, drill_row: Row
) -> None:
    began = time.monotonic()
    kinds, found = wrong_ends(host, cut, 1)
    assert found == []
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    drill_row(f"power cut, {cut}: {counts}", time.monotonic() - began, 0, 0)
