"""Damaged files of a store: no command ends as a defect, each is named, and the same submit heals.

`pytest -m drill tests/test_store_damage.py` tries every file, damage and command, and prints how
many; by default a slice of them is tried.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from annotate.domain.errors import ExitCode
from tests.in_process import InProcess, cheap_work, made_host

COMMANDS = ("status", "export", "submit", "retry")
# Every so many of the damages are tried by default.
SLICE, CHECK_SLICE = 19, 37
FLIPS, CUTS = 24, 10

Damage = Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """A damage of one file.

    Attributes:
        key: of the file in the store.
        what: was done to it.
        damage: does it.
    """

    key: str
    what: str
    damage: Damage


def written(data: bytes) -> Damage:
    def damage(path: Path) -> None:
        path.unlink()  # it may be shared with the sound store
        path.write_bytes(data)

    return damage


def made_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def made_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def made_device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")  # it has no end


def damages(path: Path) -> Iterator[tuple[str, Damage]]:
    """What is tried on a file."""
    data = path.read_bytes()
    yield "empty", written(b"")
    yield "garbage", written(bytes(range(255, 127, -1)) * 3)
    yield "text", written(b"hello\n")
    yield "zeros", written(bytes(len(data)))
    yield "folder", made_folder
    if hasattr(os, "mkfifo"):
        yield "pipe", made_pipe
        yield "device", made_device
    for part in range(1, CUTS):
        yield f"{part} of {CUTS}", written(data[: len(data) * part // CUTS])
    for number in range(FLIPS if data else 0):
        bit = (2 * number + 1) * 4 * len(data) // FLIPS
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << (bit % 8)
        yield f"bit {bit}", written(bytes(flipped))
    if path.suffix == ".json":
        yield from json_damages(json.loads(data))


def json_damages(content: Any) -> Iterator[tuple[str, Damage]]:
    """What is tried on JSON: other types; fields that are missing, unknown, of another type."""
    others: list[Any] = [None, [], {}, 5, "text", [None], {"a": 1}]
    for other in others:
        yield f"json {other!r}", written(json.dumps(other).encode())
    if isinstance(content, list):
        content = {"list": content}
        for change in ([[None, 1]], [["a", "b"]], [[0, 6], [7, 12]], [[0, 6]], [[0, 10**9]]):
            yield f"json {change}", written(json.dumps(change).encode())
        return
    for name in content:
        left = {key: value for key, value in content.items() if key != name}
        yield f"no {name}", written(json.dumps(left).encode())
        for other in (None, [1], {"a": 1}, "text", -1):
            yield f"{name} {other!r}", written(json.dumps({**content, name: other}).encode())
    yield "unknown field", written(json.dumps({**content, "colour": 1}).encode())


def cases(sound: Path) -> list[Case]:
    """All damages of all files of a store; of large files only the first ones."""
    found = []
    for path in sorted(p for p in sound.rglob("*") if p.is_file()):
        key = path.relative_to(sound).as_posix()
        some = list(damages(path))
        large = path.suffix == ".onnx"
        found += [Case(key, what, damage) for what, damage in (some[:8] if large else some)]
    return found


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, blazepose_pack: Path) -> Iterator[InProcess]:
    """A host with a finished job; a sound copy of its store is beside it."""
    home = tmp_path_factory.mktemp("damage")
    with cheap_work():
        made = made_host(home, blazepose_pack.parent)
        shutil.copytree(made.folder, home / "sound")
        yield made


def run(host: InProcess, command: str) -> Any:
    if command == "submit":
        return host.submit()
    if command == "export":
        return host.exported()[0]
    return host.run(command)


def dataset(host: InProcess) -> tuple[int, Any]:
    said, data = host.exported()
    content = json.loads(data or b"{}")
    content.pop("info", None)
    return said.code, content


def wrong(host: InProcess, case: Case, command: str, expected: dict[str, Any]) -> list[str]:
    """What goes wrong with a damaged file: at the command, and at the same submit and export."""
    host.restore(host.home / "sound")
    case.damage(host.folder / case.key)
    said, found = run(host, command), []
    if said.defect is not None:
        found.append(f"{command}: defect {said.defect!r}")
    if said.code != expected[command] and Path(case.key).stem not in said.text:
        found.append(f"{command}: not named, exit {said.code}: {said.text[-300:]}")
    again = host.submit()
    if again.defect is not None or again.code != expected["submit"]:
        found.append(f"then submit: {again.code} {again.defect!r} {again.text[-300:]}")
    code, content = dataset(host)
    if (code, content) != (expected["export"], expected["dataset"]):
        found.append(f"then export: {code}, {len(content.get('annotations', []))} poses")
    return [f"{case.key} {case.what}: {line}" for line in found]


@pytest.fixture(scope="module")
def expected(host: InProcess) -> dict[str, Any]:
    """How each command ends with the sound store, and the dataset."""
    ends: dict[str, Any] = {}
    for command in COMMANDS:
        host.restore(host.home / "sound")
        said = run(host, command)
        assert said.defect is None
        ends[command] = said.code
    host.restore(host.home / "sound")
    code, ends["dataset"] = dataset(host)
    assert code == ends["export"] == 3
    assert ends["dataset"]["annotations"]
    return ends


def test_a_slice_of_damages_is_named_and_healed(host: InProcess, expected: dict[str, Any]) -> None:
    all_cases = cases(host.home / "sound")
    tried = [(case, COMMANDS[n % 4]) for n, case in enumerate(all_cases[::SLICE])]
    short_plan = [case for case in all_cases if case.what == "json [[0, 6]]"]
    tried += [(case, command) for case in short_plan for command in COMMANDS]
    not_files = [case for case in all_cases if case.what in ("pipe", "device")]
    tried += [(case, COMMANDS[n // 2 % 4]) for n, case in enumerate(not_files)]
    assert len(tried) >= 40
    assert [line for case, command in tried for line in wrong(host, case, command, expected)] == []


def is_harmless(case: Case) -> bool:
    """Whether the damaged file says all that it has to say, or may be lost."""
    return (
        # Of the files below `order/` only the names tell anything.
        case.key.startswith(("heartbeats/", "order/"))
        # The default pack has no person detector.
        or case.what == "person_detector None"
        or case.what
        in ("unknown field", "no digest", "digest None", "no traceback", "no hint", "no attempts")
        # Parquet's footer has bytes that no reader uses; a wrong dataset is noticed all the same.
        or (case.key.endswith(".parquet") and case.what.startswith("bit"))
        or ("failures/" in case.key and not case.what.startswith(("json", "empty", "text")))
    )


def test_a_check_finds_a_slice_of_damages_and_sets_them_aside(
    host: InProcess, expected: dict[str, Any]
) -> None:
    host.restore(host.home / "sound")
    assert host.run("check", "--deep").code == 0
    found = []
    for case in cases(host.home / "sound")[::CHECK_SLICE]:
        host.restore(host.home / "sound")
        case.damage(host.folder / case.key)
        said = host.run("check", "--deep")
        named = case.key in said.text and said.code == ExitCode.STORE
        mended = host.run("check", "--deep", "--repair")
        sound = host.run("check", "--deep").code if case.key.startswith("heartbeats/") else 0
        again, (code, content) = host.submit(), dataset(host)
        right = (again.code, code, content) == (
            *(expected["submit"], expected["export"], expected["dataset"]),
        )
        clean = host.run("check", "--deep").code == 0
        if not (named or is_harmless(case)) or mended.defect or sound or not (right and clean):
            found.append(f"{case.key} {case.what}: {said.code} {mended} {again} {code} {clean}")
    assert not found, "\n".join(found)


@pytest.mark.drill
@pytest.mark.timeout(7200)
def test_every_damage_is_named_and_healed(
    host: InProcess, expected: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    all_cases = cases(host.home / "sound")
    found = [
        line
        for case in all_cases
        for command in COMMANDS
        for line in wrong(host, case, command, expected)
    ]
    with capsys.disabled():
        print(f"\n{len(all_cases)} damages x {len(COMMANDS)} commands: {len(found)} wrong ends")
    assert not found, "\n".join(found)
